"""The cell of what is kept: the full picture beside the source, the downloads, the shelf, the lines of Python."""

from dataclasses import dataclass

import gradio as gr

from studio.cell import code
from studio.edits import Face
from studio.mix import EDIT, Mix
from studio.pages.edit.recipe import found_by, imports, needs_bank


@dataclass(frozen=True, eq=False)
class Keeping:
    """The cell's components."""

    compare: gr.ImageSlider
    picture: gr.DownloadButton
    mask: gr.DownloadButton
    keep: gr.Button
    onward: gr.Button
    snippet: gr.Code


def keeping_cell(resolution: int) -> Keeping:
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
    return Keeping(compare, picture, mask, keep, onward, code("mix"))


def recipe(generator: str, mix: Mix) -> str:
    """Runnable lines that mix the same faces by a mask read from a file."""
    lines = ["source = " + _face(mix.source)]
    for number, part in enumerate(mix.parts, start=1):
        lines += _part(part, "" if not mix.below else f"_{number}")
    names = ", ".join(f"part_{number}" for number, _ in enumerate(mix.parts, start=1)) if mix.below else "part,"
    lines.append(
        f'mixed = create("spatial", generator)(MixRequest(source=source, parts=({names})), edge={mix.edge:g}, carry="{mix.carry}").images'
    )
    body = "\n".join([f'generator = load_generator("{generator}")', *lines, 'to_picture(mixed).save("mixed.png")'])
    return "\n".join(imports(body)) + "\n\n" + body + "\n"


def _part(part: Mix, mark: str) -> list[str]:
    """Lines that make one part, whose names end in a mark; masks are as the tab saves them while that part is painted."""
    lines = []
    if part.content == EDIT:
        lines = [
            *(["bank = face_bank(generator)"] if needs_bank(part.edit) else []),
            f"direction{mark} = {found_by(part.edit)}",
            f"reference{mark} = apply(source, [(direction{mark}, {part.amount:g})], generator)",
        ]
    else:
        lines = [f"reference{mark} = " + _face(part.reference)]
    lines.append(f'mask{mark} = (to_tensor(read_image(Path("mask{mark}.png")))[:, :1] > 0).float()  # as this tab saves it')
    layers = "" if part.layers == "all" else f', layers=slots_of(generator.slots, "{part.layers}")'
    shift = "" if part.shift == (0.0, 0.0) else f", shift={part.shift}"
    return [*lines, f"part{mark} = Part(reference{mark}, mask{mark}, strength={part.strength:g}{shift}{layers})"]


def _face(face: Face) -> str:
    if face.kind == "Seed":
        return f'Inversion(Latent("w", random_w(generator, {int(face.seed or 0)}, truncation={face.truncation:g})))'
    return 'Inversion(Latent("w_plus", load_file("inversion.safetensors")["codes"]))  # as the tab Invert saves it'
