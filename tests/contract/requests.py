"""What each engine is given in the contract tests: the smallest request of the family that it accepts."""

import torch

from engines import (
    BankRequest,
    DrawingRequest,
    ExploreRequest,
    FitRequest,
    HierarchyRequest,
    Inversion,
    InvertRequest,
    Latent,
    MixRequest,
    Part,
    Request,
)
from engines.contract import Engine
from engines.data import face_bank
from engines.explore.changes import ChangesRequest
from engines.explore.trajectories import TrajectoryRequest
from engines.faces.parts import rectangle
from engines.generators import Student
from engines.generators.finegan import FineCodes
from engines.invert.optimize import DiffusionRequest, LocalRequest
from engines.spaces.statistics import random_w

QUICK = {
    "steps": 2,
    "coarse_steps": 2,
    "quick_steps": 1,
    "noise_steps": 2,
    "samples": 200,
    "shown": 50,
    "components": 3,
    "count": 2,
    "tried": 3,
    "faces": 1,
    "shifted": 5,
    "frames": 3,
    "pairs": 5,
    "poses": 2,
    "kept": 2,
    "preview_every": 1,
}
"""Settings that make a run short, for the knobs that have these names."""


def request_for(engine: type[Engine], generator: Student, seed: int = 0) -> Request:
    """A small request that `engine` accepts."""
    if engine.accepts is InvertRequest:
        return InvertRequest(image=generator.synthesize(random_w(generator, 5)), seed=seed)
    if engine.accepts is DiffusionRequest:
        giver, receiver = (generator.synthesize(random_w(generator, number)) for number in (5, 6))
        return DiffusionRequest(image=giver, context=receiver, mask=rectangle(generator.resolution, 0.5, 0.5, 0.5, 0.5), seed=seed)
    if engine.accepts is LocalRequest:
        images = [generator.synthesize(random_w(generator, number)) for number in (5, 6)]
        mask = rectangle(generator.resolution, 0.5, 0.5, 0.5, 0.5)
        return LocalRequest(image=images[0], other=images[1], mask=mask, seed=seed)
    if engine.accepts is BankRequest:
        return BankRequest(bank=face_bank(generator), seed=seed)
    if engine.accepts is FitRequest:
        bank = face_bank(generator)
        return FitRequest(bank=bank, attribute=bank.names[0], keep=bank.names[1:2], seed=seed)
    if engine.accepts is MixRequest:
        faces = [Inversion(Latent("w", random_w(generator, 5 + number + seed))) for number in range(2)]
        half = (torch.arange(64) < 32).float().expand(1, 1, 64, 64)
        return MixRequest(source=faces[0], parts=(Part(faces[1], half), Part(faces[1], half, shift=(0.3, 0.1))), seed=seed)
    if engine.accepts is HierarchyRequest:
        return HierarchyRequest(codes=(FineCodes(1, 0, 2, 5 + seed), FineCodes(0, 1, 3, 6 + seed, (1.0, -0.5))), seed=seed)
    if engine.accepts is DrawingRequest:
        return DrawingRequest(image=generator.synthesize(random_w(generator, 5)), seed=seed)
    if engine.accepts in (Request, ExploreRequest, ChangesRequest, TrajectoryRequest):
        return engine.accepts(seed=seed)
    raise NotImplementedError(f"Say here what {engine.__name__} is given: it accepts {engine.accepts.__name__}.")


def quick(engine: type[Engine]) -> dict[str, int]:
    """The settings of `QUICK` that `engine` has."""
    return {declared.name: QUICK[declared.name] for declared in engine.knob_set.declared() if declared.name in QUICK}
