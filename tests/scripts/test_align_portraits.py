"""Portraits from clones: what is there is aligned to its folder's side, what is missing or has no face is told and left out."""

from pathlib import Path

from PIL import Image

from scripts.align_portraits import FOLDERS, Portrait, aligned, main

PHOTO = Path("assets/examples/astronaut.jpg")


def test_each_goes_to_its_folder_in_its_size_and_the_rest_is_told(tmp_path: Path) -> None:
    clones = {source: tmp_path / source for source in FOLDERS}
    for source, below in FOLDERS.items():
        (clones[source] / below).mkdir(parents=True)
    Image.open(PHOTO).save(clones["unitedstates-images"] / "congress/original/A1.jpg")
    Image.new("RGB", (300, 300), "grey").save(clones["voteview-bioguide"] / "images/bio_guide/2.jpg")
    wanted = [
        Portrait("train/t1.jpg", "unitedstates-images", "A1"),
        Portrait("benchmark/b1.jpg", "unitedstates-images", "A1"),
        Portrait("train/t2.jpg", "voteview-bioguide", "2"),
        Portrait("validation/v1.jpg", "unitedstates-images", "gone"),
    ]
    told = list(aligned(wanted, clones, tmp_path / "out"))
    assert len(told) == 2 and "face" in told[0] and "is not there: validation/v1.jpg is left out" in told[1]
    sizes = {path.name: Image.open(path).size for path in (tmp_path / "out").rglob("*.jpg")}
    assert sizes == {"t1.jpg": (256, 256), "b1.jpg": (512, 512)}


def test_a_run_that_left_portraits_out_does_not_end_well(tmp_path: Path) -> None:
    assert main([str(tmp_path / "out"), "--unitedstates", str(tmp_path), "--voteview", str(tmp_path)]) == 1
