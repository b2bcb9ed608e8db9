"""Fit the auxiliary toRGB heads of the FFHQ generator: pictures of 128, 256 and 512 px from middle features.

    python -m engines.training.tables.ffhq_exits --minutes 85 --batch 2            # two busy CPU cores; the shipped heads
    python -m engines.training.tables.ffhq_exits --minutes 20 --batch 16 --device cuda

Each step draws fresh codes, runs the full generator once without gradient, and fits two of the heads to area averages of that
one picture: L1, squared error, tint and LPIPS. One sample in three mixes the late slots of two codes, so that the heads learn
what fine edits do. Expect about 31 dB and LPIPS 0.03 at 256 px.

Steps, rate and progress follow the clock, so a budget is kept on any machine, but two runs differ; batches depend on the seed and
the step alone. A checkpoint every two minutes lets a killed run go on. Held-out figures (64 seeds never trained on, truncation 0.7)
go into assets/weights.toml, the log into assets/training/ffhq_exits.jsonl.
"""

import argparse
import json
import logging
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import torch
import torch.nn.functional as F
from torch import Tensor

from engines.core.memory import keep_pages
from engines.core.seeds import normal, rng
from engines.core.weights import load_weights
from engines.generators.auxiliary_heads import new_head
from engines.generators.ffhq import FfhqGenerator
from engines.losses.perceptual import Perceptual
from engines.training.manifest import Records, add_option, chosen

WIDTHS = {128: 96, 256: 96, 512: 64}
CONTEXT = 128
LEARNING_RATE = 2e-3
CONTEXT_RATE = 0.05
"""Share of the learning rate for the context's weights: they sum up thousands of inputs, so a step there moves much."""
TINT_WEIGHT, TINT_SIDE = 5.0, 8
AVERAGING = 0.998
PERCEPTUAL_WEIGHT = 0.5
HELD_OUT_SEED = 900_000
CHECKPOINT_SECONDS = 120
log = logging.getLogger(__name__)


@dataclass
class Batch:
    """Fresh codes, the features that each head reads, and the full picture."""

    w_plus: Tensor
    features: dict[int, Tensor]
    picture: Tensor


@torch.no_grad()
def untrained(generator: FfhqGenerator, seed: int) -> dict[str, Tensor]:
    """Random heads of all sizes, named as the generator expects them."""
    weights: dict[str, Tensor] = {}
    w = generator.map(normal((16, generator.width), seed=seed, device=generator.device))
    for size, width in WIDTHS.items():
        layer = f"conv2_{size // 2}"
        features = torch.cat([generator.prefix(code[None], size).features for code in w])
        gain = features.square().mean(dim=(0, 2, 3)).rsqrt()
        reads = [slot for slot in generator.slots.active if slot >= generator.slots.of_layer(layer)]
        head = new_head(gain.cpu(), width, len(reads), generator.width, seed + size, CONTEXT)
        head["context.weight"] = informed_context(generator, reads).cpu()
        weights |= {f"exit_{size}.{name}": value for name, value in head.items()}
    return weights


def informed_context(generator: FfhqGenerator, reads: list[int]) -> Tensor:
    """First weights of a head's context (CONTEXT, slots x width): of each slot, the combinations of w that its own layers react to most."""
    rows, share = [], CONTEXT // len(reads)
    for position, slot in enumerate(reads):
        layers = tuple(layer for layer in generator.layers if generator.slots.of_layer(layer) == slot)
        vectors = torch.linalg.svd(generator.affine(layers), full_matrices=False).Vh[:share]
        rows.append(F.pad(vectors, (position * generator.width, (len(reads) - 1 - position) * generator.width)))
    weight = torch.cat(rows)
    return F.pad(weight, (0, 0, 0, CONTEXT - len(weight)))


def draw(generator: FfhqGenerator, w_mean: Tensor, step: int, batch: int) -> Batch:
    """One batch, decided by the step's number alone."""
    noise = rng(step)
    z = normal((2 * batch, generator.width), seed=step + 1_000_000, device=generator.device)
    psi = 0.5 + 0.5 * torch.rand((2 * batch, 1), generator=noise).to(generator.device)
    w, other = (w_mean + psi * (generator.map(z) - w_mean)).chunk(2)
    w_plus = generator.slots.spread(w).clone()
    for index in range(batch):
        if torch.rand((), generator=noise) < 1 / 3:
            start = generator.slots.active[int(torch.randint(7, 15, (), generator=noise))]
            amount = float(torch.rand((), generator=noise))
            w_plus[index, start:] += amount * (other[index] - w[index])
    drawn = [_walk(generator, code[None]) for code in w_plus]
    features = {size: torch.cat([features[size] for features, _ in drawn]) for size in WIDTHS}
    return Batch(w_plus, features, torch.cat([picture for _, picture in drawn]))


