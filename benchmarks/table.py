"""Turn benchmarks/results/*.json into the tables of README.md, between two marks there: `python -m benchmarks.table`."""

import argparse
import json
import sys
from pathlib import Path
from typing import Any

from benchmarks import editing_table, finegan, image2stylegan_pp, in_domain, infogan, methods_table, networks, twins
from benchmarks.grid import figure
from benchmarks.grid import grid as _grid
from benchmarks.grid import where as _where
from benchmarks.machine import RESULTS

BEGIN, END = "<!-- benchmarks:begin -->", "<!-- benchmarks:end -->"
_DOT = {"twins": ".", "in_domain": ".", "finegan": ".", "infogan": "."}
"""Between package and name, where a benchmark is a module with options of its own."""

README = RESULTS.parents[1] / "README.md"


def rendered(folder: Path) -> str:
    """All results in a folder as Markdown; a sentence in place of what was not measured."""
    parts = []
    sections = (
        ("generator", _generator),
        ("page", _page),
        ("inversion", _inversion),
        ("methods", methods_table.rendered),
        ("twins", twins.rendered),
        ("in_domain", in_domain.rendered),
        ("editing", editing_table.rendered),
        ("mixing", _mixing),
        ("image2stylegan_pp", image2stylegan_pp.rendered),
        ("finegan", finegan.rendered),
        ("infogan", infogan.rendered),
    )
    for name, render in sections:
        path = folder / f"{name}.json"
        lacking = f"`python -m benchmarks{_DOT.get(name, ' ')}{name}` has not been run."
        parts.append(render(json.loads(path.read_text(encoding="utf-8"))) if path.is_file() else lacking)
    parts.insert(4, networks.rendered(networks.encoders(), networks.boundaries()))
    return "\n\n".join(parts)


def renewed(text: str, table: str) -> str | None:
    """A text with what stands between the two marks replaced; None if it lacks them."""
    before, begin, rest = text.partition(BEGIN)
    _, end, after = rest.partition(END)
    return f"{before}{begin}\n{table}\n{end}{after}" if begin and end else None


def _generator(results: dict[str, Any]) -> str:
    sizes = list(results["ways"][0]["sizes"])
    head = ["seconds a picture", *(f"{size} px" for size in sizes), *(f"{size} px with gradient" for size in sizes), "most memory"]
    rows: list[list[str]] = []
    for way in results["ways"]:
        times = [f"{way['sizes'][size][kind]['median']:.3f}" for kind in ("forward", "backward") for size in sizes]
        rows.append([_way(way), *times, f"{way['peak_mib']['forward']:.0f} / {way['peak_mib']['backward']:.0f} MiB"])
    text = (
        f"**Drawing one face** (medians of {results['repeats']}; memory: drawing only / with gradients; {_where(results['machine'])})\n\n"
        f"{_grid(head, rows)}\n\n"
    )
    beside = results["openvino"]
    if "skipped" in beside:
        return text + beside["skipped"]
    rows = [
        [_way(way), f"{way['student']['median']:.3f}", f"{way['openvino']['median']:.3f}", f"{way['ratio']:.2f}"] for way in beside["ways"]
    ]
    version = beside["ways"][0]["version"].split("-")[0]
    return (
        text
        + f"Beside OpenVINO {version} (float32, as many threads, turn by turn, 1024 px):\n\n"
        + _grid(["seconds a picture", "this generator", "OpenVINO", "ratio"], rows)
    )


def _way(way: dict[str, Any]) -> str:
    return f"pages {way['pages']}"


def _inversion(results: dict[str, Any]) -> str:
    head = ["faces", "method", "seconds", "LPIPS", "MSE", "PSNR", "MS-SSIM", "identity distance", "drift"]
    rows = [
        [
            f"{row['faces']} {row['kind']}",
            row["method"],
            f"{row['seconds']:.0f}" + (" (end)" if row["moment"] == "end" else ""),
            f"{row['lpips']:.3f}",
            f"{row['mse']:.4f}",
            f"{row['psnr']:.1f}",
            f"{row['ms_ssim']:.3f}",
            f"{row['identity_distance']:.2f}",
            f"{row['drift']:.2f}",
        ]
        for row in sorted(results["medians"], key=lambda row: (row["kind"] != "real", row["method"], row["seconds"]))
    ]
    table = f"**Inverting a face at the defaults** (medians; {_where(results['machine'])})\n\n{_grid(head, rows)}"
    return "\n\n".join([table, *_other_faces(results.get("locality", []))])


