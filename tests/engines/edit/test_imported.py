"""Directions from files: by the toy (width 32, 11 slots) where any generator does, by the bundled one where published shapes count."""

import io
import json
import pickle
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from safetensors.torch import load, save
from torch import Tensor

from engines.core.errors import SpaceError, StudioError, WeightsError
from engines.core.seeds import normal
from engines.edit.imported import FORMS, MOST, read_directions, write_directions
from engines.generators import FfhqGenerator
from engines.generators.toy import toy as new_toy
from engines.spaces.directions import Direction, apply_directions
from engines.spaces.latent import Latent
from engines.spaces.statistics import random_w, statistics

TOY = new_toy()
WIDTH, VALUES = TOY.width, max(part.stop for part in TOY.layout("s").values())
SHAPES = {"z": (WIDTH,), "w": (WIDTH,), "w_plus": (TOY.slots.count, WIDTH), "s": (VALUES,)}
printable = st.text(st.characters(codec="utf-8", exclude_categories=("C", "Z")), min_size=1, max_size=60)


def unit(shape: tuple[int, ...], seed: int = 0) -> Tensor:
    vector = normal(shape, seed)
    return vector / vector.norm()


def direction(space: str = "w", seed: int = 0, name: str = "smile", shape: tuple[int, ...] | None = None) -> Direction:
    return Direction(name, space, unit(shape or SHAPES[space], seed), TOY.slots.active, 0.7, "a test")


def npy(array: Any) -> bytes:
    buffer = io.BytesIO()
    np.save(buffer, np.asarray(array))
    return buffer.getvalue()


def npz(**named: Any) -> bytes:
    buffer = io.BytesIO()
    np.savez(buffer, **named)
    return buffer.getvalue()


def pt(content: Any) -> bytes:
    buffer = io.BytesIO()
    torch.save(content, buffer)
    return buffer.getvalue()


@given(
    st.lists(
        st.tuples(
            printable,
            st.sampled_from(list(SHAPES)),
            st.floats(1e-3, 1e3),
            st.sets(st.sampled_from(TOY.slots.active), min_size=1),
            st.integers(0, 99),
        ),
        min_size=1,
        max_size=5,
    )
)
def test_our_own_form_keeps_everything(drawn: list[tuple[str, str, float, set[int], int]]) -> None:
    ours = [
        Direction(name, space, unit(SHAPES[space], seed), tuple(sorted(slots)), sigma, f"by {name}")
        for name, space, sigma, slots, seed in drawn
    ]
    theirs = read_directions(write_directions(ours, "safetensors", TOY), "any.safetensors", TOY)
    assert len(theirs) == len(ours)
    for left, right in zip(ours, theirs, strict=True):
        assert (left.name, left.space, left.slots, left.sigma, left.source) == (
            right.name,
            right.space,
            right.slots,
            right.sigma,
            right.source,
        )
        assert torch.allclose(left.vector, right.vector, atol=1e-6)


@settings(max_examples=40)
@given(st.sampled_from(FORMS), st.integers(1, 30), st.integers(0, 99))
def test_directions_of_w_survive_every_form(form: str, count: int, seed: int) -> None:
    """Eleven and eighteen too, which could be taken for a vector a layer."""
    ours = [direction(seed=seed + index) for index in range(count)]
    theirs = read_directions(write_directions(ours, form, TOY), f"mine.{form}", TOY)
    assert [item.space for item in theirs] == ["w"] * count
    for left, right in zip(ours, theirs, strict=True):
        assert torch.allclose(left.vector, right.vector, atol=1e-6)


@pytest.mark.parametrize("count", [11, 18])
@pytest.mark.parametrize("form", FORMS)
def test_as_many_directions_as_layers_are_not_taken_for_one_with_a_vector_a_layer(form: str, count: int) -> None:
    ours = [direction(seed=index) for index in range(count)]
    assert len(read_directions(write_directions(ours, form, TOY), f"mine.{form}", TOY)) == count


@pytest.mark.parametrize("form", ["npy", "pt", "safetensors"])
def test_a_vector_a_layer_survives_the_published_forms(form: str, ffhq: FfhqGenerator) -> None:
    rows = torch.zeros(23, 512)
    rows[list(ffhq.slots.active)] = normal((16, 512), 3)
    ours = Direction("pose", "w_plus", rows / rows.norm(), ffhq.slots.active, 2.0, "a test")
    data = write_directions([ours], form, ffhq)
    if form == "npy":
        assert np.load(io.BytesIO(data)).shape == (18, 512)
    (theirs,) = read_directions(data, f"pose.{form}", ffhq)
    assert (theirs.space, theirs.slots) == ("w_plus", ffhq.slots.active)
    assert torch.allclose(theirs.vector, ours.vector, atol=1e-6)


