"""What In-Domain inversion is worth: its head start, its domain term, and the seams that semantic diffusion closes.

    python -m benchmarks.in_domain                     # about half an hour on two CPU cores; leave the machine alone
    python -m benchmarks.in_domain --encoder psp       # with another encoder as regulariser and start
    python -m benchmarks.in_domain --quick             # does it run? its figures mean nothing and go to build/benchmarks

Race and sweep: 200 steps from the average face without the domain term, by Adam as W+ optimisations go and by L-BFGS, against 60 from the
encoder's code at several domain weights; the objective's other terms and the exit are the same, and a step is one evaluation of the
objective. After how many steps is the first one's final LPIPS reached? What is lost in squared error, and what is won in latent editing
consistency (engines/metrics/consistency.py; the codes of a face and of its edit both come from the whole method)? Diffusion: a part of one
generated face in another, with its seam and its LPIPS within the mask beside the plain copy. Figures are of full pictures, by the protocol;
real and generated faces are kept apart.
"""

import argparse
import statistics
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import torch

from benchmarks.inversion import SEEDS, Face
from benchmarks.machine import OUTPUT, facts, write
from engines import Direction, FitRequest, InvertRequest, create, load_generator
from engines.contract import finish
from engines.core.images import PROTOCOL_SIDE, area, read_image, to_tensor
from engines.core.shapes import Codes, Image, Mask
from engines.core.weights import assets, manifest
from engines.data import face_bank
from engines.faces import align, find_faces, pick_face
from engines.faces.parts import part_mask
from engines.generators.base import Generator
from engines.invert.optimize import DiffusionRequest, InDomainRefine, SemanticDiffusion
from engines.invert.optimize.domain import ENCODERS, Descending
from engines.losses.perceptual import Perceptual
from engines.metrics import Reconstruction
from engines.metrics.consistency import editing_consistency
from engines.spaces.latent import Inversion, Latent
from engines.spaces.statistics import random_w
from engines.spaces.statistics import statistics as spread_of

LONG, SHORT, WATCHED = 200, 60, 5
QUICK_LONG, QUICK_SHORT = 4, 2
WEIGHTS = (0.0, 0.05, 0.5, 2.0)
WAYS: tuple[tuple[str, Descending, float], ...] = (
    ("mean", "Adam", 0.0),
    ("mean", "L-BFGS", 0.0),
    ("encoder", "Adam", 0.0),
    *(("encoder", "L-BFGS", weight) for weight in WEIGHTS),
)
"""Start, optimiser and domain weight of each run; the first is the plain one."""

EDITED, STRENGTH = "smile", 3.0
PAIRS = tuple((920_001 + 2 * pair, 920_002 + 2 * pair) for pair in range(10))
"""Seeds of the face that gives and of the one that receives."""

PART = "eyes, nose and mouth"


def measure(quick: bool, encoder: str | None = None, generated: int = len(SEEDS), many: int = len(PAIRS)) -> dict[str, Any]:
    """Everything on the bundled generator, with the first encoder whose weights are bundled unless another is named, on so many faces.

    Quick runs take few steps on one face and mean nothing.
    """
    machine, generator = facts(), load_generator("ffhq")
    chosen = encoder or next(name for name in ENCODERS if name in manifest())
    learnt = create("interfacegan", generator)(FitRequest(bank=face_bank(generator), attribute=EDITED))
    instruments, long, short = Instruments(generator), QUICK_LONG if quick else LONG, QUICK_SHORT if quick else SHORT
    engine, diffuse = InDomainRefine(generator), SemanticDiffusion(generator)
    faces = _generated(generator, SEEDS[:1]) if quick else [_astronaut(generator), *_generated(generator, SEEDS[:generated])]
    runs = [row for face in faces for row in compared(engine, instruments, face, learnt.directions[0], chosen, long, short)]
    settings: dict[str, Any] = {"quick_steps": 1, "steps": 1} if quick else {}
    pairs = [diffused(diffuse, instruments, pair, chosen, settings) for pair in (PAIRS[:1] if quick else PAIRS[:many])]
    return {"machine": machine, "encoder": chosen, "edited": EDITED, "runs": runs, "medians": medians(runs), "diffusion": pairs}


