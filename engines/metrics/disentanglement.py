"""Disentanglement of directions: edits drawn on faces, measured, and compared in each attribute's standard deviation.

Re-scoring: Shen et al., arXiv:1907.10786, section 4.3. Attribute Dependency and its curve: Wu et al., "StyleSpace Analysis",
arXiv:2011.12799, section 5. DCI: Eastwood and Williams, "A Framework for the Quantitative Evaluation of Disentangled Representations",
2018, with gradient boosting as in arXiv:2011.12799. Identity kept over strength: Alaluf et al., "HyperStyle", arXiv:2111.15666.
A change is counted in standard deviations of its attribute over the bank, so that years and degrees can share a table.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from engines.contract import Progress, Result, Run, Table
from engines.core.seeds import z_codes
from engines.core.shapes import Codes, Image
from engines.data import attributes, face_bank, measure
from engines.faces import identity_distance, identity_embedder
from engines.generators.base import Generator
from engines.generators.incremental import IncrementalRenderer
from engines.spaces.bank import Scores
from engines.spaces.directions import Direction, apply_directions
from engines.spaces.latent import Inversion, Latent

HELD_OUT_SEED = 90_210
"""Faces that directions are evaluated on; the bank that they learn from has another seed."""

IDENTITY = "identity_distance"
_TRUNCATION = 0.7
Array = NDArray[np.float64]


class SideEffects:
    """The measuring instrument for edits of one generator's pictures.

    Args:
        generator: Who draws; its bank gives each attribute its unit.
    """

    def __init__(self, generator: Generator) -> None:
        self.generator = generator
        self.names = tuple(attribute.name for attribute in attributes(generator))
        self.deviation = face_bank(generator).deviation()
        self.size = generator.nearest_exit(256)
        self._measure = measure(generator)
        self._identity = identity_embedder(str(generator.device))

    @torch.no_grad()
    def scores(self, image: Image) -> Scores:
        """Attributes of pictures (batch,3,R,R) in their standard deviations, (batch,attributes); not a number where no face is seen."""
        return self._measure(image.clamp(-1, 1)).to(self.deviation) / self.deviation

    @torch.no_grad()
    def identity(self, before: Image, after: Image) -> Tensor:
        """Distance of face embeddings of each pair, (batch,); same person below about 0.55."""
        return identity_distance(self._identity.embed(before.clamp(-1, 1)), self._identity.embed(after.clamp(-1, 1)))

    @torch.no_grad()
    def measured(self, image: Image) -> "Measured":
        """A picture (1,3,R,R) as `compared` wants it: what many edits of one face are held against is measured once."""
        return Measured(self.scores(image)[0], self._identity.embed(image.clamp(-1, 1)))

    def compared(self, before: "Measured", after: "Measured") -> dict[str, float]:
        """What an edit changed: identity_distance, then each attribute's change in units of its spread."""
        identity = float(identity_distance(before.embedding, after.embedding)[0])
        return {IDENTITY: identity} | dict(zip(self.names, (after.scores - before.scores).tolist(), strict=True))

    def figures(self, before: Image, after: Image) -> dict[str, float]:
        """`compared` for two pictures (1,3,R,R)."""
        return self.compared(self.measured(before), self.measured(after))


@dataclass(frozen=True, eq=False)
class Measured:
    """What the instrument saw of one picture.

    Attributes:
        scores: Attributes in units of their spread, (attributes,).
        embedding: Of the face, as `identity_distance` compares it, (1,values).
    """

    scores: Tensor
    embedding: Tensor


@dataclass(frozen=True, eq=False)
class Sweep:
    """A direction drawn at several strengths on several faces.

    Attributes:
        strengths: In sigma, (strengths,).
        scores: In units of spread, (strengths,faces,attributes).
        identity: Distance to the unedited face, (strengths,faces).
    """

    strengths: tuple[float, ...]
    scores: Tensor
    identity: Tensor

    def changes(self, base: Scores) -> Tensor:
        """Change of each score against the unedited faces, (strengths,faces,attributes)."""
        return self.scores - base


