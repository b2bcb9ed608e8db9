"""Turn benchmarks/results/*.json into docs/benchmarks/, a page each, and the README's headlines: `python -m benchmarks.table`."""

import argparse
import json
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

from benchmarks import (
    ablations,
    delta_table,
    editing_table,
    finegan,
    headlines,
    image2stylegan_pp,
    in_domain,
    infogan,
    load_table,
    methods_table,
    networks,
    real,
)
from benchmarks.grid import figure
from benchmarks.grid import grid as _grid
from benchmarks.grid import where as _where
from benchmarks.machine import RESULTS

BEGIN, END = "<!-- benchmarks:begin -->", "<!-- benchmarks:end -->"
_DOT = {"ablations": ".", "in_domain": ".", "finegan": ".", "infogan": ".", "delta": "."}
"""Between package and name, where a benchmark is a module with options of its own."""

ROOT = RESULTS.parents[1]


def sections() -> dict[str, tuple[str, Callable[[dict[str, Any]], str]]]:
    """Title of each page, and what makes its text of a result, by the result's name."""
    return {
        "methods": ("Inversion methods side by side", methods_table.rendered),
        "real": ("Thirty real portraits", real.rendered),
        "inversion": ("Inversion over time", _inversion),
        "ablations": ("Ablations", ablations.rendered),
        "in_domain": ("In-Domain inversion", in_domain.rendered),
        "image2stylegan_pp": ("Image2StyleGAN++", image2stylegan_pp.rendered),
        "editing": ("Directions", editing_table.rendered),
        "delta": ("Learnt changes", delta_table.rendered),
        "mixing": ("Local mixing", _mixing),
        "finegan": ("FineGAN", finegan.rendered),
        "infogan": ("InfoGAN", infogan.rendered),
        "generator": ("Speed of the generator", _generator),
        "page": ("Speed of the page", _page),
        "load": ("A class on one page", load_table.rendered),
    }


def pages(folder: Path) -> dict[str, str]:
    """All results in a folder as Markdown by the page's name; a sentence in place of what was not measured."""
    made = {}
    for name, (title, render) in sections().items():
        path, command = folder / f"{name}.json", f"python -m benchmarks{_DOT.get(name, ' ')}{name}"
        text = render(json.loads(path.read_text(encoding="utf-8"))) if path.is_file() else f"`{command}` has not been run."
        made[name] = f"# {title}\n\nMeasured by `{command}`; the figures are in `benchmarks/results/{name}.json`.\n\n{text}\n"
    text = networks.rendered(networks.encoders(), networks.boundaries())
    made["networks"] = f"# Networks trained here\n\nAs their recipes recorded it in `assets/weights.toml`.\n\n{text}\n"
    titles = {name: page.partition("\n")[0].removeprefix("# ") for name, page in made.items()}
    listed = "\n".join(f"- [{title}]({name}.md)" for name, title in titles.items())
    made["README"] = f"# Measurements\n\nWritten by `python -m benchmarks.table`; nothing here is typed in.\n\n{listed}\n"
    return made


def renewed(text: str, table: str) -> str | None:
    """A text with what stands between the two marks replaced; None if it lacks them."""
    before, begin, rest = text.partition(BEGIN)
    _, end, after = rest.partition(END)
    return f"{before}{begin}\n{table}\n{end}{after}" if begin and end else None


def headline(folder: Path) -> str:
    """The README's table."""
    path = folder / "methods.json"
    return headlines.rendered(json.loads(path.read_text(encoding="utf-8"))) if path.is_file() else "Nothing was measured yet."


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
    head = ["faces", "method", "seconds", "LPIPS", "MSE", "PSNR", "MS-SSIM", "identity distance", "W+ spread"]
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
        *_opening(results.get("opening", {"skipped": "not measured yet"})),
        *_explorer(results.get("explorer", {"skipped": "not measured yet"})),
        *_strokes(results.get("strokes", {"skipped": "not measured yet"})),
        ["memory: idle / at most / after the inversion", f"{memory['idle']:.0f} / {memory['peak']:.0f} / {memory['after']:.0f} MiB"],
    ]
    return f"**The page** (as a program on the same machine sees it; {_where(results['machine'])})\n\n{_grid(['what', 'measured'], rows)}"


def _opening(found: dict[str, Any]) -> list[list[str]]:
    if "skipped" in found:
        return [["the page's opening in a browser", found["skipped"]]]
    size = f"{found['components']} components and {found['events']} events"
    what = f"the page's opening in headless Chromium, {size}, median of {found['times']}"
    return [
        [what, f"{found['seconds']:.1f} s"],
        ["the tab Edit directions, from the click to its picture", f"{found['tab_seconds']:.1f} s"],
    ]


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
    head = ["method", "MSE outside, to the source", "MSE inside, to the reference", "gradient on the border / in the picture"]
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
    """Renew the pages and the README, or print the pages where there is no README with the marks."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--results", type=Path, default=RESULTS)
    parser.add_argument("--root", type=Path, default=ROOT, help="of the checkout whose README.md and docs/ are renewed")
    arguments = parser.parse_args()
    readme, made = arguments.root / "README.md", pages(arguments.results)
    text = renewed(readme.read_text(encoding="utf-8"), headline(arguments.results)) if readme.is_file() else None
    if text is None:
        print("\n".join(made.values()))
        print(f"{readme} lacks the marks {BEGIN} and {END}: nothing was written.", file=sys.stderr)
        return 1
    readme.write_text(text, encoding="utf-8")
    folder = arguments.root / "docs" / "benchmarks"
    folder.mkdir(parents=True, exist_ok=True)
    for name, page in made.items():
        (folder / f"{name}.md").write_text(page, encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
