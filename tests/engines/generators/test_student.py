"""The student's behaviour, on the toy: 64 px, exits at 16 and 32 px, blocks of 8, 16 and 32 px."""

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor

from engines.core.errors import SpaceError
from engines.core.seeds import normal
from engines.generators import Generator, Student
from engines.generators.base import Prefix
from engines.generators.toy import toy as new_toy
from engines.spaces.directions import apply
from engines.spaces.latent import Latent
from engines.spaces.statistics import random_w

TIGHT = 1e-5


@pytest.fixture
def w(toy: Student) -> Tensor:
    return random_w(toy, 1)


@pytest.fixture
def w_plus(toy: Student) -> Tensor:
    """A code whose slots all differ."""
    return toy.map(normal((toy.slots.count, toy.width), 7))[None]


def plainly(generator: Student, w: Tensor) -> Tensor:
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
    for size in generator.blocks:
        x = haar(x * style(f"up_{size}"))
        for layer in (f"conv1_{size}", f"conv2_{size}"):
            x = F.conv2d(x * style(layer), weights[f"{layer}.depthwise"], padding=1, groups=x.shape[1])
            x = F.conv2d(x, weights[f"{layer}.pointwise"], weights[f"{layer}.bias"])
            x = F.leaky_relu(x + weights[f"{layer}.noise"], 0.2)
    last = f"to_img_{generator.blocks[-1]}"
    return haar(F.conv2d(x * style(last), weights[f"{last}.weight"], weights[f"{last}.bias"]))


def test_it_keeps_the_protocol(toy: Student) -> None:
    assert isinstance(toy, Generator)
    assert (toy.resolution, toy.exits, toy.width, toy.slots.count) == (64, (16, 32, 64), 32, 11)


def test_equal_seeds_make_equal_toys(toy: Student) -> None:
    other = new_toy()
    assert all(torch.equal(other.weights[name], value) for name, value in toy.weights.items())
    assert not torch.equal(new_toy(seed=1).weights["const"], toy.weights["const"])


def test_toy_pictures_are_about_in_range(toy: Student) -> None:
    spreads = toy.synthesize(toy.map(normal((16, toy.width), 3))).std(dim=(1, 2, 3))
    assert 0.1 < float(spreads.median()) < 0.5
    assert float(spreads.max()) < 2


def test_it_lives_where_it_is_told(device: torch.device) -> None:
    generator = new_toy(device)
    image = generator.synthesize(generator.map(normal((1, generator.width), 1, device)))
    assert image.device.type == generator.device.type == device.type
    assert torch.allclose(image.cpu(), new_toy().synthesize(new_toy().map(normal((1, 32), 1))), atol=1e-3)


def test_it_draws_what_the_formulas_say(toy: Student) -> None:
    w = toy.map(normal((2, toy.width), 3))
    assert torch.allclose(toy.synthesize(w), plainly(toy, w), atol=TIGHT)


def test_nothing_given_is_the_plain_forward_bit_for_bit(toy: Student, w: Tensor) -> None:
    plain = toy.synthesize(w)
    for same in (
        toy.synthesize(w, tuning=None, features=None, size=None, resume=None),
        toy.synthesize(w, tuning={}, features={}),
        toy.synthesize(w, size=toy.resolution),
        toy.synthesize(Latent("w", w)),
        toy.synthesize(apply(Latent("w", w), [], toy).latent),
        toy.synthesize(toy.slots.spread(w)),
        toy.synthesize(w, tuning={name: torch.zeros_like(value) for name, value in toy.tunable().items()}),
    ):
        assert torch.equal(same, plain)


def test_z_is_mapped_first(toy: Student) -> None:
    z = normal((1, toy.width), 2)
    assert torch.equal(toy.synthesize(Latent("z", z)), toy.synthesize(toy.map(z)))


def test_mapping_forgets_the_length_of_z(toy: Student) -> None:
    z = normal((3, toy.width), 2)
    assert torch.allclose(toy.map(5 * z), toy.map(z), atol=TIGHT)


@pytest.mark.parametrize("size", [None, 16, 32])
def test_a_batch_draws_what_each_code_draws(toy: Student, size: int | None) -> None:
    w = toy.map(normal((2, toy.width), 3))
    singles = torch.cat([toy.synthesize(code[None], size=size) for code in w])
    assert torch.allclose(toy.synthesize(w, size=size), singles, atol=TIGHT)