def _walk(generator: FfhqGenerator, code: Tensor) -> tuple[dict[int, Tensor], Tensor]:
    """One pass through the generator that keeps what the heads read on the way."""
    features, prefix = {}, None
    for size in sorted(WIDTHS):
        prefix = generator.prefix(code, size, prefix)
        features[size] = prefix.features
    return features, generator.synthesize(code, resume=prefix)


def losses(generator: FfhqGenerator, batch: Batch, perceptual: Perceptual, sizes: tuple[int, ...]) -> dict[str, Tensor]:
    """Loss of each head in `sizes` on one batch, by name."""
    terms = {}
    for size in sizes:
        target = F.interpolate(batch.picture, (size, size), mode="area")
        image = generator.heads[size](batch.features[size], batch.w_plus)
        near, near_target = (image, target) if size <= 256 else (image[..., 128:384, 128:384], target[..., 128:384, 128:384])
        pixel = F.l1_loss(image, target) + 2 * F.mse_loss(image, target)
        tint = F.mse_loss(F.adaptive_avg_pool2d(image, TINT_SIDE), F.adaptive_avg_pool2d(target, TINT_SIDE))
        terms[str(size)] = pixel + TINT_WEIGHT * tint + PERCEPTUAL_WEIGHT * perceptual(near, near_target).mean()
    return terms


@torch.no_grad()
def held_out(generator: FfhqGenerator, w_mean: Tensor, perceptual: Perceptual, count: int = 64) -> dict[str, float]:
    """Mean PSNR (range 2) and LPIPS of each head against the area-averaged full picture, truncation 0.7."""
    figures: dict[str, list[float]] = {}
    for index in range(count):
        z = normal((1, generator.width), seed=HELD_OUT_SEED + index, device=generator.device)
        w = w_mean + 0.7 * (generator.map(z) - w_mean)
        full = generator.synthesize(w).clamp(-1, 1)
        for size in WIDTHS:
            target = F.interpolate(full, (size, size), mode="area")
            image = generator.synthesize(w, size=size).clamp(-1, 1)
            psnr = 10 * torch.log10(4 / F.mse_loss(image, target))
            tint = (image - target).mean(dim=(2, 3)).abs().max()
            for name, value in (("psnr", psnr), ("lpips", perceptual(image, target)), ("tint", tint)):
                figures.setdefault(f"{name}_{size}", []).append(float(value))
    return {name: round(sum(values) / len(values), 4) for name, values in figures.items()}


