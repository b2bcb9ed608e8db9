"""What holds for every generator of styles, whatever its layers are: the bundled makes, small and untrained."""

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor

from engines import load_generator
from engines.core.errors import SpaceError
from engines.core.seeds import normal
from engines.generators import Generator
from engines.generators.styled import StyleGenerator
from engines.spaces.directions import apply_directions
from engines.spaces.latent import Latent
from engines.spaces.statistics import random_w

TIGHT = 1e-5


@pytest.fixture(scope="module", params=["toy", "stylegan2-tiny"])
def generator(request: pytest.FixtureRequest) -> StyleGenerator:
    made = load_generator(request.param)
    assert isinstance(made, StyleGenerator)
    return made


@pytest.fixture
def w(generator: StyleGenerator) -> Tensor:
    return random_w(generator, 1)


@pytest.fixture
def w_plus(generator: StyleGenerator) -> Tensor:
    """A code whose slots all differ."""
    return generator.map(normal((generator.slots.count, generator.width), 7))[None]


def test_it_keeps_the_protocol(generator: StyleGenerator) -> None:
    assert isinstance(generator, Generator)
    assert generator.exits[-1] == generator.resolution == 64
    assert tuple(generator.slots.layers) == tuple(generator.layout("s"))
    places = {(place.slot, place.group) for place in generator.slots.layers.values()}
    assert len(places) == len(generator.slots.active)


def test_what_enters_a_block_may_be_changed(generator: StyleGenerator, w: Tensor, w_plus: Tensor) -> None:
    """The last layer of a block hands it on: by a feature there, one face takes over another's features."""
    own, other = (generator.prefix(code, 32).features for code in (w, w_plus))
    name = f"feature/{generator.slots.of_block(16)[-1]}"
    assert torch.allclose(generator.prefix(w, 32, features={name: other - own}).features, other, atol=TIGHT)


def test_pictures_are_about_in_range(generator: StyleGenerator) -> None:
    spreads = generator.synthesize(generator.map(normal((16, generator.width), 3))).std(dim=(1, 2, 3))
    assert 0.1 < float(spreads.median()) < 0.5
    assert float(spreads.max()) < 2


def test_nothing_given_is_the_plain_forward_bit_for_bit(generator: StyleGenerator, w: Tensor) -> None:
    plain = generator.synthesize(w)
    for same in (
        generator.synthesize(w, tuning=None, features=None, size=None, resume=None),
        generator.synthesize(w, tuning={}, features={}),
        generator.synthesize(w, size=generator.resolution),
        generator.synthesize(Latent("w", w)),
        generator.synthesize(apply_directions(Latent("w", w), [], generator).latent),
        generator.synthesize(generator.slots.spread(w)),
        generator.synthesize(w, tuning={name: torch.zeros_like(value) for name, value in generator.tunable().items()}),
    ):
        assert torch.equal(same, plain)


def test_z_is_mapped_first(generator: StyleGenerator) -> None:
    z = normal((1, generator.width), 2)
    assert torch.equal(generator.synthesize(Latent("z", z)), generator.synthesize(generator.map(z)))


def test_mapping_forgets_the_length_of_z(generator: StyleGenerator) -> None:
    z = normal((3, generator.width), 2)
    assert torch.allclose(generator.map(5 * z), generator.map(z), atol=TIGHT)


def test_a_batch_draws_what_each_code_draws(generator: StyleGenerator) -> None:
    w = generator.map(normal((2, generator.width), 3))
    for size in generator.exits:
        singles = torch.cat([generator.synthesize(code[None], size=size) for code in w])
        assert torch.allclose(generator.synthesize(w, size=size), singles, atol=TIGHT)


def test_resuming_equals_the_full_forward(generator: StyleGenerator, w_plus: Tensor) -> None:
    for block in generator.slots.blocks:
        resume = generator.prefix(w_plus, block)
        for size in (side for side in generator.exits if side >= block):
            assert torch.allclose(
                generator.synthesize(w_plus, resume=resume, size=size), generator.synthesize(w_plus, size=size), atol=1e-6
            )


def test_a_prefix_takes_no_notice_of_later_slots(generator: StyleGenerator, w: Tensor, w_plus: Tensor) -> None:
    """That is what makes live sliders on fine layers cheap."""
    later = generator.slots.spread(w).clone()
    early = {place.slot for place in generator.slots.layers.values() if place.block < 32}
    fine = [slot for slot in generator.slots.active if slot not in early]
    later[:, fine] = w_plus[:, fine]
    assert torch.allclose(generator.synthesize(later, resume=generator.prefix(w, 32)), generator.synthesize(later), atol=1e-6)