@pytest.mark.parametrize("block", [8, 16, 32])
@pytest.mark.parametrize("size", [None, 32])
def test_resuming_equals_the_full_forward(toy: Student, w_plus: Tensor, block: int, size: int | None) -> None:
    resumed = toy.synthesize(w_plus, resume=toy.prefix(w_plus, block), size=size)
    assert torch.allclose(resumed, toy.synthesize(w_plus, size=size), atol=1e-6)


def test_a_prefix_takes_no_notice_of_later_slots(toy: Student, w: Tensor, w_plus: Tensor) -> None:
    """That is what makes live sliders on fine layers cheap."""
    later = toy.slots.spread(w).clone()
    fine = [slot for slot in toy.slots.active if slot >= toy.slots.of_layer("up_32")]
    later[:, fine] = w_plus[:, fine]
    assert torch.allclose(toy.synthesize(later, resume=toy.prefix(w, 32)), toy.synthesize(later), atol=1e-6)


def test_s_draws_what_its_w_draws(toy: Student, w: Tensor, w_plus: Tensor) -> None:
    for code in (w, w_plus, toy.map(normal((2, toy.width), 3))):
        styles = toy.styles(code)
        assert styles.space == "s"
        assert styles.codes.shape[1] == list(toy.layout("s").values())[-1].stop
        assert torch.allclose(toy.synthesize(styles), toy.synthesize(code), atol=TIGHT)


def test_layouts_tile_their_spaces(toy: Student) -> None:
    for space, length in (("z", 32), ("w", 32), ("w_plus", 11), ("s", toy.styles(random_w(toy, 1)).codes.shape[1])):
        ends = [0, *(part.stop for part in toy.layout(space).values())]
        assert [part.start for part in toy.layout(space).values()] == ends[:-1]
        assert ends[-1] == length


def test_affine_maps_w_to_styles(toy: Student, w: Tensor) -> None:
    layers = ("conv_4", "up_16", "to_img_32")
    biases = torch.cat([toy.weights[f"{layer}.modulation.bias"] for layer in layers])
    expected = torch.cat([toy.styles(w).codes[:, toy.layout("s")[layer]] for layer in layers], dim=1)
    assert torch.allclose(F.linear(w, toy.affine(layers), biases), expected, atol=TIGHT)


@pytest.mark.parametrize("size", [None, 16, 32])
def test_dead_slots_do_not_show(toy: Student, w_plus: Tensor, size: int | None) -> None:
    dead = [slot for slot in range(toy.slots.count) if slot not in toy.slots.active]
    other = w_plus.clone()
    other[:, dead] = 9.0
    assert torch.equal(toy.synthesize(other, size=size), toy.synthesize(w_plus, size=size))


@pytest.mark.parametrize("size", [None, 16, 32])
def test_every_active_slot_shows(toy: Student, w_plus: Tensor, size: int | None) -> None:
    """At the exits too, so that fine edits can be seen in a quick preview."""
    code = w_plus.clone().requires_grad_()
    toy.synthesize(code, size=size).square().mean().backward()
    assert code.grad is not None
    strength = code.grad[0].abs().amax(dim=1)
    assert tuple(slot for slot in range(toy.slots.count) if strength[slot] > 0) == toy.slots.active


def test_a_map_of_one_style_is_that_style(toy: Student, w: Tensor) -> None:
    styles = toy.styles(w).codes
    for side in (1, 4, 64):
        maps = {f"style/{layer}": styles[:, part, None, None].expand(-1, -1, side, side) for layer, part in toy.layout("s").items()}
        assert torch.allclose(toy.synthesize(w, features=maps), toy.synthesize(w), atol=TIGHT)


def test_a_style_that_differs_from_side_to_side_changes_its_side(toy: Student, w: Tensor) -> None:
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


def test_the_same_noise_is_the_same_picture(toy: Student, w: Tensor) -> None:
    given = {f"noise/{layer}": noise for layer, noise in toy.noise().items()}
    assert torch.equal(toy.synthesize(w, features=given), toy.synthesize(w))
    silent = {key: torch.zeros_like(noise) for key, noise in given.items()}
    assert not torch.allclose(toy.synthesize(w, features=silent), toy.synthesize(w), atol=1e-2)


