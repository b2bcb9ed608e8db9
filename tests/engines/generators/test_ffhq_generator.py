"""the generator's behaviour, on the toy: 64 px, exits at 16 and 32 px, blocks of 8, 16 and 32 px."""

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor

from engines.core.errors import SpaceError
from engines.core.seeds import normal
from engines.generators import FfhqGenerator, Generator
from engines.generators.base import Prefix
from engines.generators.toy import toy as new_toy
from engines.spaces.latent import Latent
from engines.spaces.statistics import random_w

TIGHT = 1e-5


@pytest.fixture
def w(toy: FfhqGenerator) -> Tensor:
    return random_w(toy, 1)


@pytest.fixture
def w_plus(toy: FfhqGenerator) -> Tensor:
    """A code whose slots all differ."""
    return toy.map(normal((toy.slots.count, toy.width), 7))[None]


def plainly(generator: FfhqGenerator, w: Tensor) -> Tensor:
    """The same network by the book: styles on the features, one Haar step at a time, no memory format."""
    weights = generator.weights

    def style(layer: str) -> Tensor:
        return F.linear(w, weights[f"{layer}.modulation.weight"], weights[f"{layer}.modulation.bias"])[:, :, None, None]

    def haar(x: Tensor) -> Tensor:
        ll, lh, hl, hh = x.chunk(4, dim=1)
        rows = [torch.stack((ll + lh + s * (hl + hh), ll - lh + s * (hl - hh)), dim=3).flatten(2, 3) for s in (1, -1)]
        return torch.stack(rows, dim=4).flatten(3, 4)

    x = F.conv2d(weights["const"] * style("conv_4"), weights["conv_4.weight"], weights["conv_4.bias"], padding=1)
    x = F.leaky_relu(x + weights["conv_4.noise"], 0.2)
    for size in generator.slots.blocks:
        x = haar(x * style(f"up_{size}"))
        for layer in (f"conv1_{size}", f"conv2_{size}"):
            x = F.conv2d(x * style(layer), weights[f"{layer}.depthwise"], padding=1, groups=x.shape[1])
            x = F.conv2d(x, weights[f"{layer}.pointwise"], weights[f"{layer}.bias"])
            x = F.leaky_relu(x + weights[f"{layer}.noise"], 0.2)
    last = f"to_img_{generator.slots.blocks[-1]}"
    return haar(F.conv2d(x * style(last), weights[f"{last}.weight"], weights[f"{last}.bias"]))


def test_it_keeps_the_protocol(toy: FfhqGenerator) -> None:
    assert isinstance(toy, Generator)
    assert (toy.resolution, toy.exits, toy.width, toy.slots.count) == (64, (16, 32, 64), 32, 11)


def test_equal_seeds_make_equal_toys(toy: FfhqGenerator) -> None:
    other = new_toy()
    assert all(torch.equal(other.weights[name], value) for name, value in toy.weights.items())
    assert not torch.equal(new_toy(seed=1).weights["const"], toy.weights["const"])


def test_it_lives_where_it_is_told(device: torch.device) -> None:
    generator = new_toy(device)
    image = generator.synthesize(generator.map(normal((1, generator.width), 1, device)))
    assert image.device.type == generator.device.type == device.type
    assert torch.allclose(image.cpu(), new_toy().synthesize(new_toy().map(normal((1, 32), 1))), atol=1e-3)


def test_it_draws_what_the_formulas_say(toy: FfhqGenerator) -> None:
    w = toy.map(normal((2, toy.width), 3))
    assert torch.allclose(toy.synthesize(w), plainly(toy, w), atol=TIGHT)


@pytest.mark.parametrize("size", [None, 16, 32])
def test_dead_slots_do_not_show(toy: FfhqGenerator, w_plus: Tensor, size: int | None) -> None:
    dead = [slot for slot in range(toy.slots.count) if slot not in toy.slots.active]
    other = w_plus.clone()
    other[:, dead] = 9.0
    assert torch.equal(toy.synthesize(other, size=size), toy.synthesize(w_plus, size=size))


def test_a_style_that_differs_from_side_to_side_changes_its_side(toy: FfhqGenerator, w: Tensor) -> None:
    theirs, layers = random_w(toy, 2), ("up_32", "conv1_32", "conv2_32", "to_img_32")
    right = torch.zeros(1, 1, 32, 32)
    right[..., 16:] = 1

    def mixed(layer: str) -> Tensor:
        part = toy.layout("s")[layer]
        ours, other = (toy.styles(code).codes[:, part, None, None] for code in (w, theirs))
        mask = F.interpolate(right, scale_factor=0.5) if layer == "up_32" else right
        return ours * (1 - mask) + other * mask

    codes = toy.slots.spread(w).clone()
    codes[:, [toy.slots.of_layer(layer) for layer in layers]] = theirs
    all_left, all_right = toy.synthesize(w), toy.synthesize(codes)
    image = toy.synthesize(w, features={f"style/{layer}": mixed(layer) for layer in layers})
    assert torch.allclose(image[..., :24], all_left[..., :24], atol=TIGHT)
    assert torch.allclose(image[..., 40:], all_right[..., 40:], atol=TIGHT)
    assert float((all_left - all_right).abs().mean()) > 0.01


