"""StyleGAN2 against its paper, written out sample by sample; and methods at work on a generator of another make than the bundled one."""

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from scipy.signal import convolve2d
from torch import Tensor

from engines import InvertRequest, catalogue, create, load_generator
from engines.checks import quick
from engines.core.errors import CatalogueError, SpaceError
from engines.core.seeds import normal
from engines.generators.incremental import IncrementalRenderer
from engines.generators.stylegan2 import StyleGAN2, demodulated_conv, doubled, stylegan2_slots, tiny_stylegan2
from engines.spaces.directions import apply_directions
from engines.spaces.latent import Inversion, Latent
from engines.spaces.statistics import random_w

BINOMIAL = np.outer([1, 3, 3, 1], [1, 3, 3, 1]) / 16


@pytest.fixture(scope="module")
def generator() -> StyleGAN2:
    made = load_generator("stylegan2-tiny")
    assert isinstance(made, StyleGAN2)
    return made


def by_the_book(x: Tensor, style: Tensor, kernel: Tensor, *, up: bool) -> Tensor:
    """Eq. 1 and 3, a sample at a time: the kernel itself is scaled, and each output's kernel brought to unit length."""
    drawn = []
    for features, s in zip(x.double(), style.double(), strict=True):
        w = kernel.double() * s[None, :, None, None]
        w = w / (w.square().sum(dim=(1, 2, 3), keepdim=True) + 1e-8).sqrt()
        drawn.append(enlarged(features, w) if up else F.conv2d(features[None], w, padding=1)[0])
    return torch.stack(drawn).float()


def enlarged(features: Tensor, w: Tensor) -> Tensor:
    """Each value spread by the kernel over a grid of twice the size, then the binomial filter."""
    side = features.shape[-1]
    wide = np.zeros((w.shape[0], 2 * side + 1, 2 * side + 1))
    for y in range(3):
        for x in range(3):
            wide[:, y : y + 2 * side : 2, x : x + 2 * side : 2] += np.einsum("oi,ihw->ohw", w[:, :, y, x].numpy(), features.numpy())
    return torch.tensor(np.stack([convolve2d(np.pad(channel, 1), BINOMIAL, mode="valid") for channel in wide]))


@pytest.mark.parametrize("up", [False, True])
def test_the_convolution_is_that_of_the_paper_for_each_sample(up: bool) -> None:
    x, style, kernel = normal((3, 5, 6, 6), 1), 1 + normal((3, 5), 2), normal((4, 5, 3, 3), 3)
    assert torch.allclose(demodulated_conv(x, style, kernel, up=up), by_the_book(x, style, kernel, up=up), atol=1e-5)


@pytest.mark.parametrize("up", [False, True])
def test_the_length_of_a_style_does_not_count(up: bool) -> None:
    x, style, kernel = normal((2, 5, 6, 6), 1), 1 + normal((2, 5), 2), normal((4, 5, 3, 3), 3)
    assert torch.allclose(demodulated_conv(x, 7 * style, kernel, up=up), demodulated_conv(x, style, kernel, up=up), atol=1e-5)


def test_a_picture_is_doubled_by_the_binomial_filter() -> None:
    picture = normal((2, 3, 5, 5), 1)
    gaps = np.zeros((2, 3, 10, 10))
    gaps[..., ::2, ::2] = picture.numpy()
    expected = [[convolve2d(np.pad(channel, (2, 1)), BINOMIAL, mode="valid") for channel in one] for one in gaps]
    assert torch.allclose(doubled(picture), torch.tensor(np.array(expected)).float(), atol=1e-5)
    assert torch.allclose(doubled(torch.ones(1, 3, 8, 8))[..., 2:-2, 2:-2], torch.ones(1, 3, 12, 12), atol=1e-6)


def test_it_draws_what_the_paper_says(generator: StyleGAN2) -> None:
    weights, w = generator.weights, generator.map(normal((2, generator.width), 3))

    def style(layer: str) -> Tensor:
        return F.linear(w, weights[f"{layer}.modulation.weight"], weights[f"{layer}.modulation.bias"])

    def convolved(x: Tensor, layer: str, *, up: bool = False) -> Tensor:
        x = by_the_book(x, style(layer), weights[f"{layer}.weight"], up=up)
        return 2**0.5 * F.leaky_relu(x + weights[f"{layer}.noise"] + weights[f"{layer}.bias"][None, :, None, None], 0.2)

    def painted(x: Tensor, layer: str) -> Tensor:
        return torch.einsum("bchw,oc,bc->bohw", x, weights[f"{layer}.weight"][..., 0, 0], style(layer))

    x = convolved(weights["const"].expand(2, -1, -1, -1), "conv_4")
    picture = painted(x, "to_rgb_4")
    for side in (8, 16, 32, 64):
        x = convolved(convolved(x, f"up_{side}", up=True), f"conv_{side}")
        picture = doubled(picture) + painted(x, f"to_rgb_{side}")
    assert torch.allclose(generator.synthesize(w), picture, atol=1e-4)