def test_a_feature_is_added_behind_its_layer(toy: Student, w: Tensor) -> None:
    zero = {"feature/conv1_16": torch.zeros(1, 16, 16, 16), "feature/conv_4": torch.zeros(1, 16, 4, 4)}
    assert torch.equal(toy.synthesize(w, features=zero), toy.synthesize(w))
    bump = torch.zeros(1, 16, 32, 32)
    bump[..., 16, 16] = 1.0
    change = (toy.synthesize(w, features={"feature/conv2_32": bump}) - toy.synthesize(w)).abs().amax(dim=1)[0]
    assert float(change[32:34, 32:34].min()) > 0  # one feature is one Haar cell of two by two pixels
    change[32:34, 32:34] = 0
    assert float(change.max()) < TIGHT


@pytest.mark.parametrize("batch", [1, 2])
def test_a_shift_is_added_to_its_style(toy: Student, batch: int) -> None:
    w = toy.map(normal((batch, toy.width), 3))
    zero = {f"shift/{layer}": torch.zeros(batch, part.stop - part.start) for layer, part in toy.layout("s").items()}
    assert torch.equal(toy.synthesize(w, features=zero), toy.synthesize(w))
    styles, shifts = toy.styles(w).codes.clone(), {}
    for index, layer in enumerate(("conv_4", "up_16", "conv1_32", "to_img_32")):
        part = toy.layout("s")[layer]
        shifts[f"shift/{layer}"] = 0.3 * normal((batch, part.stop - part.start), index)
        styles[:, part] += shifts[f"shift/{layer}"]
    assert torch.allclose(toy.synthesize(w, features=shifts), toy.synthesize(Latent("s", styles)), atol=TIGHT)
    assert torch.allclose(toy.synthesize(toy.styles(w), features=shifts), toy.synthesize(Latent("s", styles)), atol=TIGHT)


def test_a_shift_moves_every_pixel_of_a_map_of_styles(toy: Student, w: Tensor) -> None:
    part = toy.layout("s")["conv2_16"]
    shift, style = 0.3 * normal((1, part.stop - part.start), 1), toy.styles(w).codes[:, part]
    maps = style[:, :, None, None] * torch.linspace(0.5, 1.5, 16)[:, None].expand(16, 16)
    both = toy.synthesize(w, features={"style/conv2_16": maps, "shift/conv2_16": shift})
    assert torch.allclose(both, toy.synthesize(w, features={"style/conv2_16": maps + shift[:, :, None, None]}), atol=TIGHT)


@pytest.mark.parametrize("size", [None, 16, 32])
def test_a_grid_of_one_vector_moves_every_slot(toy: Student, w: Tensor, size: int | None) -> None:
    step = 0.3 * normal((1, toy.width), 1)
    flat = step[:, :, None, None].expand(-1, -1, 4, 4)
    assert torch.allclose(toy.synthesize(w[:1], features={"grid": flat}, size=size), toy.synthesize(w[:1] + step, size=size), atol=1e-5)


@pytest.mark.parametrize("size", [None, 16, 32])
def test_a_grid_changes_its_side_of_the_picture(toy: Student, w: Tensor, size: int | None) -> None:
    grid = torch.zeros(1, toy.width, 8, 8)
    grid[..., :2] = normal((1, toy.width, 1, 1), 1)
    change = (toy.synthesize(w[:1], features={"grid": grid}, size=size) - toy.synthesize(w[:1], size=size)).abs().mean(dim=(0, 1, 2))
    quarter = len(change) // 4
    assert float(change[:quarter].mean()) > 5 * float(change[-quarter:].mean())


def test_a_grid_gets_a_gradient_and_resumes(toy: Student, w: Tensor) -> None:
    grid = (0.3 * normal((1, toy.width, 4, 4), 2)).requires_grad_()
    picture = toy.synthesize(w[:1], features={"grid": grid})
    prefix = toy.prefix(w[:1], 16, features={"grid": grid})
    assert torch.allclose(toy.synthesize(w[:1], features={"grid": grid}, resume=prefix), picture, atol=1e-5)
    picture.square().mean().backward()
    assert grid.grad is not None and bool((grid.grad != 0).any(dim=1).all())


