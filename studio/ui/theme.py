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
    "block_label_background_fill_dark": "*primary_900",
    "block_label_text_color_dark": "*primary_100",
    "block_title_text_color_dark": "*primary_100",
}
"""Text of at least 4.5 times the brightness of its ground, or a 4.5th of it, as WCAG 2.2 AA asks; the theme's own blue has 3. A title is
no button: in the dark, too, its blue is not that of what is chosen."""

_EDGE, _EDGE_DARK = "*neutral_500", "*neutral_400"
_OUTLINED = {
    "input_border_color": _EDGE,
    "input_border_color_dark": _EDGE_DARK,
    "input_shadow": "inset 0 0 0 1px var(--input-border-color)",
    "input_shadow_focus": "inset 0 0 0 2px var(--color-accent)",
    "checkbox_border_color": _EDGE,
    "checkbox_border_color_dark": _EDGE_DARK,
    "slider_color_dark": "*primary_500",
}
"""Inputs, boxes, rounds and sliders have at least 3 times the brightness of their ground, or a 3rd; edges lie inside, so nothing grows."""


def theme() -> gr.themes.Base:
    """Soft, blue, and with fonts that every machine has: nothing is fetched."""
    fonts = ["ui-sans-serif", "system-ui", "Segoe UI", "Roboto", "sans-serif"]
    soft = gr.themes.Soft(primary_hue="blue", neutral_hue="slate", font=fonts, font_mono=["ui-monospace", "Menlo", "Consolas", "monospace"])
    return soft.set(**_READABLE, **_OUTLINED)


def css() -> str:
    """The style sheet in assets."""
    return (assets() / "studio.css").read_text(encoding="utf-8")
