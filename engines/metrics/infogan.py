"""InfoGAN's figures: mutual information of codes and pictures, and agreement of categories with labels."""

import torch
from scipy.optimize import linear_sum_assignment
from torch import Tensor

from engines.core.seeds import rng
from engines.generators.infogan import Draw, InfoGAN, random_codes
from engines.losses.information import category_bound
from engines.metrics.factors import counts

_AT_ONCE = 500


def sampled(gan: InfoGAN, count: int, seed: int) -> tuple[Draw, Tensor]:
    """Random codes and their pictures (count,channels,size,size)."""
    draw = random_codes(gan.form, count, rng(seed), gan.device)
    parts = zip(*(value.split(_AT_ONCE) for value in vars(draw).values()), strict=True)
    return draw, torch.cat([gan.synthesize(Draw(*part)) for part in parts])


def round_trip(gan: InfoGAN, count: int, seed: int) -> dict[str, float]:
    """What Q predicts of new pictures: the bound on I(category; picture) in nats, and R2 of each continuous code."""
    draw, pictures = sampled(gan, count, seed)
    reads = [gan.read(part) for part in pictures.split(_AT_ONCE)]
    logits, read = (torch.cat([getattr(one, name) for one in reads]) for name in ("logits", "continuous"))
    error = (read - draw.continuous).square().mean(dim=0) / draw.continuous.var(dim=0, correction=0)
    known = {f"r2_{number}": 1 - float(share) for number, share in enumerate(error, start=1)}
    return {"information": float(category_bound(logits, draw.category))} | known


def categories_of(gan: InfoGAN, pictures: Tensor) -> Tensor:
    """The likeliest category (N,) of each picture."""
    return torch.cat([gan.read(part).logits.argmax(dim=1) for part in pictures.split(_AT_ONCE)]).cpu()


def naming(categories: Tensor, labels: Tensor, count: int) -> tuple[int, ...]:
    """The label of each of `count` categories under the best one-to-one naming (Hungarian method) of (N,) and (N,)."""
    whole = torch.arange(count)
    table = counts(torch.cat([categories, whole]), torch.cat([labels, whole])) - torch.eye(count, dtype=torch.float64)
    return tuple(int(label) for label in linear_sum_assignment(-table.numpy())[1])


def naming_error(categories: Tensor, labels: Tensor, names: tuple[int, ...]) -> float:
    """Share of pictures whose category's name is not their label."""
    return float((torch.tensor(names)[categories] != labels).float().mean())