def test_w_plus_is_the_published_one_at_1024_px() -> None:
    slots = stylegan2_slots(1024)
    assert slots.count == 18 and slots.active == tuple(range(18))
    assert (slots.of_layer("conv_4"), slots.of_layer("to_rgb_4"), slots.of_layer("up_8"), slots.of_layer("conv_1024")) == (0, 1, 1, 16)
    assert slots.of_layer("to_rgb_1024") == 17
    assert {name: len(layers) for name, layers in slots.groups.items()} == {"all": 18, "coarse": 3, "middle": 4, "fine": 11}
    codes = normal((1, 18, 4), 1)
    assert torch.equal(slots.to_published(slots.from_published(codes)), codes)
    assert slots.published_range([0, 17]) == (0, 17)
    with pytest.raises(SpaceError, match="1024 px generator only; this one has 10 layers"):
        stylegan2_slots(64).from_published(codes)


def test_equal_seeds_make_equal_ones(generator: StyleGAN2) -> None:
    other = tiny_stylegan2()
    assert all(torch.equal(other.weights[name], value) for name, value in generator.weights.items())
    assert not torch.equal(tiny_stylegan2(seed=1).weights["const"], other.weights["const"])


def test_a_sketch_draws_what_plain_drawing_does(generator: StyleGAN2) -> None:
    renderer, face = IncrementalRenderer(generator), Inversion(Latent("w", random_w(generator, 1)))
    direction = create("sefa", generator)(catalogue()["sefa"].accepts.example(generator), count=1, layers="fine").directions[0]
    for strength in (0.0, 1.0, -2.0):
        moved = apply_directions(face, [(direction, strength)], generator)
        assert torch.equal(renderer.draw(moved), generator.synthesize(moved.latent, features=moved.features))


@pytest.mark.parametrize("name", ["projector", "image2stylegan", "image2stylegan_pp_mix", "stylemap_inversion", "pti", "spatial"])
def test_methods_find_codes_that_draw_their_result(name: str, generator: StyleGAN2) -> None:
    engine = catalogue()[name]
    result = create(name, generator)(engine.accepts.example(generator), **quick(engine.knob_set))
    assert result.inversions
    for index, inversion in enumerate(result.inversions):
        again = generator.synthesize(inversion.latent, tuning=inversion.tuning, features=inversion.features)
        assert torch.allclose(again, result.images[index : index + 1], atol=1e-4)


@pytest.mark.parametrize("name", ["sefa", "ganspace", "interfacegan", "stylespace"])
def test_methods_find_directions_that_move_its_pictures(name: str, generator: StyleGAN2) -> None:
    engine, face = catalogue()[name], Latent("z", normal((1, generator.width), 4))
    directions = create(name, generator)(engine.accepts.example(generator), **quick(engine.knob_set)).directions
    assert directions
    for direction in directions:
        moved = apply_directions(face, [(direction, 2.0)], generator)
        picture = generator.synthesize(moved.latent, features=moved.features)
        assert not torch.allclose(picture, generator.synthesize(face), atol=1e-4)


@pytest.mark.parametrize("name", ["pca", "changes", "trajectories"])
def test_its_spaces_can_be_looked_at(name: str, generator: StyleGAN2) -> None:
    engine = catalogue()[name]
    result = create(name, generator)(engine.accepts.example(generator), **quick(engine.knob_set))
    assert torch.isfinite(result.images).all() and float(result.images.std()) > 0


def test_an_inversion_comes_nearer_to_its_photo(generator: StyleGAN2) -> None:
    photo = generator.synthesize(random_w(generator, 9))
    few, many = (create("image2stylegan", generator)(InvertRequest(image=photo), quick_steps=1, steps=steps).images for steps in (1, 40))
    assert float((many - photo).square().mean()) < 0.7 * float((few - photo).square().mean())


def test_where_no_encoder_was_trained_the_projector_finds_the_pivot(generator: StyleGAN2) -> None:
    bare = StyleGAN2("bare", generator.weights)
    request = catalogue()["pti"].accepts.example(bare)
    with pytest.raises(CatalogueError, match=r"needs encoders, which the generator bare does not offer\."):
        create("psp", bare)
    given = create("pti", bare)(request, steps=2, quick_steps=2, pivot="projector")
    assert torch.equal(create("pti", bare)(request, steps=2, quick_steps=2).images, given.images)