@pytest.mark.parametrize("shape", [(512,), (1, 512), (1, 1, 512)])
@pytest.mark.parametrize("form", ["npy", "npz", "pt", "pkl", "safetensors"])
def test_one_vector_is_a_direction_named_after_its_file(shape: tuple[int, ...], form: str, ffhq: FfhqGenerator) -> None:
    vector = 4 * unit(shape, 5)
    data = {
        "npy": lambda: npy(vector),
        "npz": lambda: npz(boundary=vector),
        "pt": lambda: pt(vector),
        "pkl": lambda: pickle.dumps(vector.numpy()),
        "safetensors": lambda: save({"boundary": vector}),
    }[form]()
    (found,) = read_directions(data, f"/some/where/stylegan_ffhq_smile_w_boundary.{form}", ffhq)
    assert (found.name, found.space, found.slots) == ("stylegan_ffhq_smile_w_boundary", "w", ffhq.slots.active)
    assert torch.allclose(found.vector, vector.flatten() / 4, atol=1e-6)
    assert found.sigma == pytest.approx(statistics(ffhq).sigma(found.vector))
    assert "raw length 4" in found.source


def test_the_spread_is_ours_whatever_the_length_in_the_file() -> None:
    short, long = (read_directions(npy(scale * unit((1, WIDTH))), "a.npy", TOY)[0] for scale in (1e-3, 500))
    assert torch.allclose(short.vector, long.vector, atol=1e-6)
    assert short.sigma == pytest.approx(long.sigma, rel=1e-5)


@pytest.mark.parametrize("shape", [(18, 512), (1, 18, 512)])
def test_a_vector_a_layer_lands_in_our_slots(shape: tuple[int, ...], ffhq: FfhqGenerator) -> None:
    rows = torch.zeros(18, 512)
    rows[4:8] = normal((4, 512), 1)
    (found,) = read_directions(npy(rows.reshape(shape)), "eyes.npy", ffhq)
    assert (found.space, found.slots) == ("w_plus", ffhq.slots.published_range(range(4, 8)))
    assert float(found.vector.norm()) == pytest.approx(1, abs=1e-5)
    scale = rows[4].norm() / found.vector[found.slots[0]].norm()
    assert torch.allclose(found.vector[list(found.slots)] * scale, rows[4:8], atol=1e-4)
    assert 0 < found.sigma < 10


def test_eighteen_times_one_vector_is_that_vector_of_w(ffhq: FfhqGenerator) -> None:
    (found,) = read_directions(npy(unit((1, 512)).expand(18, 512)), "age.npy", ffhq)
    (plain,) = read_directions(npy(unit((1, 512))), "age.npy", ffhq)
    assert found.space == "w"
    assert torch.allclose(found.vector, plain.vector, atol=1e-6)
    assert found.sigma == pytest.approx(plain.sigma, rel=1e-5)


def test_a_step_along_nearly_equal_rows_is_a_step_along_their_vector(ffhq: FfhqGenerator) -> None:
    """The spread of a vector a layer is counted so that a strength means the same."""
    rows = unit((1, 512)).expand(18, 512).clone()
    rows[0] *= 1.0001
    (layered,) = read_directions(npy(rows), "age.npy", ffhq)
    (plain,) = read_directions(npy(rows[1:2]), "age.npy", ffhq)
    assert layered.space == "w_plus"
    face, active = Latent("w", random_w(ffhq, 1)), list(ffhq.slots.active)
    ours, theirs = (apply_directions(face, [(found, 2.0)], ffhq).latent.codes[:, active] for found in (layered, plain))
    assert torch.allclose(ours, theirs, atol=1e-3)


@pytest.mark.parametrize("count", [1, 2, 11, 17, 18, 40])
@pytest.mark.parametrize("form", ["npz", "pt", "pkl"])
def test_component_files_give_a_direction_a_component_and_none_for_means_and_spreads(count: int, form: str) -> None:
    """GANSpace's npz and the ffhq_pca.pt that comes with e4e."""
    comp = torch.stack([unit((1, WIDTH), index) for index in range(count)])
    mean, std = torch.zeros(1, WIDTH), torch.ones(count)
    content = {"comp": comp, "mean": mean, "std": std}
    published = dict(
        act_comp=comp, act_mean=mean, act_stdev=std, lat_comp=comp, lat_mean=mean, lat_stdev=std, var_ratio=std, random_stdevs=std
    )
    data = {
        "npz": lambda: npz(**{key: value.numpy() for key, value in published.items()}),
        "pt": lambda: pt(content),
        "pkl": lambda: pickle.dumps({key: value.numpy() for key, value in content.items()} | {"layer": "style"}),
    }[form]()
    found = read_directions(data, f"ffhq_pca.{form}", TOY)
    assert [item.name for item in found] == (["ffhq_pca"] if count == 1 else [f"ffhq_pca {index + 1}" for index in range(count)])
    for item, vector in zip(found, comp, strict=True):
        assert torch.allclose(item.vector, vector[0], atol=1e-6)