def test_s_draws_what_its_w_draws(generator: StyleGenerator, w: Tensor, w_plus: Tensor) -> None:
    for code in (w, w_plus, generator.map(normal((2, generator.width), 3))):
        styles = generator.styles(code)
        assert styles.space == "s"
        assert styles.codes.shape[1] == list(generator.layout("s").values())[-1].stop
        assert torch.allclose(generator.synthesize(styles), generator.synthesize(code), atol=TIGHT)


def test_layouts_tile_their_spaces(generator: StyleGenerator) -> None:
    for space, length in (
        ("z", 32),
        ("w", 32),
        ("w_plus", generator.slots.count),
        ("s", generator.styles(random_w(generator, 1)).codes.shape[1]),
    ):
        ends = [0, *(part.stop for part in generator.layout(space).values())]
        assert [part.start for part in generator.layout(space).values()] == ends[:-1]
        assert ends[-1] == length


def test_affine_maps_w_to_styles(generator: StyleGenerator, w: Tensor) -> None:
    layers = generator.layers[::3]
    biases = torch.cat([generator.weights[f"{layer}.modulation.bias"] for layer in layers])
    expected = torch.cat([generator.styles(w).codes[:, generator.layout("s")[layer]] for layer in layers], dim=1)
    assert torch.allclose(F.linear(w, generator.affine(layers), biases), expected, atol=TIGHT)


def test_every_active_slot_shows(generator: StyleGenerator, w_plus: Tensor) -> None:
    """At the exits too, so that fine edits can be seen in a quick preview."""
    for size in generator.exits:
        code = w_plus.clone().requires_grad_()
        generator.synthesize(code, size=size).square().mean().backward()
        assert code.grad is not None
        strength = code.grad[0].abs().amax(dim=1)
        assert tuple(slot for slot in range(generator.slots.count) if strength[slot] > 0) == generator.slots.active


def test_a_map_of_one_style_is_that_style(generator: StyleGenerator, w: Tensor) -> None:
    styles = generator.styles(w).codes
    for side in (1, 4, 64):
        maps = {f"style/{layer}": styles[:, part, None, None].expand(-1, -1, side, side) for layer, part in generator.layout("s").items()}
        assert torch.allclose(generator.synthesize(w, features=maps), generator.synthesize(w), atol=TIGHT)


def test_the_same_noise_is_the_same_picture(generator: StyleGenerator, w: Tensor) -> None:
    given = {f"noise/{layer}": noise for layer, noise in generator.noise().items()}
    assert torch.equal(generator.synthesize(w, features=given), generator.synthesize(w))
    silent = {key: torch.zeros_like(noise) for key, noise in given.items()}
    assert not torch.allclose(generator.synthesize(w, features=silent), generator.synthesize(w), atol=1e-2)


@pytest.mark.parametrize("batch", [1, 2])
def test_a_shift_is_added_to_its_style(generator: StyleGenerator, batch: int) -> None:
    w = generator.map(normal((batch, generator.width), 3))
    zero = {f"shift/{layer}": torch.zeros(batch, part.stop - part.start) for layer, part in generator.layout("s").items()}
    assert torch.equal(generator.synthesize(w, features=zero), generator.synthesize(w))
    styles, shifts = generator.styles(w).codes.clone(), {}
    for index, layer in enumerate(generator.layers[::3]):
        part = generator.layout("s")[layer]
        shifts[f"shift/{layer}"] = 0.3 * normal((batch, part.stop - part.start), index)
        styles[:, part] += shifts[f"shift/{layer}"]
    assert torch.allclose(generator.synthesize(w, features=shifts), generator.synthesize(Latent("s", styles)), atol=TIGHT)
    assert torch.allclose(generator.synthesize(generator.styles(w), features=shifts), generator.synthesize(Latent("s", styles)), atol=TIGHT)


def test_a_shift_moves_every_pixel_of_a_map_of_styles(generator: StyleGenerator, w: Tensor) -> None:
    layer = next(name for name, place in generator.slots.layers.items() if place.side == 16)
    part = generator.layout("s")[layer]
    shift, style = 0.3 * normal((1, part.stop - part.start), 1), generator.styles(w).codes[:, part]
    maps = style[:, :, None, None] * torch.linspace(0.5, 1.5, 16)[:, None].expand(16, 16)
    both = generator.synthesize(w, features={f"style/{layer}": maps, f"shift/{layer}": shift})
    assert torch.allclose(both, generator.synthesize(w, features={f"style/{layer}": maps + shift[:, :, None, None]}), atol=TIGHT)