def test_a_shift_gets_a_gradient(toy: Student, w: Tensor) -> None:
    shift = torch.zeros(1, 16, requires_grad=True)
    toy.synthesize(w, features={"shift/conv2_16": shift}).square().mean().backward()
    assert shift.grad is not None
    assert float(shift.grad.abs().min()) > 0


def test_tuning_is_added_to_the_weights(toy: Student, w: Tensor) -> None:
    tuning = {name: 0.05 * normal(tuple(value.shape), index) for index, (name, value) in enumerate(toy.tunable().items())}
    bent = Student("bent", toy.weights | {name: toy.weights[name] + change for name, change in tuning.items()}, {})
    assert torch.allclose(toy.synthesize(w, tuning=tuning), bent.synthesize(w), atol=TIGHT)
    assert not torch.allclose(toy.synthesize(w, tuning=tuning), toy.synthesize(w), atol=1e-2)


def test_two_tunings_add_up(toy: Student, w: Tensor) -> None:
    first, second = ({"to_img_32.bias": normal((12,), seed)} for seed in (1, 2))
    both = {"to_img_32.bias": first["to_img_32.bias"] + second["to_img_32.bias"]}
    way = toy.synthesize(w, tuning=both) - toy.synthesize(w, tuning=first)
    assert torch.allclose(way, toy.synthesize(w, tuning=second) - toy.synthesize(w), atol=TIGHT)


def test_tuning_gets_a_gradient_and_the_weights_none(toy: Student, w: Tensor) -> None:
    tuning = {name: torch.zeros_like(value).requires_grad_() for name, value in toy.tunable().items()}
    toy.synthesize(w, tuning=tuning).square().mean().backward()
    assert all(change.grad is not None and torch.isfinite(change.grad).all() for change in tuning.values())
    assert not any(value.requires_grad for value in toy.weights.values())


def test_what_is_tunable_is_the_synthesis_network(toy: Student) -> None:
    assert not any(name.startswith("mapping.") or name.endswith(".noise") for name in toy.tunable())
    assert {name.split(".")[0] for name in toy.tunable()} == {*toy.layers, "const"}


@pytest.mark.parametrize("size", [16, 32])
def test_an_exit_draws_its_size_and_hears_the_code(toy: Student, w: Tensor, size: int) -> None:
    image = toy.synthesize(w, size=size)
    assert image.shape == (1, 3, size, size)
    assert torch.equal(toy.synthesize(Latent("w", w), size=size), image)
    assert not torch.allclose(toy.synthesize(random_w(toy, 2), size=size), image, atol=1e-4)


def test_a_generator_without_exits_draws_the_full_picture_only(toy: Student, w: Tensor) -> None:
    bare = Student("bare", toy.weights, {})
    assert bare.exits == (64,)
    assert torch.equal(bare.synthesize(w), toy.synthesize(w))


@pytest.mark.parametrize(
    ("code", "options", "sentence"),
    [
        (torch.zeros(1, 31), {}, r"with shape \(1, 31\) came; w is \(batch, 32\), w_plus is \(batch, 11, 32\)\."),
        (torch.zeros(1, 10, 32), {}, r"has 10 slots; the generator has 11\."),
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
def test_what_does_not_fit_is_refused_in_a_sentence(toy: Student, code: Latent | Tensor, options: dict[str, object], sentence: str) -> None:
    with pytest.raises(SpaceError, match=sentence):
        toy.synthesize(code, **options)  # type: ignore[arg-type]


def test_unknown_spaces_and_blocks_are_refused_in_a_sentence(toy: Student, w: Tensor) -> None:
    with pytest.raises(SpaceError, match=r"has the spaces z, w, w_plus and s; 'x' came\."):
        toy.layout("x")
    with pytest.raises(SpaceError, match=r"Blocks work at 8, 16, 32 px; 64 came\."):
        toy.prefix(w, 64)


def test_a_prefix_may_go_on_from_an_earlier_one(toy: Student, w: Tensor) -> None:
    """Coarse edits are drawn once while finer sliders move."""
    whole, onward = toy.prefix(w, 32), toy.prefix(w, 32, resume=toy.prefix(w, 16))
    assert (onward.block, onward.features.shape) == (32, whole.features.shape)
    assert torch.allclose(onward.features, whole.features, atol=1e-6)
    with pytest.raises(SpaceError, match=r"block of 32 px came; the block of 16 px lies before it\."):
        toy.prefix(w, 16, resume=whole)
