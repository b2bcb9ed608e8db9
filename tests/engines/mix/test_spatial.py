from collections.abc import Sequence
from dataclasses import replace

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor

from engines import Direction, Inversion, Latent, MixRequest, Part, create
from engines.core.errors import ImageError, KnobError
from engines.core.images import area
from engines.core.seeds import normal
from engines.generators import FfhqGenerator
from engines.generators.incremental import draw_inversion
from engines.mix.composite import Composite
from engines.mix.spatial import CARRIED, carried, layer_slots, local_edit
from engines.spaces.directions import apply_directions
from engines.spaces.statistics import random_w

EMPTY, FULL = torch.zeros(1, 1, 64, 64), torch.ones(1, 1, 64, 64)
LEFT = (torch.arange(64) < 32).float().expand(1, 1, 64, 64)
KINDS = ("w", "w_plus", "s", "z", "tuned", "noisy", "shifted", "styled", "added")


def face(toy: FfhqGenerator, kind: str, seed: int) -> Inversion:
    """A face of each kind that a shelf may hold."""
    w = random_w(toy, seed, 1.0)
    plain = Latent("w", w)
    made = {
        "w": Inversion(plain),
        "w_plus": Inversion(Latent("w_plus", toy.slots.spread(w) + 0.3 * normal((1, toy.slots.count, toy.width), seed))),
        "s": Inversion(toy.styles(w)),
        "z": Inversion(Latent("z", normal((1, toy.width), seed))),
        "tuned": Inversion(plain, {"conv1_16.depthwise": 0.1 * normal((4, 1, 3, 3), seed), "to_img_32.bias": 0.1 * normal((12,), seed)}),
        "noisy": Inversion(plain, features={"noise/conv2_16": normal((1, 1, 16, 16), seed)}),
        "shifted": Inversion(plain, features={"shift/conv2_16": normal((1, 16), seed)}),
        "styled": Inversion(plain, features={"style/conv2_16": normal((1, 16, 4, 4), seed)}),
        "added": Inversion(plain, features={"feature/conv2_16": normal((1, 16, 16, 16), seed)}),
    }
    return made[kind]


def mix(toy: FfhqGenerator, source: Inversion, parts: Sequence[Part], **settings: object) -> Tensor:
    return create("spatial", toy)(MixRequest(source=source, parts=tuple(parts)), **settings).images


@pytest.mark.parametrize("carry", CARRIED)
@pytest.mark.parametrize("kind", KINDS)
def test_an_empty_mask_is_the_source_and_a_full_one_the_reference_to_the_bit(toy: FfhqGenerator, kind: str, carry: str) -> None:
    source, reference = face(toy, kind, 1), face(toy, "tuned", 2)
    assert torch.equal(mix(toy, source, [Part(reference, EMPTY)], carry=carry), draw_inversion(toy, source))
    assert torch.equal(mix(toy, reference, [Part(source, FULL)], carry=carry), draw_inversion(toy, source))
    assert torch.equal(mix(toy, source, []), draw_inversion(toy, source))


@given(st.sampled_from(KINDS), st.sampled_from(KINDS), st.integers(1, 64), st.booleans())
@settings(max_examples=10)
def test_uniform_masks_short_circuit_in_any_size(toy: FfhqGenerator, kind: str, other: str, side: int, under: bool) -> None:
    """Whatever lies below a full part is not drawn."""
    source, reference = face(toy, kind, 1), face(toy, other, 2)
    below = [Part(face(toy, "w", 3), LEFT)] if under else []
    composite = Composite(toy, source, [*below, Part(reference, torch.ones(1, 1, side, side))])
    assert composite.alone is reference
    assert torch.equal(composite.draw(), draw_inversion(toy, reference))


@given(
    st.sampled_from(KINDS),
    st.integers(0, 1000),
    st.floats(0.05, 1),
    st.sampled_from([0, 8, 16]),
    st.sampled_from([None, (0, 1, 2), (8, 9)]),
)
@settings(max_examples=25)
def test_a_face_mixed_with_itself_is_itself(
    toy: FfhqGenerator, kind: str, seed: int, strength: float, still: int, layers: tuple[int, ...] | None
) -> None:
    own = face(toy, kind, 1)
    mask = torch.rand(1, 1, 64, 64, generator=torch.Generator().manual_seed(seed))
    mixed = Composite(toy, own, [Part(own, mask, strength=strength, layers=layers)], 0.05, 16, still).draw()
    assert torch.allclose(mixed, draw_inversion(toy, own), atol=2e-4)


