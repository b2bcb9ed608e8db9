import sys
from dataclasses import dataclass, replace
from types import SimpleNamespace
from typing import Annotated, Any, Literal

import numpy as np
import pytest
import torch

from engines import (
    Card,
    Direction,
    Engine,
    Inversion,
    InvertRequest,
    Knob,
    Knobs,
    Latent,
    Progress,
    Result,
    Run,
    Table,
    load_generator,
    random_w,
)
from engines.checks import CHECKS, GENERATORS, Shortfall, Subject
from engines.generators import FfhqGenerator
from engines.generators.toy import toy as new_toy

BY_NAME = {check.asks.__name__: check for check in CHECKS}


@dataclass(frozen=True, kw_only=True)
class FineKnobs(Knobs):
    steps: Annotated[int, Knob("Steps.", lo=1, hi=9)] = 2
    way: Annotated[Literal["straight", "round"], Knob("Way.")] = "straight"
    bend: Annotated[float, Knob("How round.", lo=0, hi=1, only_if=("way", "round"))] = 0.5


class Fine(Engine[InvertRequest, FineKnobs]):
    """Nothing is wrong with it."""

    card = Card(name="fine", title="Fine", paper="", needs=frozenset({"w"}))
    accepts, knob_set = InvertRequest, FineKnobs

    def run(self, request: InvertRequest, knobs: FineKnobs) -> Run:
        """Draw the face of the seed, over and over."""
        for step in range(1, knobs.steps + 1):
            yield Progress(step, knobs.steps, *self.kept(request))
        return self.ended(self.result(request))

    def result(self, request: InvertRequest) -> Result:
        with torch.no_grad():
            w = random_w(self.generator, request.seed)
            vector = torch.nn.functional.normalize(torch.ones(self.generator.width), dim=0)
            directions = (Direction("one", "w", vector, self.generator.slots.active, 1.0, "test"),)
            tables = {"figures": Table(("a", "b"), ((1, 2),))}
            return Result(self.generator.synthesize(w), (Inversion(Latent("w", w)),), directions=directions, tables=tables)

    def kept(self, request: InvertRequest) -> tuple[Any, ...]:
        """Preview, losses and best of a step."""
        result = self.result(request)
        return result.images, {"loss": 0.5}, result

    def ended(self, result: Result) -> Result:
        return result


@pytest.mark.parametrize("name", BY_NAME)
def test_nothing_is_found_where_nothing_is_wrong(name: str, toy: FfhqGenerator) -> None:
    subject = Subject(Fine, toy)
    assert BY_NAME[name].applies(subject)
    BY_NAME[name].asks(subject)


class NoSteps(Fine):
    def run(self, request: InvertRequest, knobs: FineKnobs) -> Run:
        yield Progress(0, 2)
        return self.result(request)


class NoBest(Fine):
    def kept(self, request: InvertRequest) -> tuple[Any, ...]:
        return self.result(request).images, {}, None


class Lost(Fine):
    def kept(self, request: InvertRequest) -> tuple[Any, ...]:
        return None, {"loss": float("nan")}, None


class OneBest(Fine):
    def __init__(self, generator: Any) -> None:
        super().__init__(generator)
        self.best: Result | None = None

    def kept(self, request: InvertRequest) -> tuple[Any, ...]:
        self.best = self.best or self.result(request)
        return self.best.images, {}, self.best


class Chancy(Fine):
    def ended(self, result: Result) -> Result:
        return replace(result, metrics={"chance": float(np.random.default_rng().random())})


class Global(Fine):
    def ended(self, result: Result) -> Result:
        torch.rand(1)
        return result


class Loud(Fine):
    def ended(self, result: Result) -> Result:
        sys.stdout.write("done")
        return result


class Meddler(Fine):
    def ended(self, result: Result) -> Result:
        self.generator.tunable()["const"].add_(1e-3)
        return result


class EarlyMeddler(Fine):
    def kept(self, request: InvertRequest) -> tuple[Any, ...]:
        self.generator.tunable()["const"].add_(1e-3)
        return super().kept(request)