def test_a_feature_is_added_behind_its_layer(toy: FfhqGenerator, w: Tensor) -> None:
    zero = {"feature/conv1_16": torch.zeros(1, 16, 16, 16), "feature/conv_4": torch.zeros(1, 16, 4, 4)}
    assert torch.equal(toy.synthesize(w, features=zero), toy.synthesize(w))
    bump = torch.zeros(1, 16, 32, 32)
    bump[..., 16, 16] = 1.0
    change = (toy.synthesize(w, features={"feature/conv2_32": bump}) - toy.synthesize(w)).abs().amax(dim=1)[0]
    assert float(change[32:34, 32:34].min()) > 0  # one feature is one Haar cell of two by two pixels
    change[32:34, 32:34] = 0
    assert float(change.max()) < TIGHT


def test_tuning_is_added_to_the_weights(toy: FfhqGenerator, w: Tensor) -> None:
    tuning = {name: 0.05 * normal(tuple(value.shape), index) for index, (name, value) in enumerate(toy.tunable().items())}
    bent = FfhqGenerator("bent", toy.weights | {name: toy.weights[name] + change for name, change in tuning.items()}, {})
    assert torch.allclose(toy.synthesize(w, tuning=tuning), bent.synthesize(w), atol=TIGHT)
    assert not torch.allclose(toy.synthesize(w, tuning=tuning), toy.synthesize(w), atol=1e-2)


@pytest.mark.parametrize("size", [16, 32])
def test_an_exit_draws_its_size_and_hears_the_code(toy: FfhqGenerator, w: Tensor, size: int) -> None:
    image = toy.synthesize(w, size=size)
    assert image.shape == (1, 3, size, size)
    assert torch.equal(toy.synthesize(Latent("w", w), size=size), image)
    assert not torch.allclose(toy.synthesize(random_w(toy, 2), size=size), image, atol=1e-4)


def test_a_generator_without_exits_draws_the_full_picture_only(toy: FfhqGenerator, w: Tensor) -> None:
    bare = FfhqGenerator("bare", toy.weights, {})
    assert bare.exits == (64,)
    assert torch.equal(bare.synthesize(w), toy.synthesize(w))


@pytest.mark.parametrize(("pixels", "side"), [(1, 16), (24, 16), (25, 32), (48, 32), (49, 64), (1024, 64)])
def test_the_nearest_exit_is_found_for_any_side(toy: FfhqGenerator, pixels: int, side: int) -> None:
    assert toy.nearest_exit(pixels) == side


@pytest.mark.parametrize(
    ("code", "options", "sentence"),
    [
        (torch.zeros(1, 31), {}, r"with shape \(1, 31\) came; w is \(batch, 32\), w_plus is \(batch, 11, 32\)\."),
        (torch.zeros(1, 10, 32), {}, r"has 10 layers; the generator has 11\."),
        (torch.zeros(1, 1, 11, 32), {}, r"with shape \(1, 1, 11, 32\) came"),
        (Latent("w", torch.zeros(1, 11, 32)), {}, r"space w with shape \(1, 11, 32\) came"),
        (Latent("w_plus", torch.zeros(1, 32)), {}, r"space w_plus with shape \(1, 32\) came"),
        (Latent("stylemap", torch.zeros(1, 32)), {}, r"space stylemap with shape"),
        (Latent("s", torch.zeros(1, 32)), {}, r"A code of S with shape \(1, 32\) came; it is \(batch, 140\)\."),
        (Latent("s", torch.zeros(1, 140)), {"size": 32}, r"A code in S draws only the full picture.*Leave `size` out\."),
        (torch.zeros(1, 32), {"size": 48}, r"draws 16, 32, 64 px; 48 came\."),
        (
            torch.zeros(1, 32),
            {"tuning": {"conv_5.weight": torch.zeros(1)}},
            r"names 'conv_5\.weight', which the generator toy does not have\.",
        ),
        (
            torch.zeros(1, 32),
            {"features": {"noise/conv_5": torch.zeros(1, 1, 4, 4)}},
            r"'noise/conv_5' came; wanted grid, or noise/LAYER, style/LAYER, shift/LAYER or",
        ),
        (torch.zeros(1, 32), {"features": {"colour/conv_4": torch.zeros(1, 1, 4, 4)}}, r"'colour/conv_4' came"),
        (torch.zeros(1, 32), {"size": 16, "resume": Prefix(32, torch.zeros(1, 16, 16, 16))}, r"block of 32 px came; a picture of 16 px"),
    ],
)
def test_what_does_not_fit_is_refused_in_a_sentence(
    toy: FfhqGenerator, code: Latent | Tensor, options: dict[str, object], sentence: str
) -> None:
    with pytest.raises(SpaceError, match=sentence):
        toy.synthesize(code, **options)  # type: ignore[arg-type]
