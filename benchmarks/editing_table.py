"""The tables of directions, from benchmarks/results/editing.json."""

from typing import Any

from benchmarks.grid import figure
from benchmarks.grid import grid as _grid
from benchmarks.grid import where as _where


def rendered(results: dict[str, Any]) -> str:
    """The results as Markdown."""
    where = f"{results['bank']} faces to learn from, {results['faces']} others to judge on; {_where(results['machine'])}"
    parts = [f"**Editing along directions** ({where})", _boundaries(results), _rescoring(results), _conditional(results)]
    parts += [_dependency(results), _dci(results), _photo(results), _unsupervised(results), _locality(results)]
    return "\n\n".join(parts)


def _boundaries(results: dict[str, Any]) -> str:
    rows = [
        [
            name,
            f"{found['accuracy']:.3f}",
            f"{found['balanced_accuracy']:.3f}",
            f"{results['interfacegan_z'][name]['accuracy']:.3f}" if name in results["interfacegan_z"] else "",
            f"{results['own_over_others'][name]:.1f}",
        ]
        for name, found in results["interfacegan"].items()
    ]
    head = [
        "InterFaceGAN",
        "accuracy on held-out extremes, W",
        "balanced accuracy on all, split at the median",
        "extremes in Z",
        "own / largest other",
    ]
    words = (
        "Own / largest other: the attribute's change at +2 sigma over the largest other change, each in its own spread "
        "(for a smile, mouth and eyes excepted)."
    )
    return f"{_grid(head, rows)}\n\n{words}"


def _rescoring(results: dict[str, Any]) -> str:
    columns, five = results["rescoring"]["columns"], list(results["interfacegan_z"])
    rows = [
        [row[0], *(f"{row[columns.index(name)]:+.2f}" for name in five), f"{row[columns.index('identity_distance')]:.2f}"]
        for row in results["rescoring"]["rows"]
        if row[0] in five
    ]
    return f"Re-scoring at +2 sigma, changes in spreads:\n\n{_grid(['turned', *five, 'identity distance'], rows)}"


def _conditional(results: dict[str, Any]) -> str:
    rows = [
        [
            f"{row['attribute']}, {row['kept']} kept",
            f"{row['leak_before']:+.2f} → {row['leak_after']:+.2f}",
            f"{row['own_before']:+.2f} → {row['own_after']:+.2f}",
            f"{row['leak_ratio_cut']:.0%}",
            f"{row['cut_by_boundary_alone']:.0%}",
        ]
        for row in results["conditional"]
    ]
    return _grid(
        ["conditional manipulation", "the leak", "the attribute itself", "leak per own change falls by", "by the boundary alone"], rows
    )


def _dependency(results: dict[str, Any]) -> str:
    methods = ("StyleSpace", "GANSpace", "InterFaceGAN")
    found = {(row["attribute"], row["method"]): row for row in results["dependency"]}
    rows = [
        [
            name,
            *(figure(found[name, method]["mean_ad_at_0.5"]) for method in methods),
            *(figure(found[name, method]["mean_ad_at_1"]) for method in methods),
        ]
        for name in dict.fromkeys(row["attribute"] for row in results["dependency"])
    ]
    head = [
        "mean change of the others",
        *(f"{method}, target at 0.5" for method in methods),
        *(f"{method}, target at 1" for method in methods),
    ]
    return (
        f"Attribute Dependency at equal change of the target, in spreads; lower is better, a dash was not reached:\n\n{_grid(head, rows)}"
    )


def _dci(results: dict[str, Any]) -> str:
    rows = [[space.upper(), *(f"{value:.2f}" for value in found.values())] for space, found in results["dci"].items()]
    return _grid(["DCI", "disentanglement", "completeness", "informativeness"], rows)


def _photo(results: dict[str, Any]) -> str:
    strengths = next(iter(results["photo"].values()))["strengths"]
    rows = [[name, *(f"{value:.2f}" for value in found["identity_distance"])] for name, found in results["photo"].items()]
    return _grid(["identity distance to her inversion", *(f"{strength:+g} sigma" for strength in strengths)], rows)


def _unsupervised(results: dict[str, Any]) -> str:
    ganspace, sefa = results["ganspace"], results["sefa"]
    ratios = ", ".join(f"{row['layers']} {row['ratio']:.2f}" for row in sefa)
    spreads = ", ".join(f"{value:.2f}" for value in ganspace["spreads"][:3])
    return (
        f"GANSpace: {ganspace['samples']} samples in {ganspace['seconds']:.0f} s; ten components of two seeds agree to "
        f"{ganspace['agreement_of_ten']:.3f}; first spreads {spreads}. "
        f"SeFa: factorised in at most {max(row['seconds'] for row in sefa):.2f} s; picture change (LPIPS) of its first ten directions "
        f"over that of ten random ones at equal steps: {ratios}."
    )


def _locality(results: dict[str, Any]) -> str:
    rows = [
        [row["region"], *(figure(share) for share in _three(row["outside"])), figure(row["outside_by_gradients"])]
        for row in results["locality"]
    ]
    head = ["StyleSpace, squared change outside the region", "first channel", "second", "third", "chosen by gradients alone"]
    return _grid(head, rows)


def _three(shares: list[float]) -> list[float | None]:
    return [*shares, None, None, None][:3]