def _astronaut(generator: Generator) -> Face:
    photo = read_image(assets() / "examples" / "astronaut.jpg")
    return Face("astronaut", "real", to_tensor(align(photo, pick_face(find_faces(photo)).alignment, generator.resolution)))


@torch.no_grad()
def _generated(generator: Generator, seeds: tuple[int, ...]) -> list[Face]:
    return [Face(f"seed {seed}", "generated", generator.synthesize(random_w(generator, seed)).clamp(-1, 1)) for seed in seeds]


class Instruments:
    """The instruments, and the generator that draws what they look at.

    Args:
        generator: Whose codes are judged.
    """

    def __init__(self, generator: Generator) -> None:
        self.generator, self.perceptual = generator, Perceptual(generator.device)
        self.reconstruction = Reconstruction(generator.device)

    @torch.no_grad()
    def drawn(self, inversion: Inversion) -> Image:
        """The full picture."""
        return self.generator.synthesize(inversion.latent).clamp(-1, 1)

    def lpips(self, image: Image, target: Image, mask: Mask | None = None) -> float:
        """LPIPS at 256 px; with a mask, of pictures that agree outside it."""
        image, target = area(image.clamp(-1, 1), PROTOCOL_SIDE), area(target, PROTOCOL_SIDE)
        if mask is not None:
            inside = torch.nn.functional.interpolate(mask, image.shape[-2:], mode="area")
            image = inside * image + (1 - inside) * target
        return float(self.perceptual(image, target).mean())


@dataclass(eq=False)
class Method:
    """One way to a code, as a function from pictures to codes that remembers what it found.

    Attributes:
        engine: The optimiser.
        instruments: Watches.
        settings: Its knobs.
        from_mean: Whether it starts at the average face instead of the encoder's code.
        curves: LPIPS by step, a run each.
        found: Inversions, a run each.
    """

    engine: InDomainRefine
    instruments: Instruments
    settings: dict[str, Any]
    from_mean: bool = False
    curves: list[dict[int, float]] = field(default_factory=list)
    found: list[Inversion] = field(default_factory=list)

    def __call__(self, image: Image) -> Codes:
        """The code of one picture (1,3,R,R)."""
        start = Latent("w", spread_of(self.engine.generator).mean) if self.from_mean else None
        run = self.engine.run(InvertRequest(image=image, start=start), self.engine.knob_set.of(self.settings))
        curve: dict[int, float] = {}
        while True:
            try:
                progress = next(run)
            except StopIteration as stop:
                self.found.append(stop.value.inversions[0])
                curve[self.settings["quick_steps"] + 1] = self.instruments.lpips(stop.value.images, image)
                self.curves.append(curve)
                return self.found[-1].latent.codes
            if progress.best is not None:
                curve[progress.step] = self.instruments.lpips(self.instruments.drawn(progress.best.inversions[0]), image)


def compared(
    engine: InDomainRefine, instruments: Instruments, face: Face, direction: Direction, encoder: str, long: int, short: int
) -> list[dict[str, Any]]:
    """The plain run and those within the domain on one face: figures, curve, consistency, and steps to the plain one's LPIPS."""
    rows: list[dict[str, Any]] = []
    for start, descent, weight in WAYS:
        from_mean = start == "mean"
        steps = long if from_mean else short
        settings = {"quick_steps": steps - 1, "steps": 1, "domain_weight": weight, "encoder": encoder, "descent": descent}
        settings |= {"stop_early": False}
        method = Method(engine, instruments, settings | {"preview_every": WATCHED}, from_mean)
        consistency = float(editing_consistency(method, engine.generator, face.image, direction, STRENGTH))
        figures = instruments.reconstruction(instruments.drawn(method.found[0]), face.image)
        row = {"face": face.name, "kind": face.kind, "start": start, "descent": descent, "domain_weight": weight, "steps": steps}
        row |= {name: round(value, 5) for name, value in figures.items()}
        row |= {
            "consistency": round(consistency, 3),
            "drift": round(spread_of(engine.generator).w_plus_spread(method.found[0].latent.codes), 3),
        }
        rows.append(row | {"curve": {step: round(value, 4) for step, value in method.curves[0].items()}})
        rows[-1]["steps_to_plain"] = reached(rows[-1]["curve"], rows[0]["lpips"])
    return rows


