"""The table of a class on one studio, beside what the page did before runs had a line of their own."""

from typing import Any

from benchmarks.grid import grid, where
from benchmarks.load_summary import DRAG, PREVIEW, strangers

_BEFORE = {
    PREVIEW: "133 answered, 1 024 refused (83 %), 83 failed; p50 4.4 s, p95 8.8 s, most 10.8 s of those answered",
    "run": "p50 50 s, most 59 s",
    "photo": "43 refused; p50 3.2 s, most 12.5 s",
    "rss": "1.86 to 3.26 GB, +48 %",
    "disk": "+202 MB, none of it deleted within the hour",
}
"""Tree of 2026-11-28, 30 visitors, 300 s, two cores, e4e."""
_KINDS = {
    PREVIEW: "preview after a slider was let go",
    DRAG: "preview while it moves",
    "photo": "photo to aligned face",
    "claim": "a run's place taken",
    "run": "the run itself",
    "shelf": "put on the shelf",
    "opening": "what the page's opening starts",
    "tab opened": "opening a tab",
    "card": "a card's slider",
    "explorer": "a point of the map",
    "follow-up": "what follows by itself: full picture, meters",
}


def rendered(results: dict[str, Any]) -> str:
    """The results as Markdown: of a class, and of one with a greedy visitor."""
    parts = [_class(results["class"])] if "class" in results else []
    return "\n\n".join(parts + ([_greedy(results["greedy"])] if "greedy" in results else []))


def _class(results: dict[str, Any]) -> str:
    asked, events, before = results["asked"], results["events"], _was(results)
    rows = [
        [_KINDS[kind], *_counts(events[kind]), _times(events[kind]["seconds"]), before.get(kind, "")] for kind in _KINDS if kind in events
    ]
    head = ["what a visitor asked for", "answered", "refused", "failed", "p50 / p95 / most, s", "before (2026-11-28)"]
    words = (
        f"**A class of {asked['visitors']}** ({asked['minutes']:g} minutes, {asked['method']}, the page's own event chains, "
        f"2 to 8 s between two acts, commit {results['commit'] or 'unknown'}; {where(results['machine'])})"
    )
    return "\n\n".join([words, grid(head, rows), grid(["the studio", "measured", "before"], _held(results, before))])


def _was(results: dict[str, Any]) -> dict[str, str]:
    """The former figures, where the same was asked for."""
    asked = results["asked"]
    return _BEFORE if (asked["visitors"], asked["minutes"], asked["method"]) == (30, 5, "e4e") else {}


def _counts(found: dict[str, Any]) -> list[str]:
    return [str(found["answered"]), str(found["refused"]), str(found["failed"] + found["dropped"] + found["unfinished"])]


def _times(found: dict[str, float] | None) -> str:
    return f"{found['median']:.2f} / {found['p95']:.2f} / {found['most']:.2f}" if found else "-"


def _held(results: dict[str, Any], before: dict[str, str]) -> list[list[str]]:
    runs, held, left, pictures = results["runs"], results["studio"], results["after_leaving"], results["pictures"]
    own = pictures["overlays"]["own"] + pictures["aligned"]["own"] + pictures["previews"]["own"]
    others = strangers(pictures)
    growth = held["rss_growth_after_minute_1"]
    return [
        ["click on Run to its end", f"{_times(runs['seconds'])} s", before.get("run", "")],
        [
            "runs that had to wait, told their place, within 2 s",
            f"{runs['waited']}, {runs['told_place']}, {runs['told_place_soon']}",
            "none told" if before else "",
        ],
        ["runs that neither ended nor told a place", str(runs["neither_ended_nor_told"]), ""],
        ["own pictures seen, another's", f"{own}, {others}", "none" if before else ""],
        [
            "memory after minute 1, most, at the end",
            f"{_megabytes(held['rss_mib']['by_minute'])}, {held['rss_mib']['most']:.0f}, {held['rss_mib']['last']:.0f} MiB"
            + ("" if growth is None else f" ({growth:+.0%})"),
            before.get("rss", ""),
        ],
        [
            "disk while they are there, after they left",
            f"{held['disk_growth_mb']:+.1f}, {left['disk_growth_mb']:+.1f} MB after {left['seconds']:.0f} s",
            before.get("disk", ""),
        ],
        ["processors used by the studio, by the visitors", f"{held['processor']:.2f}, {results['visitors_processor']:.2f}", ""],
        ["events answered a second", f"{results['events_a_second']:.1f}", "3.75" if before else ""],
    ]


def _megabytes(minutes: list[float | None]) -> str:
    return f"{minutes[1]:.0f}" if len(minutes) > 1 and minutes[1] is not None else "-"


def _greedy(results: dict[str, Any]) -> str:
    """What one visitor's many runs at once did to the others."""
    asked, found = results["asked"], results["greedy"]
    previews, runs, passed = found["previews"], found["runs_of_others"], found["calls_answered_during_a_run_of_another"]
    outcomes = ", ".join(f"{count} {outcome}" for outcome, count in found["outcomes"].items())
    ratio = "" if previews["ratio"] is None else f" (median {previews['ratio']:.2f} times that)"
    fair = (
        ""
        if passed is None
        else f" While a run of another waited or went, {passed['median']:g} calls were answered (most {passed['most']})."
    )
    return (
        f"**{asked['visitors']} visitors, and one who asks for {found['calls']} runs at once** by the API from several sessions "
        f"({asked['minutes']:g} minutes, commit {results['commit'] or 'unknown'}; {where(results['machine'])}): {outcomes}. "
        f"Others' previews meanwhile {_times(previews['meanwhile'])} s, in the same seconds of the same visit without those "
        f"runs {_times(previews['without'])} s{ratio}; "
        f"refused meanwhile: {found['previews_refused_meanwhile']}. Others' runs meanwhile {_times(runs['meanwhile'])} s, "
        f"without {_times(runs['without'])} s.{fair}"
    )
