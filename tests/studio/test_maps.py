import base64
import csv
import io
from dataclasses import replace

import numpy as np
import pytest
import torch

from engines import Inversion, Latent
from engines.contract import finish
from engines.core.errors import StudioError
from engines.core.images import to_picture
from engines.spaces.statistics import random_w
from studio.media.export import csv_of, packed, safe
from studio.services.direction_library import Library
from studio.settings import Settings
from studio.state.session import Session
from studio.state.visitor import Visitor
from studio.tabs.explore.components import direction_choices
from studio.tabs.explore.handlers import agreement
from studio.tabs.explore.maps import Maps, Plan

DELTA = Plan("difference in W", attributes=("brightness", "warmth"), pairs=10)


@pytest.fixture(scope="module")
def maps() -> Maps:
    session = Session(Settings(generator="toy"))
    return Maps(session, Library(session))


@pytest.fixture
def visitor(maps: Maps) -> Visitor:
    visitor = Visitor(2**24)
    for seed, title in ((1, "=one"), (2, "two")):
        inversion = Inversion(Latent("w_plus", maps.generator.slots.spread(random_w(maps.generator, seed)).clone()))
        visitor.put(title, to_picture(maps.generator.synthesize(inversion.latent)), inversion)
    return visitor


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
def test_a_map_holds_every_face_and_the_shelf(space: str, maps: Maps, visitor: Visitor) -> None:
    plan = Plan(space, shown=450, samples=450, arrows=("interfacegan/warmth",))
    result = finish(maps.run(plan, visitor))
    figure = maps.figure(plan, visitor, result)
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
def test_csv_reads_back_and_hides_no_formula(plan: Plan, maps: Maps, visitor: Visitor) -> None:
    result = finish(maps.run(plan, visitor))
    figure = maps.figure(plan, visitor, result)
    names = [f"{figure['noun']} {index + 1}" for index in range(figure["count"])]
    written = csv_of(names, figure, maps.points(plan, result), maps.scores(plan, figure["count"]), maps.library.bank.names)
    rows = list(csv.DictReader(io.StringIO(written.decode(), newline="")))
    points = [row for row in rows if row["name"].startswith(figure["noun"])]
    assert len(points) == figure["count"]
    assert float(points[3]["pc_2"]) == pytest.approx(result.tables["points"].rows[3][2], rel=1e-4)
    assert points[0]["warmth"] and not any(value[:1] in ("=", "@") for row in rows for value in row.values())


def test_a_change_is_between_the_two_faces_of_its_pair(maps: Maps, visitor: Visitor) -> None:
    result = finish(maps.run(DELTA, visitor))
    figure = maps.figure(DELTA, visitor, result)
    assert figure["groups"] == ["Brightness"] * 10 + ["Warmth"] * 10 + ["your shelf"]
    (_, before), (_, after) = maps.faces(DELTA, visitor, "Change 4")
    axes = torch.stack([direction.vector for direction in result.directions[:10]])
    placed = (after.latent.codes - before.latent.codes)[0] @ axes.T
    assert np.allclose(placed, result.tables["points"].rows[3][1:], atol=1e-3)
    assert [title for title, _ in maps.faces(DELTA, visitor, "Change 21")] == ["=one", "two"]
    assert maps.unusual(["Face 1", "Face 2"]).startswith("Changes most")


def test_a_path_begins_at_the_origin_of_a_map_of_changes_and_at_its_face_on_others(maps: Maps, visitor: Visitor) -> None:
    face = maps.faces(Plan(), visitor, "Face 7")[0][1]
    plain = Plan(shown=100, samples=300)
    rows = finish(maps.run(plain, visitor)).tables["points"].rows
    assert np.allclose(maps.place(plain, visitor, [face])[0], rows[6][1:], atol=1e-3)
    assert np.allclose(maps.place(DELTA, visitor, [face, face])[1], 0)