def test_two_weight_changes_that_are_one_in_effect_draw_as_one(toy: FfhqGenerator) -> None:
    """Drawn side by side and blended, block by block."""
    plain = face(toy, "w", 1)
    zeros = replace(plain, tuning={"conv1_16.depthwise": torch.zeros(4, 1, 3, 3)})
    reference = face(toy, "w", 2)
    composite = Composite(toy, plain, [Part(zeros, LEFT), Part(replace(zeros, latent=reference.latent), LEFT.flip(2, 3))])
    assert [len(group) for group in composite.groups] == [1, 2]
    assert torch.allclose(Composite(toy, plain, [Part(zeros, LEFT)]).draw(), draw_inversion(toy, plain), atol=1e-4)
    assert torch.isfinite(composite.draw()).all()


def test_three_weight_changes_each_count_where_they_are_seen(toy: FfhqGenerator) -> None:
    plain, thirds = face(toy, "w", 1), [torch.zeros(1, 1, 64, 64) for _ in range(2)]
    thirds[0][..., :24], thirds[1][..., 40:] = 1, 1
    tuned = [replace(plain, tuning={"to_img_32.bias": torch.full((12,), value)}) for value in (1.0, -1.0)]
    parts = [Part(own, mask) for own, mask in zip(tuned, thirds, strict=True)]
    mixed = Composite(toy, plain, parts, 0.0).draw()
    for number, columns in enumerate((slice(0, 23), slice(41, 64))):
        assert torch.allclose(mixed[..., columns], draw_inversion(toy, tuned[number])[..., columns], atol=1e-4)
    assert torch.allclose(mixed[..., 25:39], draw_inversion(toy, plain)[..., 25:39], atol=1e-4)


def test_a_weight_change_reaches_its_own_mask_alone(toy: FfhqGenerator) -> None:
    plain = face(toy, "w", 1)
    tuned = replace(face(toy, "w", 2), tuning={"to_img_32.bias": torch.ones(12)})
    changed = (
        Composite(toy, plain, [Part(tuned, LEFT)], 0.0).draw() - Composite(toy, plain, [Part(replace(tuned, tuning={}), LEFT)], 0.0).draw()
    )
    assert float(changed[..., 34:].abs().max()) < 0.2 * float(changed[..., :30].abs().max())


@pytest.mark.parametrize(("one", "other"), [("w", "w_plus"), ("noisy", "w"), ("w", "added"), ("shifted", "styled"), ("s", "s")])
@pytest.mark.parametrize("shift", [(0.0, 0.0), (0.2, -0.1)])
def test_what_is_kept_redraws_the_mixture(toy: FfhqGenerator, one: str, other: str, shift: tuple[float, float]) -> None:
    composite = Composite(toy, face(toy, one, 1), [Part(face(toy, other, 2), LEFT, shift, 0.8)], 0.03, 16)
    kept = composite.inversion()
    assert kept is not None
    assert torch.allclose(draw_inversion(toy, kept), composite.draw(), atol=1e-4)


def test_nothing_is_kept_where_two_weight_changes_meet(toy: FfhqGenerator) -> None:
    assert not create("spatial", toy)(MixRequest(source=face(toy, "w", 1), parts=(Part(face(toy, "tuned", 2), LEFT),))).inversions


def test_the_left_half_comes_from_the_reference(toy: FfhqGenerator) -> None:
    source, reference = face(toy, "w", 1), face(toy, "w", 2)
    mixed = mix(toy, source, [Part(reference, LEFT)])
    nearer = (mixed - draw_inversion(toy, source)).abs().mean((0, 1, 2)) - (mixed - draw_inversion(toy, reference)).abs().mean((0, 1, 2))
    assert float(nearer[:24].mean()) > 0 > float(nearer[40:].mean())