def test_a_grid_of_one_vector_moves_every_slot(generator: StyleGenerator, w: Tensor) -> None:
    step = 0.3 * normal((1, generator.width), 1)
    flat = {"grid": step[:, :, None, None].expand(-1, -1, 4, 4)}
    for size in generator.exits:
        assert torch.allclose(generator.synthesize(w, features=flat, size=size), generator.synthesize(w + step, size=size), atol=TIGHT)


def test_a_grid_changes_its_side_of_the_picture(generator: StyleGenerator, w: Tensor) -> None:
    grid = torch.zeros(1, generator.width, 8, 8)
    grid[..., :2] = normal((1, generator.width, 1, 1), 1)
    for size in generator.exits:
        moved, still = generator.synthesize(w, features={"grid": grid}, size=size), generator.synthesize(w, size=size)
        change, quarter = (moved - still).abs().mean(dim=(0, 1, 2)), size // 4
        assert float(change[:quarter].mean()) > 5 * float(change[-quarter:].mean())


def test_a_grid_gets_a_gradient_and_resumes(generator: StyleGenerator, w: Tensor) -> None:
    grid = (0.3 * normal((1, generator.width, 4, 4), 2)).requires_grad_()
    picture = generator.synthesize(w[:1], features={"grid": grid})
    prefix = generator.prefix(w[:1], 16, features={"grid": grid})
    assert torch.allclose(generator.synthesize(w[:1], features={"grid": grid}, resume=prefix), picture, atol=1e-5)
    picture.square().mean().backward()
    assert grid.grad is not None and bool((grid.grad != 0).any(dim=1).all())


def test_a_shift_gets_a_gradient(generator: StyleGenerator, w: Tensor) -> None:
    layer = generator.slots.of_block(16)[1]
    part = generator.layout("s")[layer]
    shift = torch.zeros(1, part.stop - part.start, requires_grad=True)
    generator.synthesize(w, features={f"shift/{layer}": shift}).square().mean().backward()
    assert shift.grad is not None
    assert float(shift.grad.abs().min()) > 0


def test_two_tunings_add_up(generator: StyleGenerator, w: Tensor) -> None:
    name = f"{generator.layers[-1]}.bias"
    first, second = ({name: normal(tuple(generator.weights[name].shape), seed)} for seed in (1, 2))
    both = {name: first[name] + second[name]}
    way = generator.synthesize(w, tuning=both) - generator.synthesize(w, tuning=first)
    assert torch.allclose(way, generator.synthesize(w, tuning=second) - generator.synthesize(w), atol=TIGHT)


def test_tuning_gets_a_gradient_and_the_weights_none(generator: StyleGenerator, w: Tensor) -> None:
    tuning = {name: torch.zeros_like(value).requires_grad_() for name, value in generator.tunable().items()}
    generator.synthesize(w, tuning=tuning).square().mean().backward()
    assert all(change.grad is not None and torch.isfinite(change.grad).all() for change in tuning.values())
    assert not any(value.requires_grad for value in generator.weights.values())


def test_what_is_tunable_is_the_synthesis_network(generator: StyleGenerator) -> None:
    assert not any(name.startswith("mapping.") or name.endswith(".noise") for name in generator.tunable())
    assert {name.split(".")[0] for name in generator.tunable()} == {*generator.layers, "const"}


def test_unknown_spaces_and_blocks_are_refused_in_a_sentence(generator: StyleGenerator, w: Tensor) -> None:
    with pytest.raises(SpaceError, match=r"has the spaces z, w, w_plus and s; 'x' came\."):
        generator.layout("x")
    with pytest.raises(SpaceError, match=r"Blocks work at 8, 16, 32.* px; 4 came\."):
        generator.prefix(w, 4)


def test_a_prefix_may_go_on_from_an_earlier_one(generator: StyleGenerator, w: Tensor) -> None:
    """Coarse edits are drawn once while finer sliders move."""
    whole, onward = generator.prefix(w, 32), generator.prefix(w, 32, resume=generator.prefix(w, 16))
    assert (onward.block, onward.features.shape) == (32, whole.features.shape)
    assert torch.allclose(onward.features, whole.features, atol=1e-6)
    with pytest.raises(SpaceError, match=r"block of 32 px came; the block of 16 px lies before it\."):
        generator.prefix(w, 16, resume=whole)