def test_exported_components_have_the_published_keys_and_spreads() -> None:
    ours = [replace(direction(seed=index), sigma=1.0 + index) for index in range(3)]
    archive = np.load(io.BytesIO(write_directions(ours, "npz", TOY)))
    assert archive["lat_comp"].shape == (3, 1, WIDTH)
    assert archive["lat_stdev"].tolist() == [1, 2, 3]
    assert np.allclose(archive["lat_mean"], statistics(TOY).mean.numpy())
    stored = torch.load(io.BytesIO(write_directions(ours, "pt", TOY)), weights_only=True)
    assert stored["comp"].shape == (3, 1, WIDTH)
    assert stored["std"].tolist() == [1, 2, 3]


def test_factorised_matrices_hold_their_directions_in_columns() -> None:
    matrix = torch.linalg.qr(normal((WIDTH, WIDTH), 1))[0]
    for data in (pt({"eigvec": matrix, "ckpt": "x.pt"}), pt(matrix)):
        found = read_directions(data, "factor.pt", TOY)
        assert len(found) == WIDTH
        assert torch.allclose(torch.stack([item.vector for item in found]), matrix.T, atol=1e-6)
    by_rows = read_directions(npy(matrix), "rows.npy", TOY)
    assert torch.allclose(torch.stack([item.vector for item in by_rows]), matrix, atol=1e-6)


def test_several_arrays_are_named_after_their_keys() -> None:
    found = read_directions(npz(age=unit((1, WIDTH)), pose=unit((2, WIDTH), 1)), "mine.npz", TOY)
    assert [item.name for item in found] == ["age", "pose 1", "pose 2"]


def test_a_file_of_very_many_directions_gives_the_first_ones() -> None:
    assert len(read_directions(npy(normal((MOST + 50, WIDTH), 1)), "many.npy", TOY)) == MOST


@pytest.mark.parametrize("shape", [(31,), (33,), (512,), (2, 31), (2, 3, 32), (0, 32), (32, 5), (), (1,), (32, 0)])
@pytest.mark.parametrize("form", ["npy", "npz", "safetensors"])
def test_wrong_shapes_get_a_sentence(shape: tuple[int, ...], form: str) -> None:
    array = np.ones(shape, np.float32)
    data = {"npy": lambda: npy(array), "npz": lambda: npz(x=array), "safetensors": lambda: save({"x": torch.from_numpy(array)})}[form]()
    with pytest.raises(SpaceError, match=r"has the shape .*\. Wanted are arrays of \(32,\), \(1,32\) or \(N,32\)"):
        read_directions(data, f"a.{form}", TOY)


def test_published_layers_fit_the_bundled_generator_only() -> None:
    with pytest.raises(SpaceError, match=r"fit the 1024 px generator only"):
        read_directions(npy(normal((18, WIDTH), 1)), "pose.npy", TOY)


@pytest.mark.parametrize("value", [0.0, float("nan"), float("inf"), -float("inf"), 1e-30, 1e30])
def test_vectors_that_point_nowhere_get_a_sentence(value: float) -> None:
    with pytest.raises(SpaceError, match=r"smile is zero or holds values that are not numbers\. Choose another file\."):
        read_directions(npy(np.full((1, WIDTH), value, np.float32)), "smile.npy", TOY)


def test_a_file_of_means_alone_holds_no_direction() -> None:
    with pytest.raises(SpaceError, match=r"pca\.npz holds no direction: mean \(32,\), std \(3,\) came\."):
        read_directions(npz(mean=np.zeros(WIDTH), std=np.ones(3)), "pca.npz", TOY)


@pytest.mark.parametrize(
    ("filename", "name"),
    [
        ("smile.npy", "smile"),
        ("some\\where\\smile.npy", "smile"),
        ("/a/b/smile.v2.npy", "smile.v2"),
        ("smi\x00le\n\u202e.npy", "smile"),
        ("   .npy", "imported"),
        (".npy", "imported"),
        ("x" * 500 + ".npy", "x" * 60),
        ("Lächeln ☺.NPY", "Lächeln ☺"),
        ("../../etc/passwd.npy", "passwd"),
        ("<script>alert(1)</script>.npy", "script>"),
    ],
)
def test_names_are_cleaned(filename: str, name: str) -> None:
    assert read_directions(npy(unit((WIDTH,))), filename, TOY)[0].name == name