class GradLeft(Fine):
    def run(self, request: InvertRequest, knobs: FineKnobs) -> Run:
        with torch.no_grad():
            yield Progress(1, 1)
        return self.result(request)


class GradNeeded(Fine):
    def ended(self, result: Result) -> Result:
        return replace(result, metrics={"on": float(torch.is_grad_enabled())})


class ThreadBound(Fine):
    def run(self, request: InvertRequest, knobs: FineKnobs) -> Run:
        with torch.no_grad():
            yield Progress(1, 1)
            return replace(self.result(request), metrics={"on": float(torch.is_grad_enabled())})


class OtherCall(Fine):
    def __call__(self, request: InvertRequest, **settings: Any) -> Result:
        return self.result(replace(request, seed=request.seed + 1))


class WithGraph(Fine):
    def ended(self, result: Result) -> Result:
        return replace(result, images=result.images.clone().requires_grad_())


class OtherPicture(Fine):
    def ended(self, result: Result) -> Result:
        return replace(result, images=result.images + 0.01)


class LongDirection(Fine):
    def ended(self, result: Result) -> Result:
        return replace(result, directions=(replace(result.directions[0], vector=2 * result.directions[0].vector),))


class WeakDirection(Fine):
    def ended(self, result: Result) -> Result:
        return replace(result, directions=(replace(result.directions[0], sigma=1e-7),))


class Ragged(Fine):
    def ended(self, result: Result) -> Result:
        return replace(result, tables={"figures": Table(("a", "b"), ((1,),))})


class Untitled(Fine):
    card = replace(Fine.card, title="")


class WrongPaper(Fine):
    card = replace(Fine.card, paper="arXiv:0000.00000")


class TakesAnything(Fine):
    def __init__(self, generator: Any) -> None:
        self.generator = generator


def knobs(**annotations: Any) -> type[Fine]:
    """The fine engine with other knobs, (annotation, default) by name."""
    hints = {name: annotation for name, (annotation, _) in annotations.items()}
    defaults = {name: default for name, (_, default) in annotations.items()}
    made = dataclass(frozen=True, kw_only=True)(type("MadeKnobs", (Knobs,), {"__annotations__": hints, **defaults}))
    return type("Made", (Fine,), {"knob_set": made})


SPOILT = [
    (NoSteps, "steps_rise_and_end_at_the_total", "they want to rise from 1"),
    (NoBest, "progress_is_finite_and_previews_bring_what_stop_keeps", "only one of preview and best"),
    (Lost, "progress_is_finite_and_previews_bring_what_stop_keeps", "not finite"),
    (OneBest, "each_best_owns_its_tensors", "share their memory"),
    (Chancy, "equal_seed_gives_equal_bits", "Two runs of one seed differ"),
    (Global, "a_full_run_touches_neither_generator_nor_global_randomness_and_prints_nothing", "torch's global random numbers"),
    (Loud, "a_full_run_touches_neither_generator_nor_global_randomness_and_prints_nothing", "A run prints: 'done"),
    (Meddler, "a_full_run_touches_neither_generator_nor_global_randomness_and_prints_nothing", "changed the generator"),
    (EarlyMeddler, "closing_after_one_step_leaves_all_as_found", "changed the generator"),
    (GradLeft, "closing_after_one_step_leaves_all_as_found", "After a step grad mode"),
    (GradNeeded, "a_run_works_where_gradients_are_off", "the result differs"),
    (ThreadBound, "a_run_may_change_threads_at_every_step", "a thread for each step"),
    (OtherCall, "calling_an_engine_runs_it_to_the_end", "another result than its run"),
    (WithGraph, "the_result_is_detached_and_finite", "carries gradients"),
    (OtherPicture, "inversions_redraw_the_result", "0.01 off at most"),
    (LongDirection, "directions_are_unit_vectors_with_a_spread", "has the length 2"),
    (WeakDirection, "directions_can_be_applied_exported_and_read_again", "change nothing"),
    (Ragged, "tables_are_rectangular", "2 columns and rows of"),
    (Untitled, "the_card_is_complete", "no title"),
    (WrongPaper, "the_card_is_complete", "named neither in"),
    (TakesAnything, "a_generator_that_lacks_something_is_refused_in_a_sentence", "is taken"),
    (knobs(steps=(Annotated[int, Knob("No sentence", lo=1, hi=2)], 1)), "each_knob_says_what_it_does", "is no sentence"),
    (knobs(name=(Annotated[str, Knob("A name.")], "x")), "each_knob_says_what_it_does", "text without choices"),
    (knobs(steps=(Annotated[int, Knob("Steps.", lo=3, hi=3)], 3)), "bounds_hold", "crossed"),
    (knobs(rate=(Annotated[float, Knob("Rate.", lo=-1, hi=1, log=True)], 0.5)), "bounds_hold", "begins below 0"),
    (knobs(seed=(Annotated[int, Knob("Seed.", lo=0, hi=9)], 1)), "no_input_is_also_a_knob_and_each_says_what_it_is", "also knobs: seed"),
    (
        knobs(steps=(Annotated[int, Knob("Steps.", lo=0, hi=9, only_if=("pace",))], 1)),
        "a_condition_names_another_knob_and_values_that_it_takes",
        "no other knob",
    ),
]


