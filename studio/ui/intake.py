"""What a browser or a program sends, checked before any component or handler sees it: one way in for every event and endpoint.

Gradio checks a path only where the value calls itself a file, and answers many values of a wrong kind with a bare "Error". Here a file
is one that this server's upload folder holds, whatever the value calls itself; a value of a wrong kind is refused in a sentence that
names its field; and an exception that nobody foresaw is logged and told as one.
"""

import inspect
import logging
import math
import os
import stat
from collections.abc import Iterator
from pathlib import Path
from types import NoneType
from typing import Any, cast, get_args, get_origin

import gradio as gr
from gradio.block_function import BlockFunction
from gradio.blocks import Block, convert_component_dict_to_list
from gradio.components.base import Component, _Keywords
from gradio.state_holder import SessionState

from engines.core.errors import StudioError
from studio.serving.cookie import asker_of, visitor_of
from studio.serving.disk import DISK_IS_FULL, disk, is_full
from studio.serving.lines import Lines
from studio.serving.tickets import Overtaken
from studio.ui.opening import hand_on_through_our_script
from studio.ui.run_events import refusal
from studio.ui.unframed import leave_out_frames
from studio.ui.updates import split

NO_SUCH_UPLOAD = "This file is not among the uploads of this page. Choose it again; a program sends it with handle_file(...)."
WENT_WRONG = "Something went wrong here, and the person who runs this page can read what in its log. What you made before is still there."
HALF_AN_EVENT = "What was chosen or dragged on the page did not arrive whole. Reload the page and do it again."
MOST_NESTED = 40
"""Levels of lists and dictionaries in a value."""
_SHOWN = 60
_LARGEST = 1e300  # beyond it, and at what is not a number, whole and floating numbers part

log = logging.getLogger(__name__)
leave_out_frames()
hand_on_through_our_script()