@given(st.text(max_size=200))
def test_whatever_a_file_is_called_its_direction_has_a_short_printable_name(text: str) -> None:
    (found,) = read_directions(npy(unit((WIDTH,))), text + ".npy", TOY)
    assert 1 <= len(found.name) <= 60
    assert found.name.isprintable()


def described(**changes: Any) -> bytes:
    """A file of our own form with something else in its description."""
    entry = {"name": "smile", "space": "w", "slots": [0, 1], "sigma": 1.0, "source": "a test"} | changes
    return save({"direction_000": unit((WIDTH,))}, {"directions": json.dumps([entry])})


@pytest.mark.parametrize(
    "changes",
    [
        {"space": "s"},
        {"space": "w_plus"},
        {"space": "heaven"},
        {"slots": [3]},
        {"slots": [99]},
        {"slots": [-1]},
        {"slots": "all"},
        {"slots": None},
        {"slots": [float("inf")]},
        {"sigma": 0},
        {"sigma": -1},
        {"sigma": float("nan")},
        {"sigma": float("inf")},
        {"sigma": "loud"},
        {"sigma": None},
        {"sigma": 10**400},
    ],
)
def test_what_our_own_form_says_of_itself_is_checked(changes: dict[str, Any]) -> None:
    assert read_directions(described(), "a.safetensors", TOY)[0].name == "smile"
    with pytest.raises(SpaceError):
        read_directions(described(**changes), "a.safetensors", TOY)


@pytest.mark.parametrize("about", ["", "{", "[1]", "[{}]", "7", "null", '{"a": 1}', "[" * 100_000])
def test_a_damaged_description_gets_a_sentence(about: str) -> None:
    data = save({"direction_000": unit((WIDTH,))}, {"directions": about})
    with pytest.raises(SpaceError, match=r"description of its directions is damaged\. Export it again\."):
        read_directions(data, "a.safetensors", TOY)


@given(st.sampled_from(FORMS), st.lists(st.tuples(st.floats(0, 1, exclude_max=True), st.integers(0, 255)), min_size=1, max_size=5))
def test_a_damaged_file_is_read_or_refused_in_a_sentence(form: str, changes: list[tuple[float, int]]) -> None:
    data = bytearray(write_directions([direction(), direction(seed=1)], form, TOY))
    for place, value in changes:
        data[int(len(data) * place)] = value
    try:
        found = read_directions(bytes(data), f"a.{form}", TOY)
    except StudioError as error:
        assert str(error).endswith(".")
    else:
        assert all(bool(item.vector.isfinite().all()) and item.sigma > 0 for item in found)


def test_names_in_our_own_form_are_cleaned_and_kept_whole() -> None:
    names = ["yes / no", "v1.npy", "a\nb", "x" * 99]
    data = write_directions([direction(name=name) for name in names], "safetensors", TOY)
    assert [item.name for item in read_directions(data, "a.safetensors", TOY)] == ["yes / no", "v1.npy", "ab", "x" * 60]
    assert len(load(data)) == 4


@pytest.mark.parametrize("form", ["npy", "npz", "pt"])
@pytest.mark.parametrize("spaces", [("s",), ("z",), ("w", "s"), ("w_plus", "w_plus"), ("w", "w_plus")])
def test_forms_that_cannot_hold_a_direction_say_which_can(form: str, spaces: tuple[str, ...]) -> None:
    with pytest.raises(SpaceError, match=r"Choose safetensors, which holds all\."):
        write_directions([direction(space) for space in spaces], form, TOY)


@pytest.mark.parametrize(("form", "count"), [("pkl", 1), ("exe", 1), ("", 1), ("npy", 0), ("safetensors", 0)])
def test_no_such_form_and_nothing_to_write_get_a_sentence(form: str, count: int) -> None:
    with pytest.raises(SpaceError, match=r"choose at least one direction and one of safetensors, npy, npz, pt\."):
        write_directions([direction()] * count, form, TOY)


def test_hostile_pickles_are_refused() -> None:
    class Hostile:
        def __reduce__(self) -> tuple[Any, ...]:
            return eval, ("1/0",)

    with pytest.raises(WeightsError, match="only plain arrays are read"):
        read_directions(pickle.dumps({"comp": np.ones((1, WIDTH)), "x": Hostile()}), "a.pkl", TOY)
