import hashlib
import inspect
import math
import sys
import threading
from collections.abc import Iterator
from dataclasses import dataclass, fields

import numpy as np
import pytest
import torch
from torch import Tensor

from engines import Direction, Progress, Result, catalogue
from engines.contract import Engine, Run
from engines.core.errors import CatalogueError
from engines.core.seeds import z_codes
from engines.core.weights import assets, manifest
from engines.edit import read_directions, write_directions
from engines.generators import Student
from engines.generators.sketch import draw
from engines.spaces.directions import apply
from engines.spaces.latent import Latent
from tests.contract.requests import quick, request_for

NAMES = list(catalogue())


@dataclass
class Finished:
    """One quick run to the end, shared by the tests that only look at it."""

    engine: Engine
    steps: list[Progress]
    result: Result


def start(name: str, generator: Student, seed: int = 0) -> Run:
    kind = catalogue()[name]
    return kind(generator).run(request_for(kind, generator, seed), kind.knob_set.of(quick(kind)))


def drive(run: Run) -> tuple[list[Progress], Result]:
    steps = []
    while True:
        try:
            steps.append(next(run))
        except StopIteration as stop:
            return steps, stop.value


def fingerprint(generator: Student) -> str:
    """A hash of all that a generator is made of."""
    digest = hashlib.sha256()
    heads = {f"{size}.{name}": value for size, head in generator.heads.items() for name, value in head.weights.items()}
    for name, value in sorted((generator.weights | heads).items()):
        digest.update(name.encode() + value.detach().cpu().contiguous().numpy().tobytes())
    return digest.hexdigest()


def tensors(value: object) -> Iterator[Tensor]:
    """Every tensor inside a result, in order."""
    if isinstance(value, Tensor):
        yield value
    elif isinstance(value, dict):
        for key in sorted(value):
            yield from tensors(value[key])
    elif isinstance(value, tuple):
        for item in value:
            yield from tensors(item)
    elif hasattr(value, "__dataclass_fields__"):
        for field in fields(value):
            yield from tensors(getattr(value, field.name))


def equal(ours: object, theirs: object) -> bool:
    pairs = list(zip(tensors(ours), tensors(theirs), strict=True))
    return bool(pairs) and all(torch.equal(left, right) for left, right in pairs)


@pytest.fixture(scope="module", params=NAMES)
def name(request: pytest.FixtureRequest) -> str:
    return request.param


@pytest.fixture(scope="module")
def finished(name: str, toy: Student) -> Finished:
    steps, result = drive(start(name, toy))
    return Finished(catalogue()[name](toy), steps, result)


def test_steps_rise_and_end_at_total(finished: Finished) -> None:
    steps = [progress.step for progress in finished.steps]
    assert steps == sorted(set(steps))
    assert steps[0] >= 1
    assert steps[-1] == finished.steps[-1].total
    assert len({progress.total for progress in finished.steps}) == 1


def test_progress_is_finite_and_previews_bring_what_stop_keeps(finished: Finished) -> None:
    for progress in finished.steps:
        assert all(math.isfinite(loss) for loss in progress.losses.values())
        assert (progress.preview is None) == (progress.best is None)
        if progress.preview is not None and progress.best is not None:
            assert torch.isfinite(progress.preview).all()
            assert not progress.preview.requires_grad
            assert not any(tensor.requires_grad for tensor in tensors(progress.best))


def test_each_best_owns_its_tensors(finished: Finished) -> None:
    """What Stop keeps must not move on with the optimiser."""
    kept = [progress.best.inversions[0].latent.codes for progress in finished.steps if progress.best and progress.best.inversions]
    assert len({codes.data_ptr() for codes in kept}) == len(kept)


def test_result_is_detached_and_finite(finished: Finished) -> None:
    for tensor in tensors(finished.result):
        assert not tensor.requires_grad
        assert torch.isfinite(tensor).all()


def test_inversions_redraw_the_result(finished: Finished, toy: Student) -> None:
    for index, inversion in enumerate(finished.result.inversions):
        again = toy.synthesize(inversion.latent, tuning=inversion.tuning, features=inversion.features)
        assert torch.allclose(again, finished.result.images[index : index + 1], atol=1e-5)


def test_directions_are_unit_vectors_with_a_spread(finished: Finished, toy: Student) -> None:
    values = max(part.stop for part in toy.layout("s").values())
    shapes = {"z": (toy.width,), "w": (toy.width,), "w_plus": (toy.slots.count, toy.width), "s": (values,)}
    for direction in finished.result.directions:
        assert isinstance(direction, Direction)
        assert direction.name
        assert direction.vector.shape == shapes[direction.space]
        assert float(direction.vector.norm()) == pytest.approx(1, abs=1e-5)
        assert direction.sigma > 0
        assert set(direction.slots) <= set(toy.slots.active)
        assert direction.source