@pytest.mark.parametrize(("kind", "name", "sentence"), SPOILT, ids=lambda value: getattr(value, "__name__", None))
def test_what_is_wrong_is_found(kind: type[Fine], name: str, sentence: str) -> None:
    with pytest.raises(Shortfall, match=sentence):
        BY_NAME[name].asks(Subject(kind, new_toy()))


def test_what_an_engine_does_not_return_is_not_asked(toy: FfhqGenerator) -> None:
    class Bare(Fine):
        def ended(self, result: Result) -> Result:
            return Result(result.images)

    left = {check.asks.__name__ for check in CHECKS if not check.applies(Subject(Bare, toy))}
    assert left == {
        "inversions_redraw_the_result",
        "directions_are_unit_vectors_with_a_spread",
        "directions_can_be_applied_exported_and_read_again",
        "tables_are_rectangular",
    }


@pytest.mark.parametrize("check", GENERATORS, ids=lambda check: check.__name__)
@pytest.mark.parametrize("name", ["toy", "stylegan2-tiny", "finegan-toy", "infogan-toy", "stylemapgan-toy"])
def test_generators_of_every_kind_keep_the_contract(name: str, check: Any) -> None:
    check(load_generator(name))


def noisy(generator: FfhqGenerator) -> Any:
    plain = generator.synthesize
    return lambda *words, **options: plain(*words, **options) + torch.rand(1)


@pytest.mark.parametrize(
    ("name", "make", "sentence"),
    [
        ("it_has_all_of_the_protocol", lambda one: object(), "lacks .*synthesize"),
        ("it_has_all_of_the_protocol", lambda one: SimpleNamespace(name="other", capabilities={"other"}), "lacks device, resolution"),
        ("it_says_what_it_is", lambda one: setattr(one, "capabilities", frozenset()) or one, "no engine takes it"),
        ("it_says_what_it_is", lambda one: setattr(one, "exits", (64, 16)) or one, "they want to rise"),
        ("it_says_what_it_is", lambda one: setattr(one, "resolution", 128) or one, "the resolution 128"),
        (
            "it_draws_every_size_that_it_offers",
            lambda one: setattr(one, "synthesize", lambda *_, **__: torch.zeros(1, 3, 8, 8)) or one,
            "At 16 px",
        ),
        ("one_code_gives_one_picture", lambda one: setattr(one, "synthesize", noisy(one)) or one, "One code gives two pictures"),
        ("weights_are_changed_beside_it", lambda one: setattr(one, "tunable", dict) or one, "changes nothing"),
    ],
)
def test_what_is_wrong_with_a_generator_is_found(name: str, make: Any, sentence: str) -> None:
    check = next(check for check in GENERATORS if check.__name__ == name)
    with pytest.raises(Shortfall, match=sentence):
        check(make(new_toy()))
