"""The table of inversion methods, from benchmarks/results/methods.json."""

from typing import Any

from benchmarks.grid import grid, where

_FORMS = {"lpips": "{:.3f}", "mse": "{:.4f}", "psnr": "{:.1f}", "ms_ssim": "{:.3f}", "identity_distance": "{:.2f}"}
_EDITED = {"change": "{:+.2f}", "identity_after": "{:.2f}", "consistency": "{:.1f}", "own_consistency": "{:.1f}"}
_KINDS = {"generated": "Held-out generated faces", "real": "Real portraits"}


def rendered(results: dict[str, Any]) -> str:
    """Generated faces and real portraits apart, then how both compare with the papers."""
    methods, edits = results["methods"], ", ".join(results["edits"])
    reads = f"{results['reader']} re-encodes the pictures" if results["reader"] else "no encoder was there to re-encode the pictures"
    head = (
        f"**Inversion methods side by side** (each at its defaults; means with standard errors; seconds are medians; "
        f"portraits: {', '.join(results['portraits'])}; edits: {edits} at {results['strength']:+g} sigma, and {reads}; "
        f"{_machines(methods)})"
    )
    parts = [head]
    for kind, title in _KINDS.items():
        parts += [f"{title}:", _likeness(methods, kind), f"{title}, the same edits of each:", _editing(results, kind)]
    ratios = [_ratios(results, kind) for kind in _KINDS]
    return "\n\n".join(
        [*parts, "Ratios on the faces that both had, LPIPS / MSE / identity distance:", *filter(None, ratios), _papers(results)]
    )


def _machines(methods: dict[str, Any]) -> str:
    """Where methods were measured: the machine of most of them, then those that were measured elsewhere or on another day."""
    places: dict[str, list[str]] = {}
    for method in methods.values():
        places.setdefault(where(method["machine"]), []).append(method["title"])
    first, *others = sorted(places, key=lambda place: -len(places[place]))
    return "; ".join([first, *(f"{', '.join(places[place])}: {place}" for place in others)])


def _likeness(methods: dict[str, Any], kind: str) -> str:
    head = ["method", "faces", "LPIPS", "MSE", "PSNR", "MS-SSIM", "identity distance", "seconds", "space", "values"]
    rows = [
        [
            method["title"],
            method[kind]["faces"],
            *(figure(method[kind]["figures"].get(name), form) for name, form in _FORMS.items()),
            f"{method[kind]['seconds']:.2f}" if method["values"] else "-",
            method["space"] if method["values"] else "-",
            method["values"] or "-",
        ]
        for method in methods.values()
        if method[kind]["faces"]
    ]
    return grid(head, rows)


def _editing(results: dict[str, Any], kind: str) -> str:
    """The columns of edits; what earlier weights of the encoder re-encoded is marked, since it does not compare."""
    head = [
        "method",
        "faces",
        "the edit itself, standard deviations",
        "identity distance to the photo",
        "LEC, one fixed encoder",
        "LEC, own",
    ]
    rows, earlier = list[list[Any]](), False
    for method in results["methods"].values():
        if not method[kind]["edited"]:
            continue
        cells = {name: figure(method[kind]["figures"].get(name), form) for name, form in _EDITED.items()}
        if method.get("read_by") != results.get("read_by") and cells["consistency"] != "-":
            earlier, cells["consistency"] = True, f"{cells['consistency']} *"
        rows.append([method["title"], method[kind]["edited"], *cells.values()])
    table = grid(head, rows)
    return f"{table}\n\n\\* re-encoded by earlier weights of the encoder: not to be compared with the others." if earlier else table


def figure(found: list[float | None] | None, form: str) -> str:
    """A mean with its standard error; a dash where nothing was measured."""
    if found is None or found[0] is None:
        return "-"
    mean, error = found
    plain = form.replace("+", "")
    return form.format(mean) + ("" if error is None else f" ± {plain.format(error)}")


def _ratios(results: dict[str, Any], kind: str) -> str:
    names, bases = ("lpips", "mse", "identity_distance"), {"average": "the average face", "psp": "pSp"}
    shown = {base: title for base, title in bases.items() if base in results["methods"]}
    rows = []
    for name, method in results["methods"].items():
        found = results["ratios"].get(name, {}).get(kind, {})
        cells = [" / ".join(figure(found.get(base, {}).get(each), "{:.2f}") for each in names) for base in shown if base != name]
        if len(cells) == len(shown):
            rows.append([method["title"], *cells])
        elif cells:
            rows.append([method["title"], *("1" if base == name else cells.pop(0) for base in shown)])
    return grid([_KINDS[kind].lower(), *(f"over {title}" for title in shown.values())], rows) if rows else ""


def _papers(results: dict[str, Any]) -> str:
    methods, lines = results["methods"], []
    for kind, title in _KINDS.items():
        found = results["orderings"][kind]
        count = len(found["reversed"])
        lines.append(
            f"Orderings of pairs beside the papers', {title.lower()}: {found['agreeing']} agree, {count} are clearly the other way round, "
            f"{len(found['unclear'])} differ within two standard errors."
        )
        rows = [
            [
                line["figure"].replace("_", " "),
                " / ".join(methods[name]["title"] for name in line["methods"]),
                " / ".join(f"{value:g}" for value in line["published"]),
                " / ".join(f"{value:.3g}" for value in line["ours"]),
                line["source"],
            ]
            for line in found["reversed"]
        ]
        if rows:
            lines.append(grid(["clearly the other way round", "methods", "published", "here", "source"], rows))
    return "\n\n".join(lines)
