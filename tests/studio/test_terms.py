"""Terms that explain themselves: by the glossary's words, once in a text, and never inside a tag."""

import re
from pathlib import Path

import pytest

import studio
from studio.ui.terms import TERMS, explained

GLOSSARY = Path(studio.__file__).parents[1] / "docs" / "glossary.md"


@pytest.mark.skipif(not GLOSSARY.is_file(), reason="the documentation is not in the wheel")
@pytest.mark.parametrize("term", TERMS)
def test_a_term_is_explained_as_the_glossary_does(term: str) -> None:
    rows = [line.split(" | ") for line in GLOSSARY.read_text(encoding="utf-8").splitlines() if line.startswith("| ")]
    meanings = [row[1].strip() for row in rows if len(row) > 1 and term in re.split(r", ", row[0].removeprefix("| "))]
    assert meanings == [TERMS[term]]


@pytest.mark.parametrize(
    ("prose", "marked"),
    [
        ("Sliders are in sigma, the spread: sigma again.", ["sigma"]),
        ("W+ has a w for each layer, and W one for all.", ["W+", "W"]),
        ("Identity distance and LPIPS (LPIPS).", ["Identity distance", "LPIPS"]),
        ("Show what a Swan sees; s and z in small say something else.", []),
        ("<b title='sigma and W'>nothing</b>", []),
        ("Directions of <b>Z</b>, StyleSpace, LPIPS2.", ["Z"]),
    ],
)
def test_terms_are_found_whole_and_once(prose: str, marked: list[str]) -> None:
    made = explained(prose)
    assert re.findall(r"<abbr [^>]*>([^<]*)</abbr>", made) == marked
    assert re.sub(r"</?abbr[^>]*>", "", made) == prose
