"""The registry of generators: what is in it, what a stranger writes to be in it, and who draws for which method."""

import importlib
import re
from pathlib import Path

import pytest
import torch

from engines import Request, catalogue, create, load_generator
from engines.core.errors import CatalogueError
from engines.core.weights import manifest
from engines.generators import AnyGenerator, FfhqGenerator, Generator
from engines.generators.factories import FACTORIES, OF_KIND
from engines.registry import factories, generator_for

MODULE = """from engines.generators.stylegan2 import StyleGAN2, tiny_stylegan2


def mine(device):
    return StyleGAN2("mine", tiny_stylegan2(seed=7).weights, device)
"""
SMALL = ("toy", "stylegan2-tiny", "finegan-toy", "infogan-toy", "stylemapgan-toy")


def test_a_generator_is_a_module_and_a_line(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "a_strangers.py").write_text(MODULE, encoding="utf-8")
    monkeypatch.syspath_prepend(tmp_path)
    mine = importlib.import_module("a_strangers").mine
    monkeypatch.setitem(FACTORIES, "mine", mine)  # the line
    generator = load_generator("mine")
    assert isinstance(generator, Generator)
    assert create("sefa", generator)(Request(), count=1).directions


def test_an_unknown_name_is_answered_with_those_there_are() -> None:
    with pytest.raises(CatalogueError, match=r"no generator 'stylegan9'; there are: ffhq, toy, stylegan2-tiny, finegan_birds"):
        load_generator("stylegan9")


@pytest.mark.parametrize("name", [*SMALL, *(name for name in FACTORIES if name in manifest() and name != "ffhq")])
def test_each_is_called_what_it_is_loaded_as(name: str) -> None:
    generator = factories()[name](torch.device("cpu"))
    assert isinstance(generator, AnyGenerator)
    assert generator.name == name
    assert generator.device == torch.device("cpu") and generator.resolution >= 28 and generator.capabilities


def test_every_method_is_served_by_one_of_its_kind(toy: FfhqGenerator) -> None:
    for engine in catalogue().values():
        assert engine.card.needs <= generator_for(engine.card, toy).capabilities


@pytest.mark.parametrize(("engine", "name"), [("finegan", "finegan-toy"), ("infogan", "infogan-toy"), ("sefa", "toy")])
def test_beside_an_untrained_generator_others_are_untrained(engine: str, name: str, toy: FfhqGenerator) -> None:
    assert generator_for(catalogue()[engine].card, toy).name == name


@pytest.mark.parametrize("kind", OF_KIND)
def test_beside_a_trained_one_the_bundled_one_draws(kind: str, toy: FfhqGenerator) -> None:
    trained = FfhqGenerator("trained", toy.weights, {})
    needy = next(engine for engine in catalogue().values() if kind in engine.card.needs)
    assert generator_for(needy.card, trained).name == OF_KIND[kind][0]


def test_a_method_refuses_another_kind_in_a_sentence(toy: FfhqGenerator) -> None:
    with pytest.raises(CatalogueError, match=r"FineGAN needs finegan, which the generator toy does not offer\."):
        create("finegan", toy)
    with pytest.raises(CatalogueError, match=r"SeFa \(closed form\) needs affine, w_plus, which the generator finegan-toy does not offer"):
        create("sefa", load_generator("finegan-toy"))


def test_nobody_asks_a_generator_for_its_name_to_know_what_it_is() -> None:
    asked = re.compile(r"(generator\.name|settings\.generator)\s*(==|!=|in\b|not in\b)|\bmin\([\w.]*\.exits, key=")
    root = Path(__file__).parents[3]
    files = [path for folder in ("engines", "studio", "benchmarks") for path in (root / folder).rglob("*.py")]
    found = [path.name for path in files if asked.search(path.read_text(encoding="utf-8"))]
    assert found == ["styled.py"]  # where the nearest exit is worked out, once
