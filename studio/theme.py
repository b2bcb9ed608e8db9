"""How the studio looks: Gradio's soft theme with local fonts, and one style sheet."""

import gradio as gr

from engines.core.weights import assets


def theme() -> gr.themes.Base:
    """Soft, blue, and with fonts that every machine has: nothing is fetched."""
    fonts = ["ui-sans-serif", "system-ui", "Segoe UI", "Roboto", "sans-serif"]
    return gr.themes.Soft(primary_hue="blue", neutral_hue="slate", font=fonts, font_mono=["ui-monospace", "Menlo", "Consolas", "monospace"])


def css() -> str:
    """The style sheet in assets."""
    return (assets() / "studio.css").read_text(encoding="utf-8")
