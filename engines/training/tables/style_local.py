"""Which single channels of S change one region and little else: assets/models/style_local_ffhq.safetensors.

    python -m engines.training.tables.style_local --work build/style_local

After Wu et al., "StyleSpace Analysis", arXiv:2011.12799, section 4.1, whose gradients rank the candidates: of each region those with
the largest share of their gradient energy inside (recipe `style_regions`). They are then turned (engines/edit/locality.py) at 256 px,
all on one face and the best on four others, of other seeds than the bank's and the benchmark's. A channel that hardly changes the
picture is no control and is left out. About ten minutes on 2 cores; what is measured is kept in the work folder.
"""

import argparse
import json
import logging
from pathlib import Path

import torch

from engines import load_generator
from engines.core.weights import load_weights
from engines.edit.locality import LOCAL, Locality, Spill
from engines.faces.regions import REGIONS
from engines.generators.base import Generator
from engines.training.manifest import add_option, chosen

CANDIDATES, FINALISTS, KEPT = 16, 4, 3
SIZE, FIRST, SECOND = 256, (940_000,), (940_001, 940_002, 940_003, 940_004)
VISIBLE = 0.01
"""Root mean square difference of the picture below which a channel is no control."""

log = logging.getLogger(__name__)


def candidates(generator: Generator, shares: torch.Tensor) -> dict[str, list[int]]:
    """Channels of each region by their share of gradient energy there, those left out that `SIZE` cannot show."""
    seen = torch.zeros(len(shares), dtype=torch.bool)
    for layer, part in generator.layout("s").items():
        seen[part] = generator.slots.layers[layer].block <= SIZE // 2
    ranked = shares.float().masked_fill(~seen[:, None], -1.0)
    return {region: ranked[:, index].topk(CANDIDATES).indices.tolist() for index, region in enumerate(REGIONS)}


def best(measured: dict[int, Spill], region: str, count: int) -> list[int]:
    """The most local of the channels that can be seen."""
    seen = [channel for channel, spill in measured.items() if spill.change >= VISIBLE]
    return sorted(seen, key=lambda channel: measured[channel].outside[region])[:count]


def measured(instrument: Locality, channels: set[int], path: Path) -> dict[int, Spill]:
    """Each channel's spill, read from the work folder where it is there."""
    known = json.loads(path.read_text(encoding="utf-8")) if path.exists() else {}
    for channel in sorted(channels):
        if str(channel) not in known:
            spill = instrument(channel)
            known[str(channel)] = [spill.outside, spill.change]
            path.write_text(json.dumps(known), encoding="utf-8")
            log.info("%s: channel %d, %d of %d", path.stem, channel, len(known), len(channels))
    return {channel: Spill(*known[str(channel)]) for channel in channels}


def main() -> None:
    """Measure, choose, pack."""
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(message)s")
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--work", type=Path, required=True, help="folder for channels that are measured")
    add_option(parser, "put the result into")
    arguments = parser.parse_args()
    records = chosen(arguments.record, arguments.work)
    arguments.work.mkdir(parents=True, exist_ok=True)
    generator = load_generator("ffhq")
    offered = candidates(generator, load_weights("style_regions_ffhq")["shares"])
    first = measured(Locality(generator, FIRST, SIZE), {c for found in offered.values() for c in found}, arguments.work / "first.json")
    finalists = {region: best(first, region, FINALISTS) for region in REGIONS}
    second = measured(Locality(generator, SECOND, SIZE), {c for found in finalists.values() for c in found}, arguments.work / "second.json")
    tensors, rows = {}, []
    for region in REGIONS:
        kept = best({channel: second[channel] for channel in finalists[region]}, region, KEPT)
        shares = [second[channel].outside[region] for channel in kept]
        tensors[f"{region}.channels"], tensors[f"{region}.outside"] = torch.tensor(kept), torch.tensor(shares)
        rows += [{"region": region, "channel": c, "outside": second[c].outside[region], "change": second[c].change} for c in kept]
    records.log("style_local_ffhq", rows)
    records.record(
        "style_local_ffhq",
        tensors,
        licence="Apache-2.0",
        origin=f"engines/training/tables/style_local.py, seeds {FIRST[0]} to {SECOND[-1]}, {SIZE} px, cpu",
        metrics={"channels": len(rows), "below_a_tenth_outside": sum(float(str(row["outside"])) < LOCAL for row in rows)},
    )


if __name__ == "__main__":
    main()