@pytest.mark.parametrize("name", ["", "Face", "Face 0", "Face 99999", "Shelf 9: x", "Change 999999", "Change 1", "etc", "Face 1e3"])
def test_what_lies_nowhere_gets_a_sentence(name: str, maps: Maps, visitor: Visitor) -> None:
    with pytest.raises(StudioError):
        maps.faces(Plan(shown=100), visitor, name)


def test_new_faces_follow_those_of_the_bank_and_have_no_small_picture(maps: Maps, visitor: Visitor) -> None:
    assert maps.peek(3).startswith("data:image/jpeg;base64,")
    assert maps.peek(450) == "" == maps.peek(-1)
    assert maps.faces(Plan(shown=500, samples=500), visitor, "Face 450")[0][0] == "Face 450"
    assert maps.unusual(["Face 450"]) == ""


def test_text_is_no_formula_and_no_markup() -> None:
    assert safe("=1+1") == "'=1+1" and safe("me") == "me"
    assert "<b>" not in agreement([("<b>", 5, 1.0, 0.5)], {})
    assert agreement([("one", 1, 1.0, 1.0)], {}) == ""


def test_new_faces_are_measured_once_and_join_the_map_by_number(maps: Maps, visitor: Visitor) -> None:
    assert list(maps.newcomers.measure(6)) == [4, 6]
    plan = Plan(shown=300, samples=300, fresh=6)
    assert maps.numbers(plan)[-7:] == [299, *range(400, 406)]
    result = finish(maps.run(plan, visitor))
    figure = maps.figure(plan, visitor, result)
    assert (figure["count"], figure["kept"], figure["skipped"], len(figure["own"])) == (306, 300, 100, 2)
    assert np.isfinite(unpacked(figure["columns"][0])).all()
    face = maps.faces(plan, visitor, "Face 403")[0][1]
    assert np.allclose(maps.place(plan, visitor, [face])[0], maps.points(plan, result)[302], atol=1e-3)
    assert maps.peek(402).startswith("data:image") and maps.unusual(["Face 403"])


def test_the_z_behind_a_face_maps_to_its_w(maps: Maps, visitor: Visitor) -> None:
    plan = Plan(shown=500, samples=500, truncation=1.0)
    for name in ("Face 3", "Face 450"):
        z = maps.z(plan, name)
        assert torch.allclose(maps.generator.map(z), maps.faces(plan, visitor, name)[0][1].latent.codes, atol=1e-4)
    assert maps.z(plan, "Shelf 1: me") is None


def test_a_direction_of_styles_has_an_arrow_among_styles_only(maps: Maps, visitor: Visitor) -> None:
    key = "stylespace/warmth/1"
    for space in ("s", "difference in S"):
        plan = Plan(space, shown=60, samples=300, attributes=DELTA.attributes, pairs=10, arrows=(key,))
        figure = maps.figure(plan, visitor, finish(maps.run(plan, visitor)))
        direction = maps.library.get(key, visitor)
        assert figure["arrows"][0]["length"] == pytest.approx(3 * direction.sigma, rel=1e-3) and not figure["leftOut"]
    for space in ("w", "w_plus", "difference in W"):
        plan = Plan(space, shown=60, samples=300, attributes=DELTA.attributes, pairs=10, arrows=(key, "interfacegan/warmth"))
        figure = maps.figure(plan, visitor, finish(maps.run(plan, visitor)))
        assert len(figure["arrows"]) == 1 and figure["leftOut"] == [maps.library.title(key, visitor)]


def test_own_directions_and_those_with_a_slider_come_first(maps: Maps, visitor: Visitor) -> None:
    own = replace(maps.library.get("interfacegan/warmth", visitor), name="<mine>")
    key = maps.library.add(own, visitor)
    maps.library.add(maps.library.get("interfacegan-z/warmth", visitor), visitor)
    keys = ("interfacegan/brightness", "interfacegan-z/warmth", "mine/gone")
    choices = direction_choices(maps.library, keys, visitor)
    assert [value for _, value in choices[:3]] == ["interfacegan/brightness", key, "interfacegan/warmth"]
    assert choices[0][0].endswith("has a slider") and len({value for _, value in choices}) == len(choices)