def reached(curve: dict[int, float], lpips: float) -> int | None:
    """The first watched step whose LPIPS is as low; nothing if none is."""
    return next((step for step, value in sorted(curve.items()) if value <= lpips + 1e-4), None)


def medians(runs: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Median figures by way, real and generated faces apart; of steps, over the faces where they are reached."""
    groups: dict[tuple[str, str, str, float], list[dict[str, Any]]] = {}
    for row in runs:
        groups.setdefault((row["kind"], row["start"], row["descent"], row["domain_weight"]), []).append(row)
    found = []
    for (kind, start, descent, weight), rows in groups.items():
        names = ("lpips", "mse", "identity_distance", "consistency", "drift")
        middle: dict[str, Any] = {name: round(statistics.median(row[name] for row in rows), 5) for name in names}
        steps = [row["steps_to_plain"] for row in rows if row["steps_to_plain"] is not None]
        middle |= {"faces": len(rows), "reached": len(steps), "steps_to_plain": statistics.median(steps) if steps else None}
        found.append({"kind": kind, "start": start, "descent": descent, "domain_weight": weight, "steps": rows[0]["steps"]} | middle)
    return found


def diffused(
    engine: SemanticDiffusion, instruments: Instruments, pair: tuple[int, int], encoder: str, settings: dict[str, Any]
) -> dict[str, Any]:
    """Seam and LPIPS within the mask of one pair, of the plain copy and of the face that became of it."""
    source, target = (face.image for face in _generated(engine.generator, pair))
    mask = part_mask(PART, source, target)
    request = DiffusionRequest(image=source, context=target, mask=mask)
    result = finish(engine.run(request, engine.knob_set.of({"encoder": encoder} | settings)))
    figures = {name: round(value, 4) for name, value in result.metrics.items()}
    return {"giver": pair[0], "receiver": pair[1]} | figures | {"lpips_part": round(instruments.lpips(result.images, source, mask), 4)}


def rendered(results: dict[str, Any]) -> str:
    """The results as Markdown."""
    head = "| faces | start, optimiser, domain weight | steps | LPIPS | MSE | identity distance | consistency | steps to the plain LPIPS |"
    lines = [head, "|" + " --- |" * 8]
    for row in results["medians"]:
        start = f"{'average face' if row['start'] == 'mean' else 'encoder'}, {row['descent']}, {row['domain_weight']:g}"
        to_plain = f"{row['steps_to_plain']:g} ({row['reached']} of {row['faces']})" if row["reached"] else "not reached"
        figures = f"{row['lpips']:.3f} | {row['mse']:.4f} | {row['identity_distance']:.2f} | {row['consistency']:.1f}"
        lines.append(f"| {row['faces']} {row['kind']} | {start} | {row['steps']} | {figures} | {to_plain} |")
    pairs = results["diffusion"]
    closed = sum(pair["seam"] < pair["seam_pasted"] for pair in pairs)
    before, after, part = (statistics.median(pair[name] for pair in pairs) for name in ("seam_pasted", "seam", "lpips_part"))
    words = (
        f"Semantic diffusion ({PART}): the border is less visible than in the copy on {closed} of {len(pairs)} pairs of generated faces; "
    )
    words += f"medians {before:.3f} in the copy, {after:.3f} in the face, LPIPS within the part {part:.3f}."
    return "\n".join([f"**In-Domain inversion** (encoder: {results['encoder']}; medians)", "", *lines, "", words])


def main() -> None:
    """Measure and save."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.in_domain")
    parser.add_argument("--quick", action="store_true", help="few steps on one face")
    parser.add_argument("--encoder", choices=tuple(ENCODERS), help="by default the first whose weights are bundled")
    parser.add_argument("--generated", type=int, default=len(SEEDS), help="generated faces beside the real one")
    parser.add_argument("--pairs", type=int, default=len(PAIRS), help="pairs of semantic diffusion")
    arguments = parser.parse_args()
    results = measure(arguments.quick, arguments.encoder, arguments.generated, arguments.pairs)
    print(rendered(results))
    print(write("in_domain", results, Path("build/benchmarks") if arguments.quick else OUTPUT))


if __name__ == "__main__":
    main()
