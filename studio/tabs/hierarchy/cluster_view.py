"""What the cell of unsupervised clustering shows: clusters as rows of drawings, against a factor as a table of counts, and in figures."""

import html
from collections.abc import Mapping, Sequence

from engines.hierarchy.discovery import CLASSIFIER, PIXELS, Agreement, Confusion
from studio.media.export import data_url
from studio.tabs.hierarchy.clustering import CHANCE, KIND, NAMES, PLACE, SHAPE, TEXTURE, TILES, Cluster
from studio.ui.plots import TABLE_STYLE

TITLES = {CLASSIFIER: "FineGAN's code classifier", PIXELS: "plain pixels"}
"""Ways of seeing, as the page calls them."""

STYLE = (
    TABLE_STYLE
    + """
.found { max-height: 49rem; margin: 0; padding: 0; overflow-y: auto; list-style: none; }
.found li { display: flex; flex-wrap: wrap; gap: 0.15rem 0.8rem; align-items: center; margin: 0 0 0.5rem; }
.found p { flex: 1 1 11rem; margin: 0; font-size: 0.85rem; line-height: 1.35; }
.found small { display: block; font-size: 0.78rem; opacity: 0.8; }
.found span { flex: 4 1 18rem; }
.found img { display: block; border-radius: 4px; }
.against { max-height: 49rem; overflow: auto; }
.against th[scope=col] { height: 6.2rem; vertical-align: bottom; }
.against th[scope=col] span { display: inline-block; writing-mode: vertical-rl; transform: rotate(180deg); white-space: nowrap; }
.table.against :is(th, td) { min-width: 1.6rem; padding: 0.28rem 0.1rem; text-align: center; }
.against tbody th { position: sticky; left: 0; z-index: 1; background: var(--background-fill-secondary); font-weight: 500; }
.against thead th { position: sticky; top: 0; z-index: 2; background: var(--background-fill-secondary); opacity: 1 !important; }
.against .named { outline: 2px solid var(--body-text-color); outline-offset: -2px; font-weight: 700; }
.against .none { opacity: 0.35; }
.against table { width: min(100%, 36rem); margin: 0; table-layout: fixed; }
.agreed table { width: 100%; margin: 0; table-layout: fixed; font-size: 0.8rem; }
.table.agreed :is(th, td) { padding: 0.25rem 0; text-align: center; font-variant-numeric: tabular-nums; }
.table.agreed th[scope=row] { text-align: left; }
.table.agreed td:nth-of-type(even) { border-right: 1px solid var(--border-color-primary) !important; border-radius: 0; }
.table.agreed td:last-of-type { border: 0 !important; }
"""
)
"""How all of it looks, for the components that show it."""

_DARKEST = 85
"""Percent of colour behind a number, beyond which it would be hard to read on a light page."""

_GROUPS = {SHAPE: "Shape", TEXTURE: "Texture", PLACE: "Place", KIND: "Kind"}
_COLUMNS = {CLASSIFIER: "classifier", PIXELS: "pixels", CHANCE: "chance"}


def rows(clusters: Sequence[Cluster]) -> str:
    """Each cluster by its first drawings, with its size and what it has most of."""
    items = "".join(_row(cluster) for cluster in clusters)
    return f"<ol class='found' tabindex='0' aria-label='{len(clusters)} clusters'>{items}</ol>"


def _row(cluster: Cluster) -> str:
    words, strip, name = html.escape(cluster.words), cluster.picture, f"Cluster {cluster.number}"
    width = f"width:{100 * strip.width / (TILES * strip.height):.2f}%"
    return (
        f"<li><p><b>{name}</b> · {cluster.size}<small>{words}</small></p>"
        f"<span><img style='{width}' src='{data_url(strip, strip.width)}' alt='Drawings of {name.lower()}'/></span></li>"
    )


def against(confused: Confusion, factor: str) -> str:
    """Counts as a table, darker where more of a cluster lies; framed where the best naming gives the cluster its name."""
    head = "".join(f"<th scope='col'><span>{html.escape(name)}</span></th>" for name in ("cluster", *NAMES[factor]))
    body = "".join(
        f"<tr><th scope='row'>{row + 1}</th>{_cells(counts, confused.named.get(row))}</tr>"
        for row, counts in zip(confused.rows, confused.table.tolist(), strict=True)
    )
    words = f"Counts of drawings. Framed: the {factor} that the best one-to-one naming gives a cluster; what lies there counts as right."
    return (
        f"<div class='table against' tabindex='0'><table><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table></div>"
        f"<p class='reading'>{words}</p>"
    )


def _cells(counts: Sequence[int], named: int | None) -> str:
    return "".join(_cell(count, count / sum(counts), value == named) for value, count in enumerate(counts))


def _cell(count: int, share: float, is_named: bool) -> str:
    kind = "named" if is_named else "none" if not count else ""
    colour = f"background:color-mix(in srgb, var(--color-accent) {_DARKEST * share:.0f}%, transparent)"
    return f"<td class='{kind}' style='{colour}'>{count}</td>"


def agreed(figures: Mapping[str, Mapping[str, Agreement]]) -> str:
    """NMI and accuracy of each factor, by way."""
    ways = [way for way in _COLUMNS if way in figures]
    groups = "".join(f"<th scope='colgroup' colspan='2'>{html.escape(_COLUMNS[way])}</th>" for way in ways)
    names = "<th scope='col'>NMI</th><th scope='col'>acc.</th>" * len(ways)
    body = "".join(
        f"<tr><th scope='row'>{title}</th>" + "".join(_pair(figures[way][name]) for way in ways) + "</tr>"
        for name, title in _GROUPS.items()
    )
    head = f"<tr><th></th>{groups}</tr><tr><th></th>{names}</tr>"
    return f"<div class='table agreed'><table><thead>{head}</thead><tbody>{body}</tbody></table></div>"


def _pair(agreement: Agreement) -> str:
    return f"<td>{agreement.nmi:.2f}</td><td>{agreement.accuracy:.0%}</td>"
