"""How an engine runs: in steps, by its seed alone, to be closed at any of them, without a trace."""

import contextlib
import io
import math
import threading

import numpy as np
import torch

from engines.checks.subject import Check, Subject, driven, equal, quick, require, tensors
from engines.contract import Result, finish

_PATIENCE = 60
"""Seconds that one step may take on a busy machine."""


def it_runs_to_its_end(subject: Subject) -> None:
    """With the example of its request and quick settings."""
    require(isinstance(subject.finished.result, Result), "The run returned no Result.")


def steps_rise_and_end_at_the_total(subject: Subject) -> None:
    """Each step is told once, and the total stays what it was."""
    steps, totals = [one.step for one in subject.finished.steps], {one.total for one in subject.finished.steps}
    require(steps, "The run yielded no Progress, so nobody could stop it.")
    require(steps == sorted(set(steps)) and steps[0] >= 1, f"The steps are {steps}; they want to rise from 1.")
    require(len(totals) == 1, f"The total changes on the way: {sorted(totals)}.")
    require(steps[-1] in totals, f"The last step is {steps[-1]}, the total {max(totals)}.")


def progress_is_finite_and_previews_bring_what_stop_keeps(subject: Subject) -> None:
    """A preview without `best` shows what nobody can keep."""
    for one in subject.finished.steps:
        require(
            all(math.isfinite(loss) for loss in one.losses.values()), f"Step {one.step} has a loss that is not finite: {dict(one.losses)}."
        )
        require((one.preview is None) == (one.best is None), f"Step {one.step} has only one of preview and best.")
        if one.preview is not None and one.best is not None:
            require(torch.isfinite(one.preview).all(), f"The preview of step {one.step} is not finite.")
            require(not one.preview.requires_grad, f"The preview of step {one.step} carries gradients: detach it.")
            require(
                not any(value.requires_grad for value in tensors(one.best)), f"The best of step {one.step} carries gradients: detach it."
            )


def each_best_owns_its_tensors(subject: Subject) -> None:
    """What Stop keeps must not move on with the optimiser."""
    kept = [one.best.inversions[0].latent.codes for one in subject.finished.steps if one.best and one.best.inversions]
    require(len({codes.data_ptr() for codes in kept}) == len(kept), "Two steps' best share their memory: clone the codes.")


def equal_seed_gives_equal_bits(subject: Subject) -> None:
    """And equal losses on the way."""
    again = driven(subject.start())
    require(equal(again.result, subject.finished.result), "Two runs of one seed differ: draw all noise from the request's seed.")
    losses = [[one.losses for one in steps] for steps in (again.steps, subject.finished.steps)]
    require(losses[0] == losses[1], "Two runs of one seed differ in their losses.")


def a_run_may_change_threads_at_every_step(subject: Subject) -> None:
    """The page may resume a run on another thread, and grad mode belongs to a thread."""
    run, results, faults = subject.start(), list[Result](), list[BaseException]()

    def step() -> None:
        try:
            next(run)
        except StopIteration as stop:
            results.append(stop.value)
        except Exception as error:  # noqa: BLE001  a thread's fault must be told by the one that waits for it
            faults.append(error)

    while not results:
        thread = threading.Thread(target=step)
        thread.start()
        thread.join(_PATIENCE)
        require(not thread.is_alive(), f"A step takes more than {_PATIENCE} s.")
        require(not faults, f"On another thread it fails: {faults[0] if faults else ''}. Enter torch contexts within a step.")
    require(
        equal(results[0], subject.finished.result), "With a thread for each step the result differs: enter torch contexts within a step."
    )


def a_run_works_where_gradients_are_off(subject: Subject) -> None:
    """Whoever calls may have turned them off."""
    with torch.no_grad():
        again = driven(subject.start())
    require(
        equal(again.result, subject.finished.result), "Under torch.no_grad() the result differs: enter torch.enable_grad() within a step."
    )


def closing_after_one_step_leaves_all_as_found(subject: Subject) -> None:
    """Closing is how a run is cancelled."""
    before = subject.weights()
    for enabled in (True, False):
        with torch.set_grad_enabled(enabled):
            run = subject.start()
            next(run)
            require(torch.is_grad_enabled() == enabled, "After a step grad mode is not what it was: leave torch contexts before the yield.")
            run.close()
            require(torch.is_grad_enabled() == enabled, "After close() grad mode is not what it was.")
    require(before.items() <= subject.weights().items(), "A run that was closed changed the generator, which is shared and only read.")


def a_full_run_touches_neither_generator_nor_global_randomness_and_prints_nothing(subject: Subject) -> None:
    """Others use both at the same time."""
    weights, torch_state, numpy_state = subject.weights(), torch.get_rng_state(), np.random.get_state(legacy=False)["state"]
    said = io.StringIO()
    with contextlib.redirect_stdout(said), contextlib.redirect_stderr(said):
        driven(subject.start())
    require(weights.items() <= subject.weights().items(), "A run changed the generator, which is shared and only read.")
    require(torch.equal(torch.get_rng_state(), torch_state), "A run draws from torch's global random numbers: use the request's seed.")
    now = np.random.get_state(legacy=False)["state"]
    require((now["key"] == numpy_state["key"]).all(), "A run draws from NumPy's global random numbers: use the request's seed.")
    require(not said.getvalue(), f"A run prints: {said.getvalue()[:80]!r}. Yield Progress instead.")


def calling_an_engine_runs_it_to_the_end(subject: Subject) -> None:
    """`engine(request, steps=2)` is the same."""
    called = subject.kind(subject.generator)(subject.request(), **quick(subject.kind.knob_set))
    require(equal(called, finish(subject.start())), "Calling the engine gives another result than its run.")


RUNS = tuple(
    map(
        Check,
        (
            it_runs_to_its_end,
            steps_rise_and_end_at_the_total,
            progress_is_finite_and_previews_bring_what_stop_keeps,
            each_best_owns_its_tensors,
            equal_seed_gives_equal_bits,
            a_run_may_change_threads_at_every_step,
            a_run_works_where_gradients_are_off,
            closing_after_one_step_leaves_all_as_found,
            a_full_run_touches_neither_generator_nor_global_randomness_and_prints_nothing,
            calling_an_engine_runs_it_to_the_end,
        ),
    )
)
