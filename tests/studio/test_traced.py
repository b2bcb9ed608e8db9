"""One click on Run, traced: how many files of the studio it leads through, and how often it changes from one to another."""

import sys
from itertools import pairwise
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import gradio as gr
import pytest

import studio
from studio.services.photo_pipeline import place
from studio.state import moments
from studio.state.session import Session
from tests.studio.conftest import ASTRONAUT

ROOT = str(Path(studio.__file__).parent.parent)
MOST_FILES, MOST_CHANGES = 21, 145
FILES_UNTIL_THE_FIRST_STEP = 14


class Asking:
    session_hash, cookies = "traced", dict[str, str]()


def run_of(page: gr.Blocks) -> tuple[Any, gr.Markdown]:
    """The generator behind the tab's Run, without its place in a line, and its status."""
    for event in page.fns.values():
        ids = {str(getattr(output, "elem_id", "")): output for output in event.outputs}
        if getattr(event.fn, "__name__", "") == "run_method" and "invert-slider" in ids:
            return event.fn.__wrapped__, ids["invert-status"]
    raise AssertionError


def traced(run: Any, status: gr.Markdown) -> tuple[list[str], int]:
    """The file of each call and return in the studio, in their order, and how many came before the first step was shown."""
    passed: list[str] = []

    def note(frame: Any, event: str, _: Any) -> None:
        if event in ("call", "return") and frame.f_code.co_filename.startswith(f"{ROOT}/studio/"):
            passed.append(frame.f_code.co_filename.removeprefix(f"{ROOT}/"))

    going, before = run(Asking(), "e4e", False, {}), 0
    while True:
        sys.setprofile(note)
        try:
            updates = next(going)
        except StopIteration:
            return passed, before
        finally:
            sys.setprofile(None)
        if not before and str(updates.get(status, "")).startswith("Step"):
            before = len(passed)


def test_a_run_leads_through_few_files(session: Session, page: gr.Blocks, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(moments, "time", SimpleNamespace(perf_counter=lambda: 1.0))  # one step is shown, however slow the machine
    monkeypatch.setattr(session.visitors, "_sweep_now_and_then", lambda *_: None)  # other visitors' things are not this run's
    place(session, session.visitors.visitor(Asking()), str(ASTRONAUT))
    run, status = run_of(page)
    traced(run, status)  # the method is loaded
    passed, before = traced(run, status)
    assert before and len(set(passed[:before])) <= FILES_UNTIL_THE_FIRST_STEP
    assert len(set(passed)) <= MOST_FILES
    assert sum(one != other for one, other in pairwise(passed)) <= MOST_CHANGES
