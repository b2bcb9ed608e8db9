"""Disentanglement of a generator of paper birds by an evaluation classifier trained on labels: FineGAN's acceptance figures.

All codes are free of each other here, while training ties them. FID is not among the figures: the classifier's features are not
Inception's.
"""

from dataclasses import replace
from functools import cache
from typing import TypeAlias

import torch
from torch import Tensor

from engines.core.seeds import rng
from engines.core.shapes import Image, Mask
from engines.generators.finegan import FineCodes, FineGAN
from engines.generators.flat import FlatGAN
from engines.metrics.factors import information, normalised_information, overlap, share_known, share_known_within
from engines.nets.factor_classifier import FactorClassifier, load_factor_classifier
from engines.nets.finegan import Stages

Labels: TypeAlias = dict[str, Tensor]
CLASSIFIER = "bird_oracle"
"""Entry of assets/weights.toml; only measurements and recipes use it, so the wheel leaves it out."""
_AT_ONCE = 32


@cache
def bird_classifier(device: str = "cpu") -> FactorClassifier:
    """The bundled evaluation classifier of paper birds.

    Raises:
        WeightsError: It is missing or altered.
    """
    return load_factor_classifier(CLASSIFIER, device)


@torch.no_grad()
def classified(images: Image) -> tuple[Labels, Mask]:
    """The classifier's labels (N,) by factor and masks (N,1,S,S) in [0, 1]."""
    classifier = bird_classifier(str(images.device))
    answers = [classifier(part) for part in images.split(_AT_ONCE)]
    labels = {name: torch.cat([logits[name].argmax(dim=1) for logits, _ in answers]) for name in answers[0][0]}
    return labels, torch.cat([mask for _, mask in answers]).sigmoid()


def free_codes(generator: FineGAN, count: int, seed: int) -> list[FineCodes]:
    """Codes that do not depend on each other."""
    chance, form = rng(seed), generator.form
    drawn = [torch.randint(most, (count,), generator=chance).tolist() for most in (form.children, form.parents, form.children, 2**31)]
    return [FineCodes(*row) for row in zip(*drawn, strict=True)]


def many(generator: FineGAN, codes: list[FineCodes]) -> Stages:
    """All stages of any number of pictures."""
    parts = [generator.draw(*codes[start : start + _AT_ONCE]) for start in range(0, len(codes), _AT_ONCE)]
    return Stages(**{name: torch.cat([getattr(part, name) for part in parts]) for name in vars(parts[0])})


def disentangled(generator: FineGAN, count: int, seed: int, pairs: int | None = None) -> dict[str, float]:
    """How far codes are factors, and masks are masks.

    Args:
        generator: To be evaluated.
        count: Pictures for the information figures.
        seed: Decides their codes.
        pairs: Pictures that are drawn again with one code changed; as many if not given.
    """
    codes = free_codes(generator, count, seed)
    stages = many(generator, codes)
    labels, masks = classified(stages.child)
    figures = known(codes, labels)
    figures["mask_overlap"] = float(overlap(stages.child_mask, masks).mean())
    figures["parent_child_overlap"] = float(overlap(stages.parent_mask, stages.child_mask).mean())
    figures["mask_area"] = float(stages.child_mask.mean())
    some = min(count, pairs or count)
    few = Stages(**{name: value[:some] for name, value in vars(stages).items()})
    return figures | controlled(generator, codes[:some], few, {name: values[:some] for name, values in labels.items()}, seed + 1)


def known(codes: list[FineCodes], labels: Labels) -> dict[str, float]:
    """Shares of information: of each factor by its own code, and by codes that should say nothing of it."""
    b, p, c = (torch.tensor([getattr(one, name) for one in codes]) for name in ("background", "parent", "child"))
    shape, texture, background = (labels[name].cpu() for name in ("shape", "texture", "background"))
    return {
        "shape_by_parent": share_known(p, shape),
        "texture_by_child": share_known(c, texture),
        "background_by_b": share_known(b, background),
        "texture_by_parent": share_known(p, texture),
        "shape_by_child": share_known_within(c, shape, p),
        "shape_by_b": share_known(b, shape),
        "nmi_parent_shape": normalised_information(p, shape),
        "nmi_child_texture": normalised_information(c, texture),
        "nmi_b_background": normalised_information(b, background),
        "shape_nats": information(p, shape),
        "texture_nats": information(c, texture),
        "background_nats": information(b, background),
    }


def flat(generator: FlatGAN, count: int, seed: int) -> dict[str, float]:
    """What one categorical code says of each factor: shares of information, normalised information, and nats.

    A generator that draws one kind only has no information to know, and all of it is known; nats tell.
    """
    category, pictures = generator.sampled(count, seed)
    labels = classified(pictures)[0]
    shares = {f"{name}_by_code": share_known(category, found.cpu()) for name, found in labels.items()}
    shares |= {f"nmi_code_{name}": normalised_information(category, found.cpu()) for name, found in labels.items()}
    return shares | {f"{name}_nats": information(category, found.cpu()) for name, found in labels.items()}


def controlled(generator: FineGAN, codes: list[FineCodes], stages: Stages, labels: Labels, seed: int) -> dict[str, float]:
    """What stays when one code alone changes: label shares, colour of the object's pixels, and the overlap of masks under another z."""
    others = free_codes(generator, len(codes), seed)
    form = generator.form

    def changed(name: str, most: int) -> Stages:
        moved = [(getattr(one, name) + 1 + getattr(other, name) % (most - 1)) % most for one, other in zip(codes, others, strict=True)]
        return many(generator, [replace(one, **{name: value}) for one, value in zip(codes, moved, strict=True)])

    by_child, by_parent, by_background = (
        changed("child", form.children),
        changed("parent", form.parents),
        changed("background", form.children),
    )
    by_noise = many(generator, [replace(one, seed=other.seed) for one, other in zip(codes, others, strict=True)])
    inside = ((stages.child_mask > 0.5) & (by_background.child_mask > 0.5)).float()
    moved_pixels = ((by_background.child - stages.child).abs().mean(dim=1, keepdim=True) / 2 * inside).sum() / inside.sum().clamp(min=1)
    return {
        "shape_kept_under_child": _kept(labels["shape"], classified(by_child.child)[0]["shape"]),
        "background_kept_under_parent": _kept(labels["background"], classified(by_parent.child)[0]["background"]),
        "object_moved_under_b": float(moved_pixels),
        "mask_overlap_under_z": float(overlap(stages.child_mask, by_noise.child_mask).mean()),
    }


def _kept(before: Tensor, after: Tensor) -> float:
    return float((before == after).float().mean())