def faces_of(generator: Generator, count: int, seed: int = HELD_OUT_SEED) -> list[Latent]:
    """Codes in Z of faces that nothing was learnt from."""
    z = z_codes(count, generator.width, seed, generator.device)
    return [Latent("z", row[None]) for row in z]


def unedited(instrument: SideEffects, faces: Sequence[Latent]) -> tuple[Scores, list[Image]]:
    """Scores (faces,attributes) and pictures of faces as they are."""
    renderer = IncrementalRenderer(instrument.generator)
    pictures = [renderer.draw(_moved(instrument, face, None, 0.0), instrument.size) for face in faces]
    return torch.cat([instrument.scores(picture) for picture in pictures]), pictures


def sweep(
    instrument: SideEffects,
    direction: Direction,
    strengths: Sequence[float],
    faces: Sequence[Latent | Inversion],
    pictures: Sequence[Image],
    size: int | None = None,
) -> Sweep:
    """Draw and measure `direction` at every strength on every face.

    Args:
        instrument: What measures.
        direction: What is applied.
        strengths: In sigma.
        faces: Codes, or the inversions of photos.
        pictures: The unedited ones.
        size: Side at which faces are drawn, the instrument's if not given: auxiliary toRGB heads were fitted to W, so photos need the full
            picture.
    """
    scores, identity = [], []
    for face, before in zip(faces, pictures, strict=True):
        renderer = IncrementalRenderer(instrument.generator)
        drawn = torch.cat([renderer.draw(_moved(instrument, face, direction, at), size or instrument.size) for at in strengths])
        scores.append(instrument.scores(drawn))
        identity.append(instrument.identity(before.expand_as(drawn), drawn))
    return Sweep(tuple(strengths), torch.stack(scores, dim=1), torch.stack(identity, dim=1))


def _moved(instrument: SideEffects, face: Latent | Inversion, direction: Direction | None, strength: float) -> Inversion:
    edits = [] if direction is None else [(direction, strength)]
    return apply_directions(face, edits, instrument.generator, truncation=_TRUNCATION)


def rescore_directions(
    generator: Generator, directions: Sequence[Direction], strength: float = 2.0, faces: int = 8, seed: int = HELD_OUT_SEED
) -> Run:
    """The re-scoring matrix: mean change of every attribute, in its standard deviation, when each direction is applied at `strength` sigma.

    Yields progress a face at a time with the table so far; the result's table "rescoring" has a row a direction and a column an
    attribute, identity last.
    """
    instrument, codes = SideEffects(generator), faces_of(generator, faces, seed)
    total, step = len(directions) * faces + 1, 1
    base, pictures = unedited(instrument, codes)
    yield Progress(step, total)
    rows: list[tuple[float | str, ...]] = []
    for direction in directions:
        changes, identity = [], []
        for index, face in enumerate(codes):
            moved = sweep(instrument, direction, [strength], [face], pictures[index : index + 1])
            changes.append(moved.changes(base[index : index + 1])[0, 0])
            identity.append(moved.identity[0, 0])
            step += 1
            row = (direction.name, *torch.stack(changes).nanmean(dim=0).tolist(), float(torch.stack(identity).mean()))
            table = Table(("direction", *instrument.names, IDENTITY), (*rows, row))
            result = Result(pictures[0], tables={"rescoring": table})
            yield Progress(step, total, pictures[0], best=result)
        rows.append(row)
    return result


def leakage(row: Sequence[float], own: int, excepted: Sequence[int] = ()) -> float:
    """Own change over the largest other one in a row of the re-scoring matrix, those in `excepted` left out."""
    others = [abs(value) for index, value in enumerate(row) if index != own and index not in excepted]
    return abs(row[own]) / max(max(others, default=0.0), 1e-9)


