"""What the visitors of the load benchmark met, in figures: answers and refusals by kind, waiting, fairness."""

import re
import statistics
from collections import Counter
from collections.abc import Iterable
from typing import Any

PREVIEW, DRAG, RUN, CLAIM = "preview, slider let go", "preview, while it moves", "run", "claim"
_FIRST = {
    "photo.change": "photo",
    "invert-keep.click": "shelf",
    "load": "opening",
    "edit-cards.select": "card",
    "explore-list.input": "explorer",
}
_PLACE = re.compile(r"\bplace\b|\bin line\b|\bahead\b|\bbefore you\b|\b\d+(st|nd|rd|th)\b|\bnext\b", re.IGNORECASE)
_GOING = re.compile(r"^(Step|Starting|Done|Stopped|Ended|Frame|Photo)\b")
_SOON, _NEVER = 2.0, 1e9
MOST_GROWTH, MOST_SLOWER = 0.1, 1.25
"""Of memory; and of a preview's median beside many runs of one visitor: two visits of one class differ by about that much anyway."""


def kind(record: dict[str, Any]) -> str:
    """What an event is for the visitor."""
    trigger, depth = record["trigger"], record["depth"]
    if trigger.startswith("api."):
        return trigger
    if trigger == "load":
        return "opening"
    if trigger == "invert-run.click" and depth < 2:
        return RUN if record["runs"] else CLAIM if depth == 0 else "follow-up"
    if depth:
        return "follow-up"
    if trigger.startswith("edit-slider-"):
        return PREVIEW if trigger.endswith(".release") else DRAG
    return "tab opened" if trigger.startswith("tab-") else _FIRST.get(trigger, "other")


def figures(times: Iterable[float]) -> dict[str, float] | None:
    """Median, 95th percentile and largest of times, in seconds; none of none."""
    known = sorted(times)
    if not known:
        return None
    last = known[min(len(known) - 1, int(0.95 * len(known)))]
    return {"count": len(known), "median": round(statistics.median(known), 3), "p95": round(last, 3), "most": round(known[-1], 3)}


def events(records: list[dict[str, Any]]) -> dict[str, Any]:
    """By kind: how many were answered, refused, failed or left, and how long answers took."""
    kinds: dict[str, Any] = {}
    for name in sorted({kind(record) for record in records}):
        those = [record for record in records if kind(record) == name]
        outcomes = Counter(record["outcome"] for record in those)
        answered = [record for record in those if record["outcome"] == "answered"]
        kinds[name] = {"asked": len(those)} | {
            outcome: outcomes[outcome] for outcome in ("answered", "refused", "failed", "dropped", "unfinished")
        }
        kinds[name]["seconds"] = figures((record["shown"] or record["ended"]) - record["asked"] for record in answered)
        kinds[name]["queued"] = figures(record["started"] - record["asked"] for record in answered if record["started"])
    return kinds


def sentences(records: list[dict[str, Any]]) -> dict[str, int]:
    """What refusals and failures said, with their numbers left out, most often first."""
    said = Counter(f"{kind(record)}: {_plain(record['words'])}" for record in records if record["words"])
    return dict(said.most_common(20))


def toasts(visitors: list[dict[str, Any]]) -> dict[str, int]:
    """What the page said in a corner, errors and warnings, most often first."""
    said = Counter(
        f"{level}: {_plain(text)}" for visitor in visitors for level, text in visitor["toasts"] if level not in ("success", "info")
    )
    return dict(said.most_common(10))


def errors(log: str) -> dict[str, int]:
    """The last lines of the tracebacks that a studio wrote, most often first."""
    last = re.findall(r"^(?!Traceback|The above|During)[A-Za-z][\w.]*(?:Error|Exception|Warning|Interrupt)\b.*$", log, re.MULTILINE)
    return dict(Counter(_plain(line) for line in last).most_common(10))


def runs(visitors: list[dict[str, Any]]) -> dict[str, Any]:
    """How runs ended, what whoever waited was told, and when."""
    every = [run for visitor in visitors for run in visitor["runs"]]
    waited = [run for run in every if _waited(run)]
    told = [run for run in waited if _told(run)]
    estimates = [error for run in told for error in _estimates(run)]
    return {
        "clicked": len(every),
        "outcomes": dict(Counter(run["outcome"] for run in every)),
        "visitors": len(visitors),
        "visitors_with_a_run": sum(any(run["outcome"] == "answered" for run in visitor["runs"]) for visitor in visitors),
        "neither_ended_nor_told": sum(run["outcome"] != "answered" and not _told(run) for run in every),
        "seconds": figures(run["ended"] - run["clicked"] for run in every if run["outcome"] == "answered"),
        "waited": len(waited),
        "told_place": len(told),
        "told_place_soon": sum(_told(run) - run["clicked"] <= _SOON for run in told),
        "estimate_over_real": figures(estimates),
        "words": dict(Counter(_plain(text) for run in waited for _, text in run["said"] if not _GOING.match(text)).most_common(8)),
    }


def _waited(run: dict[str, Any]) -> bool:
    """Whether it was taken, and nothing went yet soon after the click."""
    if run["outcome"] in ("refused", "failed", "dropped"):
        return False
    going = min((at for at, text in run["said"] if _GOING.match(text)), default=_NEVER)
    return min(going, run["ended"] or _NEVER) - run["clicked"] > _SOON