def test_later_parts_cover_earlier_ones(toy: FfhqGenerator) -> None:
    faces = [face(toy, "w", seed) for seed in (1, 2, 3)]
    once = mix(toy, faces[0], [Part(faces[2], LEFT)], edge=0.0)
    assert torch.allclose(mix(toy, faces[0], [Part(faces[1], LEFT), Part(faces[2], LEFT)], edge=0.0), once, atol=1e-4)
    assert not torch.allclose(mix(toy, faces[0], [Part(faces[2], LEFT), Part(faces[1], LEFT)], edge=0.0), once, atol=1e-2)


@given(st.lists(st.floats(0, 1), min_size=2, max_size=2, unique=True).map(sorted))
@settings(max_examples=10)
def test_more_strength_takes_more(toy: FfhqGenerator, strengths: list[float]) -> None:
    source, reference = face(toy, "w", 1), face(toy, "w", 2)
    drawn = draw_inversion(toy, source)
    less, more = ((mix(toy, source, [Part(reference, LEFT, strength=value)]) - drawn).square().mean() for value in strengths)
    assert float(less) <= float(more) + 1e-6


@pytest.mark.parametrize(("name", "kept", "taken"), [("texture", "conv_4", "to_img_32"), ("shape", "to_img_32", "conv_4")])
def test_a_range_of_layers_leaves_the_others_their_style(toy: FfhqGenerator, name: str, kept: str, taken: str) -> None:
    source, reference = face(toy, "w", 1), face(toy, "w", 2)
    inversion = Composite(toy, source, [Part(reference, LEFT, layers=layer_slots(toy.slots, name))]).inversion()
    assert inversion is not None
    assert torch.equal(inversion.features[f"style/{kept}"], toy.layer_styles(source.latent, (kept,))[kept])
    assert inversion.features[f"style/{taken}"].dim() == 4


def test_a_local_edit_changes_more_inside_than_outside(toy: FfhqGenerator) -> None:
    vector = normal((toy.width,), 5)
    direction = Direction("any", "w", vector / vector.norm(), toy.slots.active, 1.0, "test")
    source = face(toy, "w_plus", 1)
    part = local_edit(source, [(direction, 3.0)], LEFT, toy)
    changed = (mix(toy, source, [part]) - draw_inversion(toy, source)).abs().mean((0, 1, 2))
    assert float(changed[:24].mean()) > 3 * float(changed[40:].mean())


def test_a_moved_part_lies_where_it_was_moved(toy: FfhqGenerator) -> None:
    spot = torch.zeros(1, 1, 64, 64)
    spot[..., 10:20, 10:20] = 1
    composite = Composite(toy, face(toy, "w", 1), [Part(face(toy, "w", 2), spot, (0.5, 0.25))], 0.0, 16)
    rows, columns = (area(composite.mask, 64)[0, 0] > 0.5).nonzero().float().mean(0)
    assert (float(rows), float(columns)) == (pytest.approx(14.5 + 16, abs=1), pytest.approx(14.5 + 32, abs=1))
    beyond = Composite(toy, face(toy, "w", 1), [Part(face(toy, "w", 2), spot, (1.0, 0.0))], 0.0, 16)
    assert torch.equal(beyond.draw(), draw_inversion(toy, face(toy, "w", 1)))


def test_a_moved_part_brings_its_features_along(toy: FfhqGenerator) -> None:
    """Behind the carried layer nothing differs, so what was moved there can be told apart."""
    spot = torch.zeros(1, 1, 64, 64)
    spot[..., 8:24, 8:24] = 1
    source, reference = face(toy, "w", 1), face(toy, "w", 2)
    steps = Composite(toy, source, [Part(reference, spot, (0.5, 0.5))], 0.0, 16)
    kept = steps.inversion()
    assert kept is not None
    added = kept.features["feature/conv2_16"].abs().sum(1)[0]
    assert float(added[10:14, 10:14].mean()) > 0
    assert float(added[:8, :8].max()) == 0


def test_what_stays_and_what_moves_bring_features_up_to_layers_of_their_own(toy: FfhqGenerator) -> None:
    source, parts = face(toy, "w", 1), [Part(face(toy, "w", 2), LEFT), Part(face(toy, "w", 3), LEFT, (0.4, 0.0))]
    composite = Composite(toy, source, parts, 0.05, 16, 8)
    assert [layer.carried for layer in composite.layers] == [0, 8, 16]
    kept = composite.inversion()
    assert kept is not None and {"feature/conv2_8", "feature/conv2_16"} <= set(kept.features)
    assert float((draw_inversion(toy, kept) - composite.draw()).abs().max()) < 1e-3


