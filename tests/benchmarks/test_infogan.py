import torch

from benchmarks import infogan
from engines.data.digits import Digits
from engines.generators.infogan import toy_infogan


def test_a_judge_learns_what_it_is_shown() -> None:
    labels = torch.arange(200) % 10
    images = torch.zeros(200, 1, 28, 28, dtype=torch.uint8)
    for row, label in enumerate(labels.tolist()):
        images[row, 0, 2 * label + 2 : 2 * label + 5] = 255
    network = infogan.classifier(Digits(images, labels), epochs=20, batch=20)
    assert torch.equal(infogan.answers(network, images.float() / 255).argmax(dim=1), labels)


def test_every_figure_of_a_network_is_there_and_within_its_range() -> None:
    gan = toy_infogan()
    network = infogan.classifier(Digits(torch.zeros(10, 1, 28, 28, dtype=torch.uint8), torch.arange(10)), epochs=1, batch=10)
    figures = infogan.classified(gan, network, 60) | infogan.correlations(gan, 100)
    assert 0.1 <= figures["purity"] <= 1 and 0 <= figures["entropy"] <= 2.31 and 0.1 <= figures["confidence"] <= 1
    assert all(abs(figures[f"{kind}_by_{code}"]) <= 1 for kind in infogan.MEASURES for code in (1, 2))


def test_runs_become_rows() -> None:
    row = {"error": 0.05, "information": 2.2, "purity": 0.9, "entropy": 2.3, "confidence": 0.95, "r2_1": 0.8, "r2_2": 0.9}
    row |= {"slant_by_1": 0.8, "slant_by_2": 0.1, "thickness_by_1": -0.1, "thickness_by_2": 0.75}
    runs = [row | {"seed": 2, "without": []}, row | {"seed": 1, "without": ["information"], "error": 0.8}]
    text = infogan.rendered({"judge": 0.99, "samples": 100, "kept": 2, "runs": runs})
    assert "| seed 2 | 5.0% | 2.200 | 0.900 | 2.30 | 0.950 | 0.80 / 0.90 | +0.80 / +0.10 | -0.10 / +0.75 |" in text
    assert "| without the information term | 80.0% |" in text