class Page(gr.Blocks):  # type: ignore[misc]
    """Gradio's page, with every value checked on its way in, every exception told in words, and events in lines that are fair.

    Attributes:
        lines: Where events wait for their turn; none before they are set.
    """

    lines: Lines | None = None

    def __exit__(self, *raised: Any) -> None:
        """Let no event that follows another be dropped, and no hidden progress be drawn.

        By default a browser leaves out an event whose last turn has not ended yet. And with every word about any event it draws the
        progress of all components again that an event has ever filled, though it is hidden: a page in use grew slower and stood still.
        """
        for event in self.fns.values():
            if event.trigger_after is not None and event.trigger_mode == "once":
                event.trigger_mode = "multiple"
            if event.show_progress == "hidden":
                event.show_progress_on = []
        super().__exit__(*raised)

    async def preprocess_data(
        self, block_fn: BlockFunction, inputs: list[Any], state: SessionState | None, explicit_call: bool = False
    ) -> list[Any]:
        """As Gradio's, after `checked`.

        Raises:
            gr.Error: A value is missing, of a wrong kind, or names a file that was not uploaded here.
        """
        names = field_names(block_fn)
        if len(inputs) != len(block_fn.inputs):
            raise refusal(f"{len(inputs)} values came; {len(block_fn.inputs)} are wanted: {', '.join(names)}.")
        blocks = [_present(block, state) for block in block_fn.inputs]
        inputs = [_checked(block_fn, *each) for each in zip(blocks, names, inputs, strict=True)]
        return await super().preprocess_data(block_fn, inputs, state, explicit_call)

    async def postprocess_data(
        self, block_fn: BlockFunction, predictions: list[Any] | dict[Any, Any], state: SessionState | None
    ) -> list[Any]:
        """As Gradio's, for the components alone that change."""
        if _is_over(predictions) and block_fn.api_visibility == "private":
            return [gr.skip() for _ in block_fn.outputs]  # Gradio would empty what a generator fills that ends without a word
        several = isinstance(predictions, list | tuple) and len(predictions) == len(block_fn.outputs) > 1
        if isinstance(predictions, dict) and predictions and all(isinstance(key, Block) for key in predictions):
            predictions, several = convert_component_dict_to_list(list(block_fn.outputs), predictions), len(block_fn.outputs) > 1
        if state is None or not several or _is_over(predictions):
            return await super().postprocess_data(block_fn, predictions, state)
        changing, values, places = split(block_fn, list(predictions), state)
        sent: list[Any] = [gr.skip() for _ in block_fn.outputs]
        if places:
            data = await super().postprocess_data(changing, values if len(values) > 1 else values[0], state)
            for place, value in zip(places, data, strict=True):
                sent[place] = value
        return sent

    def handle_streaming_diffs(self, block_fn: BlockFunction, data: list[Any], *args: Any, **kwargs: Any) -> list[Any]:
        """As Gradio's, but a generator of the page says its last words once: said again at its end, they could undo what came since."""
        sent = super().handle_streaming_diffs(block_fn, data, *args, **kwargs)
        if kwargs.get("final") and block_fn.api_visibility == "private":
            return [gr.skip() for _ in sent]
        return cast(list[Any], sent)

    async def process_api(self, block_fn: BlockFunction | int, inputs: list[Any], *args: Any, **kwargs: Any) -> dict[str, Any]:
        """As Gradio's, in the event's line and with every exception told in a sentence.

        States are read in there: an event that waits must not read what the one before it is still to write.

        Raises:
            gr.Error: With the sentence.
        """
        try:
            _check_event(self.fns[block_fn] if isinstance(block_fn, int) else block_fn, kwargs.get("event_data"))
            line, request = self._turn_of(block_fn, kwargs.get("iterator")), kwargs.get("request")
            visitor = visitor_of(getattr(request, "cookies", None) or {}, kwargs.get("session_hash"))
            if kwargs.get("iterator") is None:
                disk.adopt(visitor, (file.get("path") for file in files_of(inputs)))
            with disk.serving(visitor):
                if line is None:
                    return await super().process_api(block_fn, inputs, *args, **kwargs)
                async with line(asker_of(request), str(getattr(block_fn, "_id", block_fn)), kwargs.get("session_hash") or ""):
                    return await super().process_api(block_fn, inputs, *args, **kwargs)
        except Overtaken:
            return _unchanged(self.fns[block_fn] if isinstance(block_fn, int) else block_fn)
        except (gr.Error, StopAsyncIteration):
            raise
        except StudioError as error:
            raise refusal(str(error)) from error
        except OSError as error:
            log.exception("An event could not read or write")
            raise refusal(DISK_IS_FULL if is_full(error) else WENT_WRONG) from error
        except Exception as error:
            if isinstance(error.__cause__, StudioError):  # Gradio wraps what a component says of its value
                raise refusal(str(error.__cause__)) from error
            log.exception("An event went wrong")
            raise refusal(WENT_WRONG) from error

    def _turn_of(self, event: BlockFunction | int, iterator: Any) -> Any:
        """How an event waits in its line: a function until its end, a generator until its first step; nothing for its further steps."""
        event = self.fns[event] if isinstance(event, int) else event
        line = self.lines.of(event) if self.lines is not None and event.fn is not None and iterator is None else None
        if line is None:
            return None
        return line.lent if inspect.isasyncgenfunction(event.fn) else line.turn


def _unchanged(event: BlockFunction) -> dict[str, Any]:
    """The answer of an event that changes nothing, in the form of Gradio's `process_api`."""
    still = {"data": [gr.skip() for _ in event.outputs], "is_generating": False, "iterator": None, "duration": 0.0}
    return still | {"average_duration": None, "render_config": None, "changed_state_ids": [], "used_cache": None}


def _is_over(predictions: Any) -> bool:
    """Whether a generator has ended."""
    return isinstance(predictions, list | tuple) and any(value is _Keywords.FINISHED_ITERATING for value in predictions)


def checked_path(path: object) -> str:
    """The path of a file that the visitor being served uploaded or was shown, in one form.

    Raises:
        StudioError: It is anything but a regular file among those. The sentence is the same whether such a file exists or not.
    """
    try:
        if not isinstance(path, str):
            raise ValueError
        real = Path(path).resolve(strict=True)
        if not (disk.owns(disk.visitor, real) and stat.S_ISREG(os.lstat(real).st_mode)):
            raise ValueError
    except (OSError, ValueError, RuntimeError) as error:
        raise StudioError(NO_SUCH_UPLOAD) from error
    return str(real)


