"""What InfoGAN's codes are worth on digits: every seed and the ablation without information, by labels and by a classifier.

    for seed in 1 2 3; do studio train infogan_digits --seed $seed --folder build/training/infogan_digits-$seed; done
    studio train infogan_digits --without information --folder build/training/infogan_digits-plain
    studio train infogan_digits --without poses --folder build/training/infogan_digits-unmoved
    python -m benchmarks.infogan

The error is that of Q's likeliest category on MNIST's 10 000 test digits, under the best one-to-one naming. The evaluation classifier is a
small network that this benchmark trains on the labels; purity is the share of a category's pictures that it takes for the commonest digit
among them. Slant and thickness are rank-correlated with both continuous codes over pictures of one z and category, averaged over
categories.
"""

import argparse
from pathlib import Path
from typing import Any

import torch
import torch.nn.functional as F
from scipy.stats import spearmanr
from torch import Tensor, nn

from benchmarks.machine import OUTPUT, facts, write
from engines.core.seeds import rng
from engines.data.digits import PATH, Digits, Sets, read_digits
from engines.generators.infogan import Draw, InfoGAN
from engines.metrics.factors import counts, entropy
from engines.metrics.infogan import categories_of, naming, naming_error, round_trip, sampled
from engines.metrics.strokes import slant, thickness
from engines.nets.initial import seeded
from engines.training.recipes.infogan import DigitSetting, InfoDigits, named_of

TRAINING = Path("build/training")
SEEDS = (1, 2, 3)
ABLATIONS = {"plain": ("information", "without the information term"), "unmoved": ("poses", "category read off digits as they are")}
"""Folder's ending, ablated component, and words."""

SEED = 77
MEASURES = {"slant": slant, "thickness": thickness}


def classifier(digits: Digits, epochs: int, batch: int = 128) -> nn.Module:
    """A small network that knows digits by their labels."""
    layers = [nn.Conv2d(1, 16, 3, padding=1), nn.ReLU(), nn.MaxPool2d(2), nn.Conv2d(16, 32, 3, padding=1), nn.ReLU(), nn.MaxPool2d(2)]
    network = seeded(lambda: nn.Sequential(*layers, nn.Flatten(), nn.Linear(32 * 49, 64), nn.ReLU(), nn.Linear(64, 10)), SEED)
    steps = max(1, epochs * len(digits) // batch)
    optimizer = torch.optim.Adam(network.parameters(), lr=2e-3)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, 2e-3, total_steps=steps)
    chance = rng(SEED)
    for _ in range(steps):
        some = digits[torch.randint(len(digits), (batch,), generator=chance)]
        optimizer.zero_grad()
        F.cross_entropy(network(some.images), some.labels).backward()
        optimizer.step()
        schedule.step()
    return network.eval().requires_grad_(False)


def answers(network: nn.Module, pictures: Tensor) -> Tensor:
    """Probabilities (N,10)."""
    return torch.cat([network(part).softmax(dim=1) for part in pictures.split(500)])


