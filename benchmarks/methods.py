"""Every inversion method on the same faces: likeness, time, and what is left when the same edits are applied.

    python -m benchmarks methods                     # all methods, about 15 minutes on two CPU cores; leave the machine alone
    python -m benchmarks methods --only pti          # one of them again, the others as they were
    python -m benchmarks methods --share 300         # quick methods on more faces, up to all 256
    python -m benchmarks methods --only pti --slow 10    # slow ones on more than two of them

Faces: the first of the held-out test set (engines/training/samples.py, TEST; half of them change their w between the layers), and real
portraits, never averaged together. A method runs at its defaults. Those that take less than four seconds a face go on through the test
set until their share of the time is used up, slow ones take the first two faces; all take every portrait. Ratios compare a method with
another on the faces that both had. Editing: turn, smile and age in turn, +2 sigma, measured by engines/comparison.py.
"""

import json
import re
import statistics
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from functools import cached_property, lru_cache
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from benchmarks.machine import facts
from benchmarks.papers import common, differing
from benchmarks.portraits import portraits
from engines import Engine, FitRequest, Inversion, InvertRequest, Latent, Result, create, load_generator
from engines.comparison import InversionEvaluator, consistency_encoder, inverters, space_of, values_of
from engines.core.seeds import rng
from engines.core.weights import is_bundled, manifest
from engines.data import attributes, face_bank
from engines.generators.base import Generator
from engines.invert.encode.restyle import BASES
from engines.metrics.consistency import editing_consistency
from engines.spaces.directions import Edit
from engines.spaces.statistics import statistics as spread_of
from engines.training.samples import CHUNK, TEST, assembled, random_pairs

AVERAGE, PSP = "average", "psp"
VARIANTS: dict[str, dict[str, dict[str, Any]]] = {
    "restyle": {f"restyle_{base}": {"base": base} for base, name in BASES.items() if base != "psp" and is_bundled(name)}
}
"""Further rows of an engine: name and settings."""

EDITS, STRENGTH = ("yaw", "smile", "age"), 2.0
SLOW_SECONDS, WARM = 4.0, 3
FIGURES = ("lpips", "mse", "psnr", "ms_ssim", "identity_distance")
EDITED = ("identity_after", "change", "consistency", "own_consistency")


@dataclass(frozen=True)
class Plan:
    """How much is measured.

    Attributes:
        faces: The most generated faces of a quick method.
        slow: Generated faces of a slow one.
        edited: Generated faces that are edited.
        share: Seconds that each quick method has for the generated faces, measuring included.
        knobs: Settings of every engine that has them.
    """

    faces: int = 256
    slow: int = 2
    edited: int = 16
    share: float = 60.0
    knobs: dict[str, Any] = field(default_factory=dict)


QUICK = Plan(2, 1, 1, 1.0, {"steps": 2, "quick_steps": 1, "coarse_steps": 1, "preview_every": 1})


@dataclass(frozen=True, eq=False)
class Entrant:
    """A row of the table: an engine with settings, or the average face."""

    name: str
    title: str
    build: Callable[[], Callable[[Tensor], Result]]


