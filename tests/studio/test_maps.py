import base64
import csv
import io

import numpy as np
import pytest
import torch

from engines import Inversion, Latent
from engines.contract import finish
from engines.core.errors import StudioError
from engines.core.images import to_picture
from engines.spaces.statistics import random_w
from studio.library import Library
from studio.maps import Maps, Plan, packed, safe
from studio.pages.explore.answers import agreement
from studio.session import Session
from studio.settings import Settings
from studio.shelf import Desk

DELTA = Plan("difference in W", attributes=("brightness", "warmth"), pairs=10)


@pytest.fixture(scope="module")
def maps() -> Maps:
    session = Session(Settings(generator="toy"))
    return Maps(session, Library(session))


@pytest.fixture
def desk(maps: Maps) -> Desk:
    desk = Desk(2**24)
    for seed, title in ((1, "=one"), (2, "two")):
        inversion = Inversion(Latent("w_plus", maps.generator.slots.spread(random_w(maps.generator, seed)).clone()))
        desk.put(title, to_picture(maps.generator.synthesize(inversion.latent)), inversion)
    return desk


def unpacked(column: dict) -> np.ndarray:
    steps = np.frombuffer(base64.b64decode(column["data"]), dtype="<u2").astype(float)
    values = column["low"] + steps / (2**16 - 2) * (column["high"] - column["low"])
    return np.where(steps == 2**16 - 1, np.nan, values)


def test_a_packed_column_comes_back_to_a_part_in_fifty_thousand() -> None:
    values = np.array([-3.0, 0.1, np.nan, 7.5])
    again = unpacked(packed("x", "X", values))
    assert np.isnan(again[2])
    assert np.allclose(again[[0, 1, 3]], values[[0, 1, 3]], atol=10.5 / 50_000)
    assert np.isnan(unpacked(packed("x", "X", np.array([np.nan])))).all()
    assert unpacked(packed("x", "X", np.zeros(2))).tolist() == [0, 0]


@pytest.mark.parametrize("space", ["w", "w_plus", "s"])
def test_a_map_holds_every_face_and_the_shelf(space: str, maps: Maps, desk: Desk) -> None:
    plan = Plan(space, shown=450, samples=450, arrows=("interfacegan/warmth",))
    result = finish(maps.run(plan, desk))
    figure = maps.figure(plan, desk, result)
    axes = 11 if space == "w_plus" else 10
    assert figure["count"] == 450 and len(figure["axes"]) == axes
    assert [item["name"] for item in figure["own"]] == ["Shelf 1: =one", "Shelf 2: two"]
    assert {len(item["at"]) for item in (*figure["own"], *figure["arrows"])} == {axes}
    assert bool(figure["own"][0]["slots"]) == (space == "w_plus")
    warmth = unpacked(figure["columns"][1])
    assert np.isfinite(warmth[:400]).all() and np.isnan(warmth[400:]).all()
    points = np.array([row[1:] for row in result.tables["points"].rows])
    assert np.allclose(unpacked(figure["axes"][0]), points[:, 0], atol=1e-3 * np.ptp(points[:, 0]))


@pytest.mark.parametrize("plan", [Plan(shown=100, samples=300), DELTA], ids=["faces", "changes"])
def test_csv_reads_back_and_hides_no_formula(plan: Plan, maps: Maps, desk: Desk) -> None:
    result = finish(maps.run(plan, desk))
    figure = maps.figure(plan, desk, result)
    rows = list(csv.DictReader(io.StringIO(maps.csv(plan, figure, result).decode(), newline="")))
    points = [row for row in rows if row["name"].startswith(figure["noun"])]
    assert len(points) == figure["count"]
    assert float(points[3]["pc_2"]) == pytest.approx(result.tables["points"].rows[3][2], rel=1e-4)
    assert points[0]["warmth"] and not any(value[:1] in ("=", "@") for row in rows for value in row.values())


def test_a_change_is_between_the_two_faces_of_its_pair(maps: Maps, desk: Desk) -> None:
    result = finish(maps.run(DELTA, desk))
    figure = maps.figure(DELTA, desk, result)
    assert figure["groups"] == ["Brightness"] * 10 + ["Warmth"] * 10 + ["your shelf"]
    (_, before), (_, after) = maps.faces(DELTA, desk, "Change 4")
    axes = torch.stack([direction.vector for direction in result.directions[:10]])
    placed = (after.latent.codes - before.latent.codes)[0] @ axes.T
    assert np.allclose(placed, result.tables["points"].rows[3][1:], atol=1e-3)
    assert [title for title, _ in maps.faces(DELTA, desk, "Change 21")] == ["=one", "two"]
    assert maps.unusual(["Face 1", "Face 2"]).startswith("Changes most")


def test_a_path_begins_at_the_origin_of_a_map_of_changes_and_at_its_face_on_others(maps: Maps, desk: Desk) -> None:
    face = maps.faces(Plan(), desk, "Face 7")[0][1]
    plain = Plan(shown=100, samples=300)
    rows = finish(maps.run(plain, desk)).tables["points"].rows
    assert np.allclose(maps.place(plain, desk, [face])[0], rows[6][1:], atol=1e-3)
    assert np.allclose(maps.place(DELTA, desk, [face, face])[1], 0)


@pytest.mark.parametrize("name", ["", "Face", "Face 0", "Face 99999", "Shelf 9: x", "Change 999999", "Change 1", "etc", "Face 1e3"])
def test_what_lies_nowhere_gets_a_sentence(name: str, maps: Maps, desk: Desk) -> None:
    with pytest.raises(StudioError):
        maps.faces(Plan(shown=100), desk, name)


def test_new_faces_follow_those_of_the_bank_and_have_no_small_picture(maps: Maps, desk: Desk) -> None:
    assert maps.peek(3).startswith("data:image/jpeg;base64,")
    assert maps.peek(450) == "" == maps.peek(-1)
    assert maps.faces(Plan(shown=500, samples=500), desk, "Face 450")[0][0] == "Face 450"
    assert maps.unusual(["Face 450"]) == ""


def test_text_is_no_formula_and_no_markup() -> None:
    assert safe("=1+1") == "'=1+1" and safe("me") == "me"
    assert "<b>" not in agreement([("<b>", 5, 1.0, 0.5)], {})
    assert agreement([("one", 1, 1.0, 1.0)], {}) == ""