def files_of(value: object) -> Iterator[dict[str, Any]]:
    """Every dictionary in a value that names a file or an address, whatever else it says.

    Raises:
        StudioError: The value is nested too deeply.
    """
    waiting: list[tuple[object, int]] = [(value, 0)]
    while waiting:
        part, depth = waiting.pop()
        if depth > MOST_NESTED:
            raise StudioError(f"it is nested more than {MOST_NESTED} levels deep. Send a flatter value.")
        if isinstance(part, dict):
            if "path" in part or "url" in part:
                yield part
            waiting += [(inner, depth + 1) for inner in part.values()]
        elif isinstance(part, list):
            waiting += [(inner, depth + 1) for inner in part]


def field_names(block_fn: BlockFunction) -> list[str]:
    """What each input is called: the parameter for a program, the label for a person, or its place."""
    parameters = [parameter.name for parameter in _parameters(block_fn)]
    public = block_fn.api_visibility == "public"
    names = []
    for place, block in enumerate(block_fn.inputs):
        parameter = parameters[place] if place < len(parameters) else ""
        label = str(getattr(block, "label", None) or "")
        names.append((parameter if public else label or parameter) or f"value {place + 1}")
    return names


def _parameters(block_fn: BlockFunction) -> list[inspect.Parameter]:
    """Parameters of the handler that inputs fill in their order."""
    if block_fn.fn is None:
        return []
    given = inspect.signature(block_fn.fn).parameters.values()
    return [each for each in given if not _is_gradios(each.annotation) and each.kind is not inspect.Parameter.VAR_POSITIONAL]


def _is_gradios(annotation: object) -> bool:
    """Whether Gradio fills in such a parameter itself."""
    return isinstance(annotation, type) and issubclass(annotation, gr.Request | gr.EventData)


def _present(block: Any, state: SessionState | None) -> Any:
    """The component as this visitor has it now: its choices and bounds may have changed since the page was built."""
    return state[block._id] if state is not None and not block.stateful and block._id in state else block


def _checked(block_fn: BlockFunction, block: Any, name: str, value: Any) -> Any:
    """One value, or a refusal that names its field."""
    if block.stateful:
        return None  # Gradio takes a state from its own memory, never from the request
    try:
        for file in files_of(value):
            _check_file(file)
        _check_kind(block, value)
        if block_fn.api_visibility == "public":
            _check_annotation(block_fn, name, value)
    except StudioError as error:
        raise refusal(f"{name}: {error}") from error
    return value


def _check_file(file: dict[str, Any]) -> None:
    """Let a file be one of the upload folder, or a picture that the value itself carries; addresses are dropped unread."""
    url = file.get("url")
    if isinstance(url, str) and url.startswith("data:image/") and file.get("path") is None:
        return
    file["path"] = checked_path(file.get("path"))
    file.pop("url", None)
    file["meta"] = {"_type": "gradio.FileData"}


def _check_event(event: BlockFunction, happened: gr.EventData | None) -> None:
    """Hold what an event says of itself, such as which picture was chosen, against what its handler reads."""
    kinds = {each.annotation for each in inspect.signature(event.fn).parameters.values()} if event.fn else set()
    if not kinds & {gr.EventData, gr.SelectData}:
        return
    data = getattr(happened, "_data", None)
    if not isinstance(data, dict) or (gr.SelectData in kinds and not ("value" in data and _is_place(data.get("index")))):
        raise StudioError(HALF_AN_EVENT)


def _is_place(index: object) -> bool:
    """Whether it is a number of something in a row, or in rows and columns."""
    numbers = index if isinstance(index, list) else [index]
    return all(isinstance(number, int) and not isinstance(number, bool) and number >= 0 for number in numbers)


