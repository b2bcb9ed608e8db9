"""How the studio looks: Gradio's soft theme with local fonts, and one style sheet."""

import gradio as gr

from engines.core.weights import assets

_READABLE = {
    "color_accent": "*primary_600",
    "block_label_text_color": "*primary_700",
    "block_title_text_color": "*primary_700",
    "body_text_color_subdued": "*neutral_600",
    "block_info_text_color": "*neutral_600",
    "button_primary_background_fill": "*primary_600",
    "button_primary_background_fill_hover": "*primary_700",
    "checkbox_label_background_fill_selected": "*primary_600",
    "input_placeholder_color": "*neutral_500",
    "input_placeholder_color_dark": "*neutral_300",
}
"""Text of at least 4.5 times the brightness of its ground, or a 4.5th of it, as WCAG 2.2 AA asks; the theme's own blue has 3."""


def theme() -> gr.themes.Base:
    """Soft, blue, and with fonts that every machine has: nothing is fetched."""
    fonts = ["ui-sans-serif", "system-ui", "Segoe UI", "Roboto", "sans-serif"]
    soft = gr.themes.Soft(primary_hue="blue", neutral_hue="slate", font=fonts, font_mono=["ui-monospace", "Menlo", "Consolas", "monospace"])
    return soft.set(**_READABLE)


def css() -> str:
    """The style sheet in assets."""
    return (assets() / "studio.css").read_text(encoding="utf-8")
