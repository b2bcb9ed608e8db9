"""The cell of what is kept: the full picture beside the source, the downloads, the shelf, the lines of Python."""

import functools
from collections.abc import Callable
from dataclasses import dataclass

import gradio as gr
from PIL import Image as Pil

from engines import write_directions
from engines.core.images import png_bytes
from engines.edit.codes import write_codes
from studio.services.mix_recipe import mix_text
from studio.services.mixer import Mixer
from studio.services.snippets import found_by, needs_bank, own_file, program, stored
from studio.state.edits import Face
from studio.state.lab_book import Made
from studio.state.mix import EDIT, Mix
from studio.state.visitor import Visitor
from studio.tabs.mix.canvases import words
from studio.ui.cell import code
from studio.ui.repeating import Link, link_to, repeat_button
from studio.ui.run_events import offer


@dataclass(frozen=True, eq=False)
class MixOutput:
    """The cell's components."""

    compare: gr.ImageSlider
    picture: gr.DownloadButton
    mask: gr.DownloadButton
    keep: gr.Button
    onward: gr.Button
    link: Link
    repeat: gr.UploadButton
    snippet: gr.Code


def output_cell(resolution: int) -> MixOutput:
    """Build the components."""
    with gr.Row():
        with gr.Column(scale=2, min_width=320):
            label = f"Source | mixed, {resolution} px"
            compare = gr.ImageSlider(label=label, interactive=False, height=520, max_height=520, elem_id="mix-compare", format="webp")
        with gr.Column(scale=1, min_width=260):
            picture = gr.DownloadButton("Download the picture (PNG)", interactive=False, elem_id="mix-download")
            mask = gr.DownloadButton("Download the mask (PNG)", interactive=False, elem_id="mix-download-mask")
            keep = gr.Button("Put the mixed face on the shelf", elem_id="mix-keep")
            onward = gr.Button("… and take it as the source for the next part", elem_id="mix-onward")
            info = "Opens this page with these faces and parts, wherever it is open to whom you give it."
            link = link_to("this mixture", info, "mix")
            repeat = repeat_button("which faces, what was painted, and how the controls stood", "mix")
    return MixOutput(compare, picture, mask, keep, onward, link, repeat, code("mix"))


def picture_file(mixer: Mixer, visitor: Visitor, mix: Mix, picture: Pil.Image) -> gr.DownloadButton:
    """The download of the mixed picture, with its recipe in it unless more is painted than a picture carries."""
    told = mix_text(mixer, visitor, mix)
    label = "Download the picture (PNG)" if told else "Download the picture (PNG, its masks are too large to come along)"
    return gr.DownloadButton(label, value=offer("mixed.png", png_bytes(picture, told)), interactive=True)


def recipe(mixer: Mixer, visitor: Visitor, mix: Mix) -> str:
    """Runnable lines that mix the same faces by a mask read from a file."""
    generator, code = mixer.session.generator.name, functools.partial(_face, mixer, visitor)
    lines = code("source", mix.source)
    for number, part in enumerate(mix.parts, start=1):
        lines += _part(part, "" if not mix.below else f"_{number}", code)
    names = ", ".join(f"part_{number}" for number, _ in enumerate(mix.parts, start=1)) if mix.below else "part,"
    lines.append(
        f'mixed = create("spatial", generator)(MixRequest(source=source, parts=({names})), edge={mix.edge:g}, carry="{mix.carry}").images'
    )
    body = "\n".join([f'generator = load_generator("{generator}")', *lines, 'to_picture(mixed).save("mixed.png")'])
    return program(body)


def _part(part: Mix, mark: str, code: Callable[[str, Face], list[str]]) -> list[str]:
    """Lines that make one part, whose names end in a mark; masks are as the tab saves them while that part is painted."""
    lines = []
    if part.content == EDIT:
        lines = [
            *(["bank = face_bank(generator)"] if needs_bank(part.edit) else []),
            f"direction{mark} = {found_by(part.edit)}",
            f"reference{mark} = apply_directions(source, [(direction{mark}, {part.amount:g})], generator)",
        ]
    else:
        lines = code(f"reference{mark}", part.reference)
    lines.append(f'mask{mark} = (to_tensor(read_image(Path("mask{mark}.png")))[:, :1] > 0).float()  # as this tab saves it')
    layers = "" if part.layers == "all" else f', layers=layer_slots(generator.slots, "{part.layers}")'
    shift = "" if part.shift == (0.0, 0.0) else f", shift={part.shift}"
    return [*lines, f"part{mark} = Part(reference{mark}, mask{mark}, strength={part.strength:g}{shift}{layers})"]


def made(mixer: Mixer, visitor: Visitor, mix: Mix, code: str) -> Made:
    """A mixture as an entry of the lab book; while its faces stay, the newest stands for all."""
    files = {}
    for number, part in enumerate(mix.parts, start=1):
        mark = "" if not mix.below else f"_{number}"
        files[f"mask{mark}.png"] = png_bytes(mixer.painted_mask(visitor, part))
        if part.content != EDIT:
            files |= _stored(mixer, visitor, f"reference{mark}", part.reference)
        elif part.edit.startswith("mine/"):
            direction = mixer.editor.library.get(part.edit, visitor)
            files[own_file(part.edit)] = write_directions([direction], "safetensors", mixer.session.generator)
    files |= _stored(mixer, visitor, "source", mix.source)
    said = words(mixer, visitor, mix)
    face = write_codes(mixer.kept(visitor, mix))
    return Made("Mask and mix", "Mixed faces", said, code, "mixed.png", files, face=face, follows=f"mix {mix.source} {mix.reference}")


def _stored(mixer: Mixer, visitor: Visitor, variable: str, face: Face) -> dict[str, bytes]:
    """The file that a face's code is read from, where no seed stands for it."""
    return {} if face.kind == "Seed" else {f"{variable}.safetensors": write_codes(mixer.editor.code(visitor, face))}


def _face(mixer: Mixer, visitor: Visitor, variable: str, face: Face) -> list[str]:
    if face.kind == "Seed":
        return [f'{variable} = Inversion(Latent("w", random_w(generator, {int(face.seed or 0)}, truncation={face.truncation:g})))']
    return stored(variable, mixer.editor.code(visitor, face), f"{variable}.safetensors")