def run(seed: int, folder: Path, without: frozenset[str], sets: Sets, network: nn.Module, count: int) -> dict[str, Any]:
    """All figures of one trained run."""
    preset = InfoDigits.presets["cpu"]
    setting = DigitSetting(preset=preset, folder=folder, seed=seed, without=without, sets=sets)
    trainer = InfoDigits().trainer(setting)
    gan = named_of(trainer, setting)
    found = categories_of(gan, sets.test.images)
    names = naming(found, sets.test.labels, gan.form.categories)
    figures = {"error": naming_error(found, sets.test.labels, names)} | round_trip(gan, count, SEED)
    figures |= classified(gan, network, count) | correlations(gan, count // 10)
    rounded = {name: round(value, 4) for name, value in figures.items()}
    return {"seed": seed, "without": sorted(without), "steps": trainer.step, "minutes": round(trainer.spent / 60, 1)} | rounded


def classified(gan: InfoGAN, network: nn.Module, count: int) -> dict[str, float]:
    """Purity of the categories, entropy of the digits drawn in nats, and the classifier's confidence."""
    draw, pictures = sampled(gan, count, SEED)
    sure = answers(network, pictures)
    table = counts(draw.category, sure.argmax(dim=1))
    purity = (table.max(dim=1).values / table.sum(dim=1)).mean()
    return {"purity": float(purity), "entropy": entropy(sure.argmax(dim=1)), "confidence": float(sure.max(dim=1).values.mean())}


def correlations(gan: InfoGAN, count: int) -> dict[str, float]:
    """Mean rank correlation of each continuous code with slant and thickness, z and category fixed."""
    each, categories = max(10, count // gan.form.categories), gan.form.categories
    draw, _ = sampled(gan, each * categories, SEED + 1)
    fixed = Draw(draw.z[:categories].repeat_interleave(each, 0), torch.arange(categories).repeat_interleave(each), draw.continuous)
    pictures = gan.synthesize(fixed)
    found = {}
    for name, measure in MEASURES.items():
        values = measure(pictures).split(each)
        for code in range(gan.form.continuous):
            drawn = draw.continuous[:, code].split(each)
            ranks = [spearmanr(a.numpy(), b.numpy()).statistic for a, b in zip(drawn, values, strict=True) if float(b.std()) > 0]
            found[f"{name}_by_{code + 1}"] = float(sum(ranks) / max(1, len(ranks)))
    return found


def measure(count: int, epochs: int, path: Path = PATH) -> dict[str, Any]:
    """All runs whose checkpoints are there; the kept one carries the most information, which asks no label."""
    machine, sets = facts(), read_digits(path)
    network = classifier(sets.training, epochs)
    right = float((answers(network, sets.test.images).argmax(dim=1) == sets.test.labels).float().mean())
    wanted = [(seed, TRAINING / f"infogan_digits-{seed}", frozenset[str]()) for seed in SEEDS]
    wanted += [(1, TRAINING / f"infogan_digits-{ending}", frozenset({idea})) for ending, (idea, _) in ABLATIONS.items()]
    runs = [run(*one, sets, network, count) for one in wanted if (one[1] / "checkpoint.pt").is_file()]
    whole = [row for row in runs if not row["without"]]
    kept = max(whole, key=lambda row: float(row["information"]))["seed"] if whole else None
    return {"machine": machine, "judge": round(right, 4), "samples": count, "kept": kept, "runs": runs}


def rendered(results: dict[str, Any]) -> str:
    """The results as Markdown."""
    text = (
        f"**InfoGAN on digits** ({results['samples']} pictures a run, 10 000 test digits, classifier accuracy {results['judge']:.1%}; "
        f"seed {results['kept']} is kept, by its information)"
    )
    head = "| run | digit error | information, of 2.303 nats | purity | entropy | confidence | R2 of codes | slant | thickness |"
    lines, words = [text, "", head, "|" + " --- |" * 9], dict(ABLATIONS.values())
    for row in results["runs"]:
        name = words.get("".join(row["without"]), f"seed {row['seed']}")
        by = {kind: f"{row[f'{kind}_by_1']:+.2f} / {row[f'{kind}_by_2']:+.2f}" for kind in MEASURES}
        figures = f"{row['error']:.1%} | {row['information']:.3f} | {row['purity']:.3f} | {row['entropy']:.2f} | {row['confidence']:.3f}"
        lines.append(f"| {name} | {figures} | {row['r2_1']:.2f} / {row['r2_2']:.2f} | {by['slant']} | {by['thickness']} |")
    ranks = "Slant and thickness: mean rank correlation with the first / the second continuous code, z and category fixed."
    lines += ["", f"Purity, entropy of the digits drawn in nats, and confidence are the evaluation classifier's. {ranks}"]
    return "\n".join(lines)


def main() -> None:
    """Measure, write and print."""
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.infogan", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--count", type=int, default=10_000)
    parser.add_argument("--epochs", type=int, default=3, help="of the evaluation classifier")
    parser.add_argument("--output", type=Path, default=OUTPUT)
    arguments = parser.parse_args()
    results = measure(arguments.count, arguments.epochs)
    write("infogan", results, arguments.output)
    print(rendered(results))


if __name__ == "__main__":
    main()
