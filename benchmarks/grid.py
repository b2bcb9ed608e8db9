"""Tables in Markdown, and the line that says where they were measured."""

from collections.abc import Iterable
from typing import Any


def grid(head: Iterable[str], rows: Iterable[Iterable[object]]) -> str:
    """Rows of cells under their heads."""
    head = list(head)
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join(f"| {' | '.join(str(cell) for cell in line)} |" for line in lines)


def where(machine: dict[str, Any]) -> str:
    """The machine and the day of a measurement."""
    return (
        f"{machine['cpu']}, {machine['cores']} cores, {machine['ram_gib']:g} GiB, torch {machine['torch']} "
        f"on {machine['threads']} threads, {machine['date']}"
    )


def figure(value: float | None) -> str:
    """A figure with three places; a dash where there is none."""
    return "-" if value is None or value != value else f"{value:.3f}"