class Run:
    """One training run: heads, optimiser, clock and checkpoint."""

    def __init__(self, arguments: argparse.Namespace) -> None:
        self.arguments = arguments
        weights = load_weights("ffhq")
        blank = FfhqGenerator("ffhq", weights, {}, arguments.device)
        self.generator = FfhqGenerator("ffhq", weights, untrained(blank, arguments.seed), arguments.device)
        self.perceptual = Perceptual(self.generator.device)
        self.w_mean = blank.map(normal((10_000, blank.width), seed=123, device=blank.device)).mean(dim=0, keepdim=True)
        self.parameters = {
            f"exit_{size}.{name}": value for size, head in self.generator.heads.items() for name, value in head.weights.items()
        }
        learned = {name: value.requires_grad_() for name, value in self.parameters.items() if not name.endswith(".gain")}
        context = [value for name, value in learned.items() if name.endswith("context.weight")]
        others = [value for name, value in learned.items() if not name.endswith("context.weight")]
        groups = [{"params": others, "share": 1.0}, {"params": context, "share": CONTEXT_RATE}]
        self.optimizer = torch.optim.Adam(groups, lr=LEARNING_RATE, betas=(0.9, 0.99))
        self.averaged = {name: value.detach().clone() for name, value in self.parameters.items()}
        self.step, self.spent = 0, 0.0
        self._resume()

    def _resume(self) -> None:
        if self.arguments.checkpoint.exists():
            state = torch.load(self.arguments.checkpoint, weights_only=True, map_location=self.generator.device)
            with torch.no_grad():
                for name, value in state["parameters"].items():
                    self.parameters[name].copy_(value)
            self.averaged = state["averaged"]
            self.optimizer.load_state_dict(state["optimizer"])
            self.step, self.spent = state["step"], state["spent"]

    def save(self) -> None:
        """Write the checkpoint whole or not at all."""
        state = {
            "parameters": self.parameters,
            "averaged": self.averaged,
            "optimizer": self.optimizer.state_dict(),
            "step": self.step,
            "spent": self.spent,
        }
        unfinished = self.arguments.checkpoint.with_suffix(".part")
        torch.save(state, unfinished)
        unfinished.replace(self.arguments.checkpoint)

    @torch.no_grad()
    def _average(self) -> None:
        """Follow the weights with a running mean, short at first; the mean is what ships."""
        keep = min(AVERAGING, (self.step + 1) / (self.step + 10))
        for name, value in self.parameters.items():
            self.averaged[name].lerp_(value, 1 - keep)

    def steps(self) -> Iterator[dict[str, float]]:
        """Train until the time is up; yields the losses of each step."""
        budget = self.arguments.minutes * 60
        while self.spent < budget:
            start = time.perf_counter()
            progress = self.spent / budget
            for group in self.optimizer.param_groups:
                group["lr"] = group["share"] * LEARNING_RATE * min(1.0, (self.step + 1) / 50) * (0.02 + 0.98 * (1 - progress))
            with torch.no_grad():
                batch = draw(self.generator, self.w_mean, self.step, self.arguments.batch)
            sizes = (128, 256) if self.step % 2 else (256, 512)
            terms = losses(self.generator, batch, self.perceptual, sizes)
            self.optimizer.zero_grad()
            torch.stack(list(terms.values())).sum().backward()
            self.optimizer.step()
            self._average()
            self.step += 1
            self.spent += time.perf_counter() - start
            yield {name: float(term.detach()) for name, term in terms.items()}


def main() -> None:
    """Train, measure on held-out seeds, and record the result."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--minutes", type=float, default=75)
    parser.add_argument("--device", default="cpu")
    parser.add_argument("--batch", type=int, default=4)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--checkpoint", type=Path, default=Path("ffhq_exits.pt"))
    parser.add_argument("--measure-only", action="store_true", help="record the checkpoint as it is")
    add_option(parser, "put the result into")
    arguments = parser.parse_args()
    records = chosen(arguments.record, Path("build/training/ffhq_exits"))
    logging.basicConfig(level=logging.INFO, format="%(message)s")
    keep_pages()
    run = Run(arguments)
    history, last_saved = arguments.checkpoint.with_suffix(".jsonl"), time.perf_counter()
    smooth: dict[str, float] = {}
    if not arguments.measure_only:
        for terms in run.steps():
            smooth |= {name: 0.95 * smooth.get(name, value) + 0.05 * value for name, value in terms.items()}
            if run.step % 25 == 0:
                line = json.dumps(
                    {"step": run.step, "minutes": round(run.spent / 60, 2)}
                    | {f"loss_{name}": round(value, 5) for name, value in smooth.items()}
                )
                log.info(line)
                with history.open("a", encoding="utf-8") as file:
                    file.write(line + "\n")
            if time.perf_counter() - last_saved > CHECKPOINT_SECONDS:
                run.save()
                last_saved = time.perf_counter()
        run.save()
    _record(run, history, records)


def _record(run: Run, history: Path, records: Records) -> None:
    weights = {name: value.cpu() for name, value in run.averaged.items()}
    shipped = FfhqGenerator(
        "ffhq", load_weights("ffhq"), {name: value.half().float() for name, value in weights.items()}, run.generator.device
    )
    metrics = held_out(shipped, run.w_mean, run.perceptual)
    log.info("held out: %s", json.dumps(metrics))
    how = (
        f"seed {run.arguments.seed}, {run.step} steps of {run.arguments.batch}, {run.spent / 60:.0f} minutes on {run.generator.device.type}"
    )
    origin = f"engines/training/tables/ffhq_exits.py, {how}"
    records.record("ffhq_exits", weights, licence="MIT", origin=origin, metrics=metrics)
    if history.exists():
        records.log("ffhq_exits", [json.loads(line) for line in history.read_text(encoding="utf-8").splitlines()])


if __name__ == "__main__":
    main()
