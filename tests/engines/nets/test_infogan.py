from dataclasses import replace

import pytest
import torch

from engines.core.errors import WeightsError
from engines.generators.infogan import toy_infogan
from engines.nets.infogan import Discriminator, Form, build_generator, from_weights, inputs, to_weights

COLOUR = Form(noise=5, categories=7, continuous=1, size=32, channels=3, widths=(4, 6, 8), trunk=12, hidden=0, drawn=(10, 6, 4, 4))
PAPER = Form()


@pytest.mark.parametrize("form", [PAPER, COLOUR], ids=["digits", "colour"])
def test_pictures_have_their_size_and_range_and_weights_say_their_form(form: Form) -> None:
    generator, discriminator = build_generator(form), Discriminator(form)
    picture = generator(torch.zeros(2, form.length))
    assert picture.shape == (2, form.channels, form.size, form.size)
    low = 0 if form.channels == 1 else -1
    assert low <= float(picture.detach().min()) and float(picture.detach().max()) <= 1
    reading = discriminator(picture)
    assert reading.score.shape == (2,) and reading.logits.shape == (2, form.categories) and reading.continuous.shape == (2, form.continuous)
    weights = to_weights(form, generator, discriminator)
    assert {name.split(".")[0] for name in weights} == {"g", "trunk", "d_head", "q_head", "form"}
    again, redrawer, rereader = from_weights(weights)
    assert again == form
    assert torch.equal(redrawer(torch.ones(1, form.length)), generator.eval()(torch.ones(1, form.length)))
    assert torch.equal(rereader(picture).score, discriminator.eval().score(picture))


def test_the_papers_networks_have_the_papers_size() -> None:
    assert sum(value.numel() for value in build_generator(PAPER).parameters()) == pytest.approx(6.6e6, rel=0.02)
    assert sum(value.numel() for value in Discriminator(PAPER).parameters()) == pytest.approx(6.7e6, rel=0.02)


@pytest.mark.parametrize("change", ["missing", "version", "shape"])
def test_other_weights_are_refused(change: str) -> None:
    gan = toy_infogan()
    weights = to_weights(gan.form, gan.generator, gan.discriminator)
    if change == "missing":
        del weights["trunk.0.weight"]
    elif change == "version":
        weights["form"] = weights["form"] + 1
    else:
        weights["g.0.weight"] = weights["g.0.weight"][:, :-1]
    with pytest.raises(WeightsError, match="not the weights of an InfoGAN"):
        from_weights(weights)


def test_inputs_are_noise_then_category_then_continuous_codes() -> None:
    row = inputs(torch.tensor([[0.5, -0.5]]), torch.tensor([2]), torch.tensor([[0.1, 0.2]]), 3)
    assert torch.allclose(row, torch.tensor([[0.5, -0.5, 0, 0, 1, 0.1, 0.2]]))
    assert replace(PAPER, noise=2, categories=3).length == row.shape[1]