def dependency(moved: Sweep, base: Scores, target: int, excepted: Sequence[int] = ()) -> list[tuple[float, float, float]]:
    """Attribute Dependency: (change of the target, mean and largest change of the others), all in spreads, one row a strength.

    Args:
        moved: A direction's sweep.
        base: Scores of the unedited faces.
        target: Column of the attribute that was meant.
        excepted: Columns that belong to the target, such as the mouth's opening to a smile.
    """
    changes = moved.changes(base).abs().nanmean(dim=1)
    own = moved.changes(base)[..., target].nanmean(dim=1).abs()
    others = changes[:, [index for index in range(changes.shape[1]) if index != target and index not in excepted]]
    return list(zip(own.tolist(), others.mean(dim=1).tolist(), others.max(dim=1).values.tolist(), strict=True))


def dependency_at(curve: Sequence[tuple[float, float, float]], change: float) -> float:
    """Mean dependency where the target's change reaches `change`, by linear interpolation from (0, 0); not a number if it never does."""
    points = sorted([(0.0, 0.0), *((own, mean) for own, mean, _ in curve)])
    if points[-1][0] < change:
        return float("nan")
    return float(np.interp(change, [own for own, _ in points], [mean for _, mean in points]))


def consistency(moved: Sweep, target: int) -> float:
    """Mean rank correlation of strength and the target's score, face by face: 1 if every face obeys at every step."""
    from scipy.stats import spearmanr  # here: at the top it would be loaded at every start, which takes seconds

    found = [
        float(spearmanr(moved.strengths, scores.tolist()).statistic)
        for scores in moved.scores[..., target].T
        if bool(scores.isfinite().all())
    ]
    return float(np.mean(found)) if found else float("nan")


def identity_curve(moved: Sweep) -> list[tuple[float, float]]:
    """Mean identity distance at each strength: HyperStyle's curve."""
    return list(zip(moved.strengths, moved.identity.mean(dim=1).tolist(), strict=True))


def dci(codes: Codes, scores: Scores, *, share: float = 0.02, seed: int = 0) -> dict[str, float]:
    """Disentanglement, completeness and informativeness of codes about attributes, each in [0, 1].

    Of each attribute the top and bottom `share` of the faces are classified by gradient boosting, half for training and half for testing;
    importance[i, j] says how much code value i counts for attribute j. Splits look at the square root of all values, for speed.

    Args:
        codes: (faces,values).
        scores: (faces,attributes).
        share: Share of the faces at each end.
        seed: Decides the split and the boosting.
    """
    from sklearn.ensemble import GradientBoostingClassifier  # here, as above

    values, columns, accuracy = codes.cpu().numpy(), [], []
    random = np.random.default_rng(seed)
    for column in scores.cpu().numpy().T:
        count = max(4, int(len(column) * share))
        order = column.argsort()
        rows, answer = np.concatenate([order[:count], order[-count:]]), np.repeat([0, 1], count)
        mixed = random.permutation(len(rows))
        learn, judge = mixed[: len(rows) // 2], mixed[len(rows) // 2 :]
        model = GradientBoostingClassifier(max_features="sqrt", random_state=seed).fit(values[rows[learn]], answer[learn])
        columns.append(model.feature_importances_)
        accuracy.append(float(model.score(values[rows[judge]], answer[judge])))
    disentanglement, completeness = dci_scores(np.stack(columns, axis=1))
    return {"disentanglement": disentanglement, "completeness": completeness, "informativeness": float(np.mean(accuracy))}


def dci_scores(importance: Array) -> tuple[float, float]:
    """Disentanglement and completeness of an importance matrix (values,attributes): one minus entropies, weighted by mass."""
    weights = importance + 1e-11
    return _purity(weights, importance.sum(axis=1)), _purity(weights.T, importance.sum(axis=0))


def _purity(weights: Array, mass: Array) -> float:
    shares = weights / weights.sum(axis=1, keepdims=True)
    entropy = -(shares * np.log(shares)).sum(axis=1) / np.log(shares.shape[1])
    return float(((1 - entropy) * mass / mass.sum()).sum())