def _check_kind(block: Component, value: Any) -> None:
    """What Gradio would answer with a bare error, or take for something else."""
    if isinstance(block, gr.Slider):
        _check_number(value, *((block.minimum, block.maximum) if _is_gradios_own(block) else (None, None)))
    elif isinstance(block, gr.Number):
        if value is not None:
            _check_number(value, block.minimum, block.maximum, whole=block.precision == 0)
    elif isinstance(block, gr.Checkbox):
        _expect(isinstance(value, bool), value, "true or false")
    elif isinstance(block, gr.CheckboxGroup) or (isinstance(block, gr.Dropdown) and block.multiselect):
        _expect(isinstance(value, list), value, "a list of choices")
        for each in value:
            _check_choice(block, each)
    elif isinstance(block, gr.Radio | gr.Dropdown):
        if value is not None:
            _check_choice(block, value)
    elif isinstance(block, gr.Textbox | gr.Markdown | gr.Code):
        _expect(value is None or isinstance(value, str), value, "text")
    elif isinstance(block, gr.HTML):
        _expect(value is None or isinstance(value, str | dict), value, "what the page sends by itself")
    elif isinstance(block, gr.Image):
        named = isinstance(value, dict) and ("path" in value or "url" in value)
        _expect(value is None or named, value, "an uploaded file")
    elif isinstance(block, gr.File | gr.UploadButton):
        _check_files(block, value)
    elif isinstance(block, gr.Dataset):
        _check_number(value, 0, len(block.samples or ()) - 1, whole=True)


def _check_files(block: Any, value: Any) -> None:
    if block.file_count == "single":
        _expect(value is None or (isinstance(value, dict) and "path" in value), value, "an uploaded file")
    else:
        whole = isinstance(value, list) and all(isinstance(each, dict) and "path" in each for each in value)
        _expect(value is None or whole, value, "a list of uploaded files")


def _check_number(value: Any, lowest: float | None, highest: float | None, whole: bool = False) -> None:
    low, high = -math.inf if lowest is None else lowest, math.inf if highest is None else highest
    kind = "a whole number" if whole else "a number"
    bounds = f" from {low:g} to {high:g}" if math.isfinite(low) and math.isfinite(high) else ""
    number = isinstance(value, int | float) and not isinstance(value, bool) and abs(value) < _LARGEST
    slack = 1e-6 * max(abs(low), abs(high), 1.0) if math.isfinite(low + high) else 0.0  # a browser's steps end a little beyond a bound
    _expect(number and low - slack <= value <= high + slack and (not whole or value == int(value)), value, kind + bounds)


def _check_choice(block: Any, value: Any) -> None:
    choices = [choice for _, choice in block.choices]
    _expect(isinstance(value, str | int | float), value, "one of the choices")
    if _is_gradios_own(block) and not getattr(block, "allow_custom_value", False):
        _expect(value in choices, value, f"one of {_short(', '.join(map(str, choices)), 3 * _SHOWN)}" if choices else "nothing yet")


def _is_gradios_own(block: Any) -> bool:
    """Whether Gradio reads the component: those of `studio.ui.menus` change while the page is open, and whoever reads them checks them."""
    return type(block) in (gr.Slider, gr.Radio, gr.Dropdown, gr.CheckboxGroup)


def _check_annotation(block_fn: BlockFunction, name: str, value: Any) -> None:
    """Hold a program's value against what the endpoint's function says that it takes."""
    wanted = next((each.annotation for each in _parameters(block_fn) if each.name == name), Any)
    kinds = get_args(wanted) if get_origin(wanted) not in (dict, list, None) else (wanted,)
    plain = tuple(get_origin(kind) or kind for kind in kinds)
    if Any in plain or inspect.Parameter.empty in plain:
        return
    if value is None:
        _expect(NoneType in plain, value, _kinds(plain))
    elif not (isinstance(value, dict) and ("path" in value or "url" in value)):
        number = isinstance(value, int | float) and not isinstance(value, bool) and float in plain
        _expect(number or isinstance(value, tuple(kind for kind in plain if kind is not float)), value, _kinds(plain))


def _kinds(plain: tuple[Any, ...]) -> str:
    words = {str: "text", float: "a number", int: "a whole number", bool: "true or false", dict: "a JSON object", list: "a list"}
    return " or ".join(words.get(kind, kind.__name__) for kind in plain if kind is not NoneType)


def _expect(fine: bool, value: Any, wanted: str) -> None:
    if not fine:
        raise StudioError(f"{_short(repr(value))} came, and {wanted} is wanted.")


def _short(text: str, most: int = _SHOWN) -> str:
    """Text of a stranger, short enough for a sentence; a refusal must not read a path back."""
    return text if len(text) <= most else f"{text[:most]} …"