class Bench:
    """The faces, the edits and the instrument.

    Args:
        generator: Who draws.
        plan: How much is measured.
    """

    def __init__(self, generator: Generator, plan: Plan) -> None:
        self.generator, self.plan = generator, plan
        self.evaluator = InversionEvaluator(generator, encoder=consistency_encoder(generator))
        names = [attribute.name for attribute in attributes(generator)]
        learn, bank = create("interfacegan", generator), face_bank(generator)
        wanted = [name for name in EDITS if name in names] or names[: len(EDITS)]
        self.edits: list[Edit] = [(learn(FitRequest(bank=bank, attribute=name)).directions[0], STRENGTH) for name in wanted]
        self.generated = lru_cache(plan.faces)(self._generated)

    def entrants(self) -> Iterator[Entrant]:
        """The average face, then every method of the catalogue with its variants; each is built when its turn comes."""
        yield Entrant(AVERAGE, "Average face", lambda: lambda _: self._average)
        for engine in inverters(self.generator):
            rows = {engine.card.name: {}} | VARIANTS.get(engine.card.name, {})
            for name, settings in rows.items():
                words = ", ".join(f"{key} {value}" for key, value in settings.items())
                yield Entrant(
                    name, f"{engine.card.title} ({words})" if words else engine.card.title, self._engine(engine.card.name, settings)
                )

    def _engine(self, name: str, settings: dict[str, Any]) -> Callable[[], Callable[[Tensor], Result]]:
        def build() -> Callable[[Tensor], Result]:
            engine = create(name, self.generator)
            known = {declared.name for declared in engine.knob_set.declared()}
            knobs = {key: value for key, value in self.plan.knobs.items() if key in known} | settings
            return lambda image: engine(InvertRequest(image=image), **knobs)

        return build

    @property
    def read_by(self) -> str:
        """Which weights read edited pictures: a row that other ones read cannot be compared in that column."""
        card = type(self.evaluator.encoder).card if isinstance(self.evaluator.encoder, Engine) else None
        return "".join(manifest()[name]["sha256"][:8] for name in (card.weights if card else ()))

    @cached_property
    def _average(self) -> Result:
        mean = spread_of(self.generator).mean
        with torch.no_grad():
            return Result(self.generator.synthesize(mean), (Inversion(Latent("w", mean)),))

    @cached_property
    @torch.no_grad()
    def _codes(self) -> Tensor:
        """Codes of the test set, whose pictures are drawn when they are wanted."""
        chunks = range(-(-self.plan.faces // CHUNK))
        return torch.cat([assembled(self.generator, *random_pairs(self.generator, CHUNK, rng(TEST + number))) for number in chunks])

    @torch.no_grad()
    def _generated(self, index: int) -> Tensor:
        """A face of the test set in eight bits, as a file would hold it."""
        image = self.generator.synthesize(self.generator.slots.scatter(self._codes[index : index + 1]))
        return image.clamp(-1, 1).add(1).mul(127.5).round().to(torch.uint8)

    @cached_property
    def portraits(self) -> dict[str, Tensor]:
        """Real photos by name, aligned, (1,3,R,R)."""
        return portraits(self.generator)

    def measure(self, entrant: Entrant) -> dict[str, Any]:
        """All figures of one method: generated faces and portraits apart, each face's own behind the means."""
        invert, rows = entrant.build(), list[dict[str, Any]]()
        start = time.perf_counter()
        while len(rows) < self.plan.faces:
            index = len(rows)
            if index >= self.plan.slow and (_slow(rows) or time.perf_counter() - start > self.plan.share):
                break
            edits = [self.edits[index % len(self.edits)]] if index < self.plan.edited else []
            rows.append(self._face(invert, self.generated(index).float() / 127.5 - 1, edits))
        real = [self._face(invert, photo, self.edits) for photo in self.portraits.values()]
        about = (real or rows)[0]
        return {
            "title": entrant.title,
            "date": facts()["date"],
            "space": about["space"],
            "values": 0 if entrant.name == AVERAGE else about["values"],
            "slow": _slow(rows),
            "generated": summary(rows),
            "real": summary(real),
        }

    def _face(self, invert: Callable[[Tensor], Result], photo: Tensor, edits: list[Edit]) -> dict[str, Any]:
        """One face: inverted against the clock, then measured and edited off it."""
        start = time.perf_counter()
        result = invert(photo)
        seconds = time.perf_counter() - start
        inversion, image = result.inversions[0], result.images[:1]
        row = {"seconds": seconds, "space": space_of(inversion), "values": values_of(inversion, self.generator)}
        row |= self.evaluator.figures(image, photo)
        changes = [self.evaluator.edited(inversion, image, photo, edit).figures for edit in edits]
        if seconds <= SLOW_SECONDS:
            changes = [change | self._own(invert, inversion, photo, edit) for change, edit in zip(changes, edits, strict=True)]
        for name in EDITED:
            values = [change[name] for change in changes if name in change and change[name] == change[name]]
            row |= {name: statistics.fmean(values)} if values else {}
        return row

    def _own(self, invert: Callable[[Tensor], Result], inversion: Inversion, photo: Tensor, edit: Edit) -> dict[str, float]:
        """Latent editing consistency as the paper has it: the method itself reads the edited picture. For codes alone."""
        if (
            inversion.latent.space not in ("w", "w_plus")
            or inversion.tuning
            or inversion.features
            or inversion is self._average.inversions[0]
        ):
            return {}
        known = [inversion]

        def encode(image: Tensor) -> Tensor:
            found = known.pop() if known else invert(image).inversions[0]  # the photo's code comes first, and is known
            return self.generator.slots.spread(found.latent.codes)

        return {"own_consistency": float(editing_consistency(encode, self.generator, photo, *edit)[0])}


def _slow(rows: list[dict[str, Any]]) -> bool:
    """Whether a method takes long; a first face may be slow because memory is new."""
    return bool(rows) and min(row["seconds"] for row in rows[:2]) > SLOW_SECONDS


def summary(rows: list[dict[str, Any]]) -> dict[str, Any]:
    """Mean and standard error of each figure over faces, the median of seconds after the warm-up, and the faces themselves in order."""
    each = {name: [round(row[name], 5) if name in row else None for row in rows] for name in (*FIGURES, *EDITED)}
    values = {name: [value for value in found if value is not None] for name, found in each.items()}
    times = [row["seconds"] for row in rows]
    timed = times[WARM:] if len(times) > 2 * WARM else times
    return {
        "faces": len(rows),
        "edited": len(values["identity_after"]),
        "seconds": round(statistics.median(timed), 3) if timed else None,
        "figures": {name: mean_and_error(found) for name, found in values.items() if found},
        "each": {name: found for name, found in each.items() if values[name]},
    }


def mean_and_error(values: list[float]) -> list[float | None]:
    """Mean with its standard error, which one face alone has not."""
    error = statistics.stdev(values) / len(values) ** 0.5 if len(values) > 1 else None
    return [round(statistics.fmean(values), 5), None if error is None else round(error, 5)]


def ratio(ours: list[float | None], theirs: list[float | None]) -> list[float | None]:
    """Ratio of the means over the faces that both had, with its standard error (first order in the differences)."""
    pairs = common(ours, theirs)
    count, total = len(pairs), sum(other for _, other in pairs)
    if not total:
        return [None, None]
    found, mean = sum(one for one, _ in pairs) / total, total / count
    rest = [one - found * other for one, other in pairs]
    error = statistics.stdev(rest) / count**0.5 / mean if count > 1 else None
    return [round(found, 4), None if error is None else round(error, 4)]


def compared(methods: dict[str, Any]) -> dict[str, Any]:
    """What only all methods together say: ratios to the average face and to pSp, and orderings that differ from the papers'."""
    ratios: dict[str, Any] = {}
    for name, method in methods.items():
        for kind in ("generated", "real"):
            for base in (AVERAGE, PSP):
                if base in methods:
                    each, other = method[kind]["each"], methods[base][kind]["each"]
                    one_reader = method.get("read_by") == methods[base].get("read_by")
                    comparable = [figure for figure in (*FIGURES, *EDITED) if figure != "consistency" or one_reader]
                    shared = [figure for figure in comparable if figure in each and figure in other]
                    ratios.setdefault(name, {}).setdefault(kind, {})[base] = {
                        figure: ratio(each[figure], other[figure]) for figure in shared
                    }
    return {"ratios": ratios, "orderings": {kind: differing(methods, kind) for kind in ("real", "generated")}}


def measure(generator: Generator, plan: Plan, path: Path, only: str | None = None, say: Callable[[str], None] = print) -> Path:
    """Measure all methods, or one of them, and write after each, so that what is done stays.

    Raises:
        ValueError: No such method.
    """
    bench = Bench(generator, plan)
    entrants = [entrant for entrant in bench.entrants() if only in (None, entrant.name)]
    if not entrants:
        raise ValueError(f"There is no method {only!r}; there are: {', '.join(entrant.name for entrant in bench.entrants())}.")
    old = json.loads(path.read_text(encoding="utf-8")) if path.is_file() else {}
    order = [entrant.name for entrant in bench.entrants()]
    methods = {name: found for name, found in old.get("methods", {}).items() if name in order and only is not None}
    machine, start = facts(), time.perf_counter()
    for entrant in entrants:
        methods[entrant.name] = bench.measure(entrant) | {"machine": machine, "read_by": bench.read_by}
        methods = {name: methods[name] for name in order if name in methods}
        about = {
            "edits": [edit[0].name for edit in bench.edits],
            "strength": STRENGTH,
            "portraits": list(bench.portraits),
            "reader": type(bench.evaluator.encoder).__name__ if bench.evaluator.encoder is not None else None,
            "read_by": bench.read_by,
        }
        write(about | compared(methods) | {"methods": methods}, path)
        say(f"{entrant.name}: {methods[entrant.name]['generated']['faces']} generated faces, {time.perf_counter() - start:.0f} s so far")
    return path


def write(results: dict[str, Any], path: Path) -> None:
    """JSON with every list of numbers on one line; a file that is cut off never replaces a whole one."""
    text = re.sub(r"\[\s*([-\d.,\senul]+?)\s*\]", lambda found: f"[{' '.join(found.group(1).split())}]", json.dumps(results, indent=1))
    path.parent.mkdir(parents=True, exist_ok=True)
    part = path.with_suffix(".part")
    part.write_text(text + "\n", encoding="utf-8")
    part.replace(path)


def run(quick: bool, folder: Path, only: str | None = None, share: float | None = None, slow: int | None = None) -> Path:
    """The committed benchmark on the bundled generator; a quick one means nothing."""
    asked = {name: value for name, value in (("share", share), ("slow", slow)) if value is not None}
    plan = QUICK if quick else replace(Plan(), **asked)
    return measure(load_generator("ffhq"), plan, folder / "methods.json", only)