def _other_faces(rows: list[dict[str, Any]]) -> list[str]:
    """What a tuning to one photo does to other faces, with the locality term and without."""
    if not rows:
        return []
    told = [
        f"{'with' if row['locality_weight'] else 'without'} its locality term {row['change']:.4f} (the photo: LPIPS {row['lpips']:.3f})"
        for row in rows
    ]
    return [f"Pivotal tuning to {rows[0]['face']} changes {rows[0]['faces']} other faces by MSE {', '.join(told)}."]


def _page(results: dict[str, Any]) -> str:
    slider, memory, inversion = results["slider_seconds"], results["memory_mib"], results["inversion"]
    rows = [
        ["from `studio` to a page that answers", f"{results['start_seconds']:.1f} s"],
        ["first random face, 1024 px", f"{results['random_face_seconds']['first']:.2f} s"],
        ["further random faces, median", f"{results['random_face_seconds']['median']:.2f} s"],
        *[
            [f"slider to 256 px preview, {layers} layers, median of {time['moves']}", f"{time['median'] * 1000:.0f} ms"]
            for layers, time in slider.items()
        ],
        [
            f"{inversion['photo']} with {inversion['method']} at its defaults",
            f"{inversion['seconds']:.0f} s, LPIPS {inversion['lpips']:.3f}, MSE {inversion['mse']:.4f}, "
            f"identity distance {inversion['identity_distance']:.2f}",
        ],
        *_explorer(results.get("explorer", {"skipped": "not measured yet"})),
        *_strokes(results.get("strokes", {"skipped": "not measured yet"})),
        ["memory: idle / at most / after the inversion", f"{memory['idle']:.0f} / {memory['peak']:.0f} / {memory['after']:.0f} MiB"],
    ]
    return f"**The page** (as a program on the same machine sees it; {_where(results['machine'])})\n\n{_grid(['what', 'measured'], rows)}"


def _explorer(found: dict[str, Any]) -> list[list[str]]:
    if "skipped" in found:
        return [["explorer in a browser", found["skipped"]]]
    return [
        [f"explorer, {found['points']} points in headless Chromium: {what}", f"{seconds * 1000:.0f} ms"]
        for what, seconds in found["seconds"].items()
    ]


def _strokes(found: dict[str, Any]) -> list[list[str]]:
    if "skipped" in found:
        return [["a brush stroke in a browser", found["skipped"]]]
    return [
        [
            f"end of a brush stroke to the mixed preview in headless Chromium, median of {found['strokes']}",
            f"{found['median'] * 1000:.0f} ms, at most {found['most'] * 1000:.0f} ms",
        ]
    ]


def _mixing(results: dict[str, Any]) -> str:
    where = f"{results['pairs']} pairs of generated faces, one ready-made mask each; {_where(results['machine'])}"
    head = ["way", "MSE outside, to the source", "MSE inside, to the reference", "gradient on the border / in the picture"]
    rows, own = (
        [[way, *(figure(found[name]) for name in ("mse_src", "mse_ref", "seam"))] for way, found in ways.items()]
        for ways in (results["all"], results["own"]["ways"])
    )
    usual, plain = next(iter(results["all"].items()))
    words = (
        f"On the same borders the source itself has {plain['seam_source']:.2f} and the reference {plain['seam_reference']:.2f}: parts end "
        f"where faces have lines. MSE on [-1, 1], the soft edge ({results['edge']:.0%} of the side) left out."
    )
    by_part = [[name, *(figure(ways[usual][kind]) for kind in ("mse_src", "mse_ref", "seam"))] for name, ways in results["parts"].items()]
    seconds = results["seconds"]
    times = "; ".join(f"{name} {found['median']:.3f} s ({found['over_plain']:.2f}x)" for name, found in seconds.items())
    return "\n\n".join(
        [
            f"**Local mixing** ({where})",
            _grid(head, rows),
            words,
            _grid([f"{usual}, part", *head[1:]], by_part),
            "StyleMapGAN's own networks on the same pairs and masks, at 64 px against the faces themselves; the soft edge "
            f"({results['own']['edge']:.0%} of the side) left out everywhere:",
            _grid(head, own),
            f"Medians at full size, over a plain face: {times}.",
        ]
    )


def main() -> int:
    """Renew the README, or print the tables where there is none with the marks."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--results", type=Path, default=RESULTS)
    parser.add_argument("--readme", type=Path, default=README)
    arguments = parser.parse_args()
    table = rendered(arguments.results)
    text = renewed(arguments.readme.read_text(encoding="utf-8"), table) if arguments.readme.is_file() else None
    if text is None:
        print(table)
        print(f"{arguments.readme} lacks the marks {BEGIN} and {END}: nothing was written.", file=sys.stderr)
        return 1
    arguments.readme.write_text(text, encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
