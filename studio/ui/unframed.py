"""Inputs stand for themselves: Gradio puts those beside each other into one more frame, of which this page would have a hundred.

A browser builds a page in a time that grows with its components times its events, so what shows nothing is left out.
"""

from gradio.components.base import FormComponent


def leave_out_frames() -> None:
    """From now on, whatever block an input is built in is its parent."""
    FormComponent.get_expected_parent = lambda _: None  # type: ignore[method-assign,assignment]
