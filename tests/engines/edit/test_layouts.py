"""What arrays are, told by their roles on the bundled generator."""

import io
import pickle
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor

from engines.core.errors import SpaceError
from engines.core.seeds import normal, z_codes
from engines.edit.codes import read_codes
from engines.edit.effect import HARDLY, effect
from engines.edit.imported import holds_codes, in_z, read_directions
from engines.generators import FfhqGenerator
from engines.spaces.directions import Direction
from engines.spaces.statistics import random_w, statistics


def unit(*shape: int, seed: int = 0) -> np.ndarray:
    rows = normal(shape, seed)
    return (rows / rows.norm(dim=-1, keepdim=True)).numpy()


def npy(array: Any) -> bytes:
    buffer = io.BytesIO()
    np.save(buffer, np.asarray(array), allow_pickle=True)
    return buffer.getvalue()


def npz(**named: Any) -> bytes:
    buffer = io.BytesIO()
    np.savez(buffer, **named)
    return buffer.getvalue()


def pt(content: Any, **options: Any) -> bytes:
    buffer = io.BytesIO()
    torch.save(content, buffer, **options)
    return buffer.getvalue()


@pytest.mark.parametrize("shape", [(9216,), (1, 9216), (9216, 1), (1, 1, 9216), (18, 512), (1, 18, 512), (1, 1, 18, 512)])
def test_a_vector_a_layer_is_one_direction_in_any_shape(shape: tuple[int, ...], ffhq: FfhqGenerator) -> None:
    rows = unit(9216).reshape(18, 512)
    (found,) = read_directions(npy(rows.reshape(shape)), "Smiling_boundary.npy", ffhq)
    assert (found.space, found.name, found.slots) == ("w_plus", "Smiling_boundary", ffhq.slots.active)
    published = ffhq.slots.to_published(found.vector[None])[0].numpy()
    scale = np.linalg.norm(published[0]) / np.linalg.norm(rows[0])
    assert np.allclose(published[:15], scale * rows[:15], atol=1e-5)


def test_our_own_number_of_layers_is_known_too(ffhq: FfhqGenerator) -> None:
    for shape in ((23, 512), (23 * 512,), (1, 23, 512)):
        (found,) = read_directions(npy(unit(23 * 512).reshape(shape)), "mine.npy", ffhq)
        assert found.space == "w_plus"


STATISTICS = [
    "X_mean",
    "mean",
    "mean_",
    "latMean",
    "w_avg",
    "average",
    "lat_stdev",
    "X_stdev",
    "std",
    "stddev",
    "X_var_ratio",
    "var_",
    "eigenvalues",
]
STATISTICS += [
    "eigvals",
    "singular_values_",
    "S",
    "explained_variance_",
    "explained_variance_ratio_",
    "intercept_",
    "bias",
    "center",
    "scale",
]


@pytest.mark.parametrize("statistic", STATISTICS)
@pytest.mark.parametrize("rows", ["X_comp", "components_", "V", "directions"])
def test_a_statistic_beside_components_is_no_direction_whatever_it_is_called(statistic: str, rows: str, ffhq: FfhqGenerator) -> None:
    for place in (True, False):
        named = {statistic: 23 * unit(512), rows: unit(8, 512)}
        found = read_directions(npz(**(named if place else dict(reversed(named.items())))), "ffhq_PCA.npz", ffhq)
        assert [one.name for one in found] == [f"ffhq_PCA {index}" for index in range(1, 9)]
        assert np.allclose(found[0].vector.numpy(), named[rows][0], atol=1e-6)


@pytest.mark.parametrize("values", [np.abs(normal((512,), 2).numpy()) + 0.1, 23 * unit(512), unit(512)], ids=["positive", "long", "unit"])
def test_a_lone_vector_beside_rows_is_a_helper_by_its_role(values: np.ndarray, ffhq: FfhqGenerator) -> None:
    assert len(read_directions(npz(m=values, rows=unit(80, 512)), "pca.npz", ffhq)) == 80


def test_a_whole_square_of_components_gives_its_rows(ffhq: FfhqGenerator) -> None:
    comp = torch.linalg.qr(normal((512, 512), 3))[0].numpy()
    content = {"X_mean": 23 * unit(512), "X_comp": comp, "X_stdev": np.ones(512, "f4"), "X_var_ratio": np.ones(512, "f4") / 512}
    found = read_directions(npz(**content), "ffhq_PCA.npz", ffhq)
    assert len(found) == 512 and np.allclose(found[1].vector.numpy(), comp[1], atol=1e-5)


@pytest.mark.parametrize("layers", [12, 14, 16])
@pytest.mark.parametrize("resting", [True, False])
def test_a_vector_a_layer_of_another_generator_is_told_for_what_it_is(layers: int, resting: bool, ffhq: FfhqGenerator) -> None:
    rows = unit(layers, 512) * np.linspace(1, 1.3, layers, dtype="f4")[:, None]
    rows[: 5 * resting] = 0
    side = {12: 128, 14: 256, 16: 512}[layers]
    for array in (rows, rows[None], {"boundary": rows[None], "meta_data": {"manipulate_layers": [0, 1]}}):
        with pytest.raises(SpaceError, match=rf"a vector for each of {layers} layers, as StyleGAN of {side} px") as caught:
            read_directions(npy(array), "csc_blue.npy", ffhq)
        assert "is zero" not in str(caught.value)


def test_one_vector_for_all_layers_of_any_generator_is_that_vector(ffhq: FfhqGenerator) -> None:
    (found,) = read_directions(npy(np.repeat(unit(1, 512), 14, axis=0)), "age.npy", ffhq)
    assert found.space == "w" and np.allclose(found.vector.numpy(), unit(512), atol=1e-6)