def _told(run: dict[str, Any]) -> float:
    """When it was first told its place; 0 for never."""
    return min((at for at, text in run["said"] if _PLACE.search(text) and not _GOING.match(text)), default=0.0)


def _estimates(run: dict[str, Any]) -> list[float]:
    """The first time that was told, over the time that it took; nothing where none was told or the run did not end."""
    for at, text in run["said"]:
        found = re.search(r"(\d+(?:\.\d+)?)\s*(min|s\b|seconds?)", text)
        if found and _PLACE.search(text) and run["outcome"] == "answered":
            told = float(found[1]) * (60 if found[2] == "min" else 1)
            return [told / max(run["ended"] - at, 0.1)]
    return []


def _plain(text: str) -> str:
    return re.sub(r"\d+(\.\d+)?", "N", text)[:160]


def greedy(seen: dict[str, Any], alone: dict[str, Any] | None) -> dict[str, Any] | None:
    """What many calls at once did to others: their previews and runs while such calls were open.

    A visit is busier towards its end, whoever is greedy. So the same seconds of the same visit without the calls stand beside it.

    Args:
        seen: In the visit with the calls.
        alone: In the one without them.
    """
    calls, begun = seen["greedy"], seen["begun"]
    if not calls or alone is None:
        return None
    first, last = min(call["asked"] for call in calls), max(call["ended"] or _NEVER for call in calls)
    span = first - begun, last - begun
    beside, without = (
        [record for record in _previews(visit) if span[0] <= record["asked"] - visit["begun"] <= span[1]] for visit in (seen, alone)
    )
    every = {name: _answered_runs(visit, span) for name, visit in (("meanwhile", seen), ("without", alone))}
    ends = [call["ended"] for call in calls if call["outcome"] == "answered"]
    passed = [sum(run["clicked"] < end < run["ended"] for end in ends) for run in every["meanwhile"]]
    previews = {"meanwhile": _taken(beside), "without": _taken(without)}
    return {
        "calls": len(calls),
        "outcomes": dict(Counter(call["outcome"] for call in calls)),
        "words": dict(Counter(_plain(call["words"]) for call in calls if call["words"]).most_common(5)),
        "seconds": figures(call["ended"] - call["asked"] for call in calls if call["outcome"] == "answered"),
        "open_seconds": None if last == _NEVER else round(last - first, 1),
        "previews": previews | {"ratio": _ratio(previews["meanwhile"], previews["without"])},
        "previews_refused_meanwhile": sum(record["outcome"] in ("refused", "failed") for record in beside),
        "runs_of_others": {name: figures(run["ended"] - run["clicked"] for run in runs) for name, runs in every.items()},
        "calls_answered_during_a_run_of_another": {"median": statistics.median(passed), "most": max(passed)} if passed else None,
    }


def _previews(seen: dict[str, Any]) -> list[dict[str, Any]]:
    return [record for visitor in seen["visitors"] for record in visitor["records"] if kind(record) == PREVIEW]


def _answered_runs(seen: dict[str, Any], span: tuple[float, float]) -> list[dict[str, Any]]:
    """Runs that were answered, of those that were asked for within seconds of a visit."""
    every = [run for visitor in seen["visitors"] for run in visitor["runs"] if run["ended"] and run["outcome"] == "answered"]
    return [run for run in every if span[0] <= run["clicked"] - seen["begun"] <= span[1]]


def _taken(previews: list[dict[str, Any]]) -> dict[str, float] | None:
    return figures((record["shown"] or record["ended"]) - record["asked"] for record in previews if record["outcome"] == "answered")


def _ratio(one: dict[str, float] | None, other: dict[str, float] | None) -> float | None:
    return round(one["median"] / other["median"], 2) if one and other else None


def kept(results: dict[str, Any]) -> dict[str, bool]:
    """Which promises of a shared page the figures keep."""
    events, pictures, growth = results["events"], results["pictures"], results["studio"].get("rss_growth_after_minute_1")
    asked = [events[name] for name in (PREVIEW, DRAG, CLAIM, "shelf") if name in events]
    promises = {
        "no preview, claim or shelf event refused or failed": not any(
            found["refused"] + found["failed"] + found["dropped"] for found in asked
        ),
        "every run ends or says its place": not results["runs"]["neither_ended_nor_told"],
        "nobody sees another's picture": not strangers(pictures),
        "memory grows by at most a tenth after minute 1": growth is not None and growth <= MOST_GROWTH,
        "nothing is left on disk": results["after_leaving"]["disk_growth_mb"] <= 0,
    }
    found = results["greedy"]
    if found:
        ratio = found["previews"]["ratio"]
        promises["previews as quick beside many runs of one"] = (
            ratio is not None and ratio <= MOST_SLOWER and not found["previews_refused_meanwhile"]
        )
    return promises


def strangers(pictures: dict[str, Any]) -> int:
    """Pictures that were another visitor's, or that two visitors were shown."""
    return sum(pictures[what]["another's"] for what in ("overlays", "aligned", "previews")) + pictures["same_to_two_visitors"]