def test_a_kept_mixture_is_edited_as_both_its_faces_would_be(toy: FfhqGenerator) -> None:
    direction = Direction("turn", "w", normal((toy.width,), 4), tuple(range(toy.slots.count)), 1.0, "a test")
    faces = [face(toy, "w", seed) for seed in (1, 2)]
    kept = Composite(toy, faces[0], [Part(faces[1], LEFT)], 0.05).inversion()
    assert kept is not None
    edited = draw_inversion(toy, apply_directions(kept, [(direction, 1.5)], toy))
    source, reference = (apply_directions(one, [(direction, 1.5)], toy) for one in faces)
    assert float((edited - Composite(toy, source, [Part(reference, LEFT)], 0.05).draw()).abs().max()) < 1e-3
    assert float((edited - draw_inversion(toy, kept)).abs().max()) > 1e-2


def test_coarse_features_leave_what_lies_outside_alone(ffhq: FfhqGenerator) -> None:
    """Styles alone at 4 and 8 px reach far beyond a part: why parts that stay bring those features by default."""
    source, reference = (Inversion(Latent("w", random_w(ffhq, seed))) for seed in (1, 2))
    half = (torch.arange(256) < 128).float().expand(1, 1, 256, 256)
    plain = draw_inversion(ffhq, source, 256)
    away = {
        carry: float((Composite(ffhq, source, [Part(reference, half)], 0.03, *carried(carry)).draw(256) - plain)[..., 160:].square().mean())
        for carry in ("never", "coarse")
    }
    assert away["coarse"] < 0.6 * away["never"]


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("size", [16, 32])
def test_previews_come_in_every_size(toy: FfhqGenerator, kind: str, size: int) -> None:
    composite = Composite(toy, face(toy, kind, 1), [Part(face(toy, "w", 2), LEFT), Part(face(toy, "tuned", 3), LEFT, (0.2, 0.0))])
    preview = composite.draw(size)
    assert preview.shape == (1, 3, size, size)
    assert torch.isfinite(preview).all()


@pytest.mark.parametrize("part", [{"strength": 1.5}, {"strength": -0.1}, {"strength": float("nan")}, {"shift": (2.0, 0.0)}])
def test_what_lies_outside_its_range_is_refused(toy: FfhqGenerator, part: dict[str, object]) -> None:
    with pytest.raises(KnobError, match="they take 0 to 1"):
        mix(toy, face(toy, "w", 1), [Part(face(toy, "w", 2), LEFT, **part)])  # type: ignore[arg-type]


def test_a_mask_of_another_shape_is_refused(toy: FfhqGenerator) -> None:
    with pytest.raises(ImageError, match="square"):
        mix(toy, face(toy, "w", 1), [Part(face(toy, "w", 2), torch.ones(1, 1, 8, 9))])


def test_styles_of_layers_that_do_not_exist_are_refused(toy: FfhqGenerator) -> None:
    with pytest.raises(Exception, match="There is no layer 'conv_99'"):
        toy.layer_styles(random_w(toy, 1), ("conv_99",))


def test_at_full_size_mixing_stays_outside_its_mask(ffhq: FfhqGenerator) -> None:
    """A half face at 1024 px, on the bundled weights."""
    source, reference = (Inversion(Latent("w", random_w(ffhq, seed))) for seed in (1, 2))
    half = (torch.arange(256) < 128).float().expand(1, 1, 256, 256)
    mixed = create("spatial", ffhq)(MixRequest(source=source, parts=(Part(reference, half),)))
    away = (mixed.images - draw_inversion(ffhq, source))[..., 640:].square().mean()
    assert float(away) < 0.03  # unmixed, the two faces differ by 0.32 there
    assert float((mixed.images - draw_inversion(ffhq, reference))[..., :384].square().mean()) < 0.1
    again = draw_inversion(ffhq, mixed.inversions[0])
    assert float((again - mixed.images).square().mean()) < 1e-4