def test_directions_can_be_applied_exported_and_read_again(finished: Finished, toy: Student) -> None:
    directions = finished.result.directions
    if not directions:
        return
    again = read_directions(write_directions(directions, "safetensors", toy), "again.safetensors", toy)
    assert [(item.name, item.space, item.slots, item.sigma) for item in again] == [
        (item.name, item.space, item.slots, item.sigma) for item in directions
    ]
    face = Latent("z", z_codes(1, toy.width, 3))
    moved = apply(face, [(direction, 1.5) for direction in directions], toy, truncation=0.7)
    drawn = draw(toy, moved)
    assert torch.isfinite(drawn).all()
    assert not torch.allclose(drawn, draw(toy, apply(face, [], toy, truncation=0.7)), atol=1e-4)
    assert torch.allclose(draw(toy, apply(face, [(direction, 1.5) for direction in again], toy, truncation=0.7)), drawn, atol=1e-4)


def test_tables_are_rectangular(finished: Finished) -> None:
    for table in finished.result.tables.values():
        assert {len(row) for row in table.rows} <= {len(table.columns)}


def test_equal_seed_gives_equal_bits(name: str, finished: Finished, toy: Student) -> None:
    steps, result = drive(start(name, toy))
    assert equal(result, finished.result)
    assert {key: table.rows for key, table in result.tables.items()} == {key: table.rows for key, table in finished.result.tables.items()}
    assert [progress.losses for progress in steps] == [progress.losses for progress in finished.steps]


def test_a_run_may_change_threads_at_every_step(name: str, finished: Finished, toy: Student) -> None:
    """The page may resume a run on another thread, and grad mode belongs to a thread."""
    run, results = start(name, toy), []

    def step() -> None:
        try:
            next(run)
        except StopIteration as stop:
            results.append(stop.value)

    while not results:
        thread = threading.Thread(target=step)
        thread.start()
        thread.join(60)
    assert equal(results[0], finished.result)


def test_a_run_works_where_gradients_are_off(name: str, finished: Finished, toy: Student) -> None:
    with torch.no_grad():
        _, result = drive(start(name, toy))
    assert equal(result, finished.result)


@pytest.mark.parametrize("enabled", [True, False])
def test_closing_after_one_yield_leaves_all_as_found(name: str, toy: Student, enabled: bool) -> None:
    before = fingerprint(toy)
    with torch.set_grad_enabled(enabled):
        run = start(name, toy)
        next(run)
        assert torch.is_grad_enabled() == enabled
        run.close()
        assert torch.is_grad_enabled() == enabled
    assert fingerprint(toy) == before


def test_a_full_run_touches_neither_generator_nor_global_randomness(
    name: str, finished: Finished, toy: Student, capsys: pytest.CaptureFixture[str]
) -> None:
    weights, torch_state, numpy_state = fingerprint(toy), torch.get_rng_state(), np.random.get_state(legacy=False)["state"]
    drive(start(name, toy))
    assert fingerprint(toy) == weights
    assert torch.equal(torch.get_rng_state(), torch_state)
    assert (np.random.get_state(legacy=False)["state"]["key"] == numpy_state["key"]).all()
    assert not any(value.requires_grad or value.grad is not None for value in toy.weights.values())
    assert capsys.readouterr() == ("", "")


def test_calling_an_engine_runs_it_to_the_end(name: str, finished: Finished, toy: Student) -> None:
    kind = catalogue()[name]
    assert equal(kind(toy)(request_for(kind, toy), **quick(kind)), finished.result)


def test_card_is_complete(name: str, toy: Student) -> None:
    kind = catalogue()[name]
    assert kind.card.name == name
    assert kind.card.title
    assert kind.card.needs <= toy.capabilities
    assert set(kind.card.weights) <= set(manifest())
    written = f"{inspect.getdoc(kind)}\n{sys.modules[kind.__module__].__doc__}"
    assert kind.card.paper in written


def test_there_is_a_note_for_a_class(name: str) -> None:
    note = (assets() / "notes" / f"{name}.md").read_text(encoding="utf-8")
    assert 120 <= len(note.split()) <= 400
    assert catalogue()[name].card.paper.removeprefix("arXiv:") in note


class Poor:
    """A generator that can do nothing."""

    name, capabilities = "poor", frozenset[str]()


def test_a_generator_that_lacks_something_is_refused_in_a_sentence(name: str) -> None:
    engine = catalogue()[name].__new__(catalogue()[name])
    if engine.card.needs:
        with pytest.raises(CatalogueError, match=r"needs .* which the generator poor does not offer\."):
            Engine.__init__.__wrapped__(engine, Poor())  # past the type checker
