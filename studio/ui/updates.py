"""What an event changes on the page, and no more.

For every update Gradio makes the component anew and describes it twice, on the event loop that all visitors share: 3 to 20 ms each, also
where nothing changes and where the event skips it. Here an update without change costs nothing, and one of a value alone is sent as that.
"""

import copy
import functools
import inspect
from collections.abc import Sequence
from typing import Any

import gradio as gr
from gradio.block_function import BlockFunction
from gradio.blocks import Block
from gradio.components.base import Component
from gradio.state_holder import SessionState
from gradio.utils import is_prop_update

_NOTHING: Any = object()
_MOVED_BY_HAND = {"selected_index", "slider_position", "playback_position"}
"""Properties that the browser changes without telling: whatever is sent counts as a change."""

_schemas: dict[type, dict[str, Any]] = {}
_api_info = Component.api_info


def lean(block: Block, prediction: Any, state: SessionState) -> Any:
    """What is left of a handler's answer for one component, where its properties are those that the visitor's page has already.

    Returns:
        The answer as it is, where a property changes; its value alone, where only that is given; the result of `gr.skip`, where nothing is.
    """
    update = _update(prediction)
    if update is None or block.stateful or not isinstance(block, Component) or isinstance(block, gr.HTML):
        return prediction  # scripts of the page change an HTML's own properties
    present = state[block._id].constructor_args if block._id in state else block.constructor_args
    present = _defaults(type(block)) | present
    others = {name: value for name, value in update.items() if name != "value"}
    if update.get("visible") is True and not block.constructor_args.get("visible", True):
        return prediction  # the browser builds it only now, and may have missed that it is to be seen
    if others.keys() & _MOVED_BY_HAND or not all(_same(present.get(name, _NOTHING), value) for name, value in others.items()):
        return prediction
    return update["value"] if "value" in update else gr.skip()


def split(block_fn: BlockFunction, predictions: Sequence[Any], state: SessionState) -> tuple[BlockFunction, list[Any], list[int]]:
    """A handler's answers without those that leave their component as it is.

    Returns:
        The event with the other components as its outputs, their answers, and their places among all.
    """
    leaned = [lean(block, value, state) for block, value in zip(block_fn.outputs, predictions, strict=True)]
    places = [place for place, value in enumerate(leaned) if block_fn.outputs[place].stateful or not _is_skip(value)]
    changing = copy.copy(block_fn)
    changing.outputs = [block_fn.outputs[place] for place in places]
    return changing, [leaned[place] for place in places], places


def _update(prediction: Any) -> dict[str, Any] | None:
    """The properties that an answer names, if it is an update rather than a value."""
    if isinstance(prediction, Block):
        return dict(prediction.constructor_args)
    if is_prop_update(prediction):
        return {name: value for name, value in prediction.items() if name != "__type__"}
    return None


def _is_skip(prediction: Any) -> bool:
    return is_prop_update(prediction) and len(prediction) == 1


def _same(present: Any, value: Any) -> bool:
    return present is value or (
        type(present) is type(value) and isinstance(value, bool | int | float | str | list | tuple) and present == value
    )


@functools.cache
def _defaults(kind: type[Block]) -> dict[str, Any]:
    """What a component of a kind has where its maker said nothing."""
    parameters = inspect.signature(kind.__init__).parameters
    return {name: each.default for name, each in parameters.items() if each.default is not each.empty}


def _schema(component: Component) -> dict[str, Any]:
    """The JSON schema of a component's value, worked out once for all of its kind."""
    model = component.data_model
    if model is None:
        return _api_info(component)
    if model not in _schemas:
        _schemas[model] = _api_info(component)
    return _schemas[model]


Component.api_info = _schema  # type: ignore[method-assign,assignment]
