"""The figures of learnt changes as tables."""

from typing import Any

from benchmarks.grid import figure, grid, where

TITLES = {
    "delta": "learnt, of one other face",
    "delta_mean": "learnt, mean of training",
    "plain": "plain difference",
    "mean": "mean difference",
    "direction": "direction",
    "quadratic": "quadratic path",
}


def rendered(results: dict[str, Any]) -> str:
    """The results as Markdown."""
    people = results["identities"]
    opening = (
        f"**Changes of {sum(people.values())} identities** ({people['train']} to train, {people['validate']} to validate, "
        f"{people['test']} to test; {results['dims']} numbers a change; {where(results['machine'])})"
    )
    parts = [opening, _sequences(results), _errors(results["codes"], False), _errors(results["pictures"], True)]
    return "\n\n".join([*parts, _separation(results), _extrapolation(results["extrapolation"]), _sweep(results["sweep"])])


def _sequences(results: dict[str, Any]) -> str:
    head = ["factor", "made by", "frames kept", "dropped", "order: mean, least (before)", "share reached", "drift", "identity: mean, most"]
    head += ["arc over chord"]
    rows = []
    for name, row in results["sequences"].items():
        dropped = ", ".join(f"{count} {reason}" for reason, count in row["dropped"].items() if count) or "none"
        before = row["spearman_before_checks"]
        order = f"{row['spearman']['mean']:.3f}, {row['spearman']['least']:.3f} ({before['mean']:.3f}, {before['least']:.3f})"
        identity = f"{row['identity']['mean']:.2f}, {row['identity']['most']:.2f}"
        share = f"{row['kept']} of {row['frames']}"
        measured = [figure(row["reached"]), figure(row["drift"]), identity, _ranged(row["curvature"])]
        rows.append([name, row["kind"], share, dropped, order, *measured])
    words = (
        "Order is the rank correlation of what was measured with what was wanted, and the same before frames were dropped. Share reached "
        "is the slope of the one on the other. Drift is the mean change of attributes that should stay, in deviations of the bank."
    )
    return f"## Sequences\n\n{words}\n\n{grid(head, rows)}"


def _errors(found: dict[str, Any], pictures: bool) -> str:
    rows = []
    for name, row in found.items():
        cells = [_ranged(row["methods"][key]["error"] if pictures else row["methods"][key]) for key in TITLES]
        kept = [f"{row['methods'][key]['identity']:.2f}" for key in ("delta", row["winner"])] if pictures else []
        rows.append([name, *cells, TITLES[row["winner"]], *kept])
    head = ["factor", *TITLES.values(), "winner", *(["identity distance, learnt", "of the winner"] if pictures else [])]
    title = "Measured in pictures" if pictures else "Measured in codes"
    words = (
        "Mean error of the measured factor after a transfer from the neutral frame, over its mean change."
        if pictures
        else "Error of all transfers between identities of the test, over the size of the changes: 1 is as good as changing nothing."
    )
    return f"## {title}\n\n{words}\n\n{grid(head, rows)}"


def _ranged(row: dict[str, float]) -> str:
    return f"{row['mean']:.2f} ({row['low']:.2f} to {row['high']:.2f})"


def _separation(results: dict[str, Any]) -> str:
    head = ["changes", "classifier of the factor", "order of steps"]
    names = {"delta": "learnt", "plain": "plain differences"}
    rows = [[names[name], f"{row['accuracy']:.1%}", figure(row["spearman_mean"])] for name, row in results["separation"].items()]
    return f"## What a change tells\n\nLinear, fitted on training identities, measured on those of the test.\n\n{grid(head, rows)}"


def _extrapolation(found: dict[str, Any]) -> str:
    strengths = [key for key in next(iter(found.values())) if key != "there_and_back"]
    head = ["factor", *(f"strength {key}: learnt, plain" for key in strengths), "there and back"]
    rows = []
    for name, row in found.items():
        cells = [f"{row[key]['delta']:.2f}, {row[key]['plain']:.2f}" if key in row else "-" for key in strengths]
        rows.append([name, *cells, figure(row["there_and_back"])])
    words = "The change from the neutral frame to the sixth at other strengths, against the frames that these stand for."
    return f"## Other strengths\n\n{words}\n\n{grid(head, rows)}"


def _sweep(rows: list[dict[str, Any]]) -> str:
    head = ["numbers a change", "networks", "seconds", "validation error", "test error"]
    lines = [[row["dims"], row["networks"], f"{row['seconds']:.0f}", figure(row["validate"]), figure(row["test"])] for row in rows]
    return f"## Dimension\n\nMean over factors of the errors of codes.\n\n{grid(head, lines)}"