def test_a_zero_row_among_directions_is_left_out(ffhq: FfhqGenerator) -> None:
    rows = unit(30, 512)
    rows[4] = 0
    found = read_directions(npy(rows), "many.npy", ffhq)
    assert len(found) == 29 and found[4].name == "many 6"


@pytest.mark.parametrize(
    ("width", "words"), [(9088, "styles"), (128, "BigGAN"), (256, "256 values of another space"), (1536, "3 times 512")]
)
def test_other_widths_are_named(width: int, words: str, ffhq: FfhqGenerator) -> None:
    with pytest.raises(SpaceError, match=words):
        read_directions(npy(unit(1, width)), "a.npy", ffhq)


def test_what_ganspace_says_of_a_direction_is_kept(ffhq: FfhqGenerator) -> None:
    content = {
        "name": "Light direction",
        "sigma_range": np.float32(2.0),
        "act_comp": unit(1, 512),
        "lat_comp": unit(1, 512, seed=1),
        "latent_space": "W",
        "lat_stdev": 0.6,
        "edit_start": 8,
        "edit_end": 11,  # the first that is not edited
        "decomposition": {"name": "ipca", "layer": "style"},
    }
    for data in (
        pickle.dumps(content),
        pt(content),
        pt(content, _use_new_zipfile_serialization=False),
        npy(np.array(content, dtype=object)),
    ):
        (found,) = read_directions(data, "StyleGAN2-Light.pkl", ffhq)
        assert (found.name, found.space, found.sigma) == ("Light direction", "w", pytest.approx(0.6))
        assert found.slots == ffhq.slots.published_range(range(8, 11))
        assert np.allclose(found.vector.numpy(), content["lat_comp"][0], atol=1e-6)
    (far,) = read_directions(pickle.dumps(content | {"lat_stdev": 60.0}), "a.pkl", ffhq)
    assert far.sigma == pytest.approx(statistics(ffhq).sigma(far.vector))
    (of_z,) = read_directions(pickle.dumps(content | {"latent_space": "Z"}), "a.pkl", ffhq)
    assert (of_z.space, of_z.sigma) == ("z", 1.0)


def codes(ffhq: FfhqGenerator) -> dict[str, Tensor]:
    w = torch.cat([random_w(ffhq, seed, truncation) for seed, truncation in ((1, 1.0), (2, 0.7), (3, 0.5))])
    layered = w[:1, None] + statistics(ffhq).deviation * 0.7 * normal((1, 18, 512), 4)
    return {
        "w": w[:1],
        "several": w,
        "repeated": w[1:2, None].expand(1, 18, 512),
        "w_plus": layered,
        "z": z_codes(1, 512, 5),
        "one": w[None, :1],
    }


@pytest.mark.parametrize("name", ["w", "several", "repeated", "w_plus", "z", "one"])
@pytest.mark.parametrize("form", ["npy", "npz", "pt", "nested", "pkl"])
def test_a_code_is_no_direction_and_comes_back_as_a_face(name: str, form: str, ffhq: FfhqGenerator) -> None:
    """Told by where it lies: about W's mean, or as Z is spread; its file has an idle name."""
    code = codes(ffhq)[name].contiguous()
    data = {
        "npy": lambda: npy(code.numpy()),
        "npz": lambda: npz(w=code.numpy()),
        "pt": lambda: pt(code),
        "nested": lambda: pt({"photo.png": {"latent": code, "noise": [torch.zeros(1, 1, 4, 4)], "img": torch.zeros(3, 8, 8)}}),
        "pkl": lambda: pickle.dumps(code.numpy()),
    }[form]()
    with pytest.raises(SpaceError, match="holds a face's code"):
        read_directions(data, f"somebody.{form}", ffhq)
    assert holds_codes(data, f"somebody.{form}", ffhq)
    found = read_codes(data, f"somebody.{form}", ffhq)
    wanted = ffhq.slots.from_published(code) if name == "w_plus" else code[0, :1] if name == "repeated" else code.reshape(-1, 512)
    got = torch.cat([one.latent.codes for one in found])
    assert {one.latent.space for one in found} == {"z" if name == "z" else "w_plus" if wanted.dim() == 3 else "w"}
    assert torch.equal(got, wanted)


@pytest.mark.parametrize("length", [0.2, 1, 5])
@pytest.mark.parametrize("make", [lambda: unit(1, 512, seed=3), lambda: unit(9216, seed=4).reshape(18, 512)])
def test_a_direction_is_no_code_whatever_its_length(length: float, make: Callable[[], np.ndarray], ffhq: FfhqGenerator) -> None:
    data = npy(length * make())
    assert not holds_codes(data, "latent_smile.npy", ffhq)
    assert len(read_directions(data, "latent_smile.npy", ffhq)) == 1
    with pytest.raises(SpaceError, match="holds directions, not a face's code"):
        read_codes(data, "smile.npy", ffhq)


def test_a_direction_of_another_space_moves_a_face_far_less(ffhq: FfhqGenerator) -> None:
    own = statistics(ffhq).bank[:2000]
    axes = torch.linalg.eigh(torch.cov(own.T)).eigenvectors
    strong, strange = (
        Direction("a", "w", vector, ffhq.slots.active, statistics(ffhq).sigma(vector), "a test")
        for vector in (axes[:, -5], torch.from_numpy(unit(512, seed=7)))
    )
    assert effect(strong, ffhq) > HARDLY > effect(strange, ffhq)
    assert (in_z(strange).space, in_z(strange).sigma) == ("z", 1.0)
