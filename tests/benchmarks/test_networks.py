"""The table of networks: figures as recorded, with the average face's beside them."""

from benchmarks.networks import boundaries, encoders, rendered

ENTRY = {
    "origin": "engines/training/recipes/psp.py, seed 1, 1700 steps of 32, 17 minutes",
    "bytes": 4_400_000,
    "metrics": {"distance": 0.63, "mse": 0.08, "mse_error": 0.007, "lpips": 0.24, "average_mse": 0.224, "average_lpips": 0.423},
}


def test_figures_stand_beside_the_average_face() -> None:
    text = rendered({"psp": ENTRY, "stylemap_8": ENTRY})
    assert "| psp | 1700 | 0.630 | 0.0800 ± 0.0070 | 0.240 | - | - | 4.4 |" in text
    assert text.count("| the average face | - | - | 0.2240 | 0.423 |") == 2
    assert text.index("two faces") < text.index("| stylemap_8 |")


def test_stylemapgans_figures_stand_apart_beside_what_they_were_to_reach() -> None:
    metrics = {"mse": 0.0312, "lpips": 0.061, "mse_src": 0.04, "locality": 0.93}
    text = rendered({"stylemap_8": ENTRY, "stylemapgan_16": ENTRY, "stylemapgan_8": ENTRY | {"metrics": metrics}})
    assert "| figure | stylemapgan_8 | stylemapgan_16 |" in text
    assert "| reconstruction, squared error (at most 0.03) | 0.031 | 0.080 |" in text
    assert text.index("own networks") > text.index("| stylemap_8 |") and "| stylemapgan_8 | 1700" not in text


def test_every_encoder_that_was_trained_here_is_listed() -> None:
    assert {"psp", "e4e", "in_domain", "face_body"} <= set(encoders())


def test_boundaries_say_what_a_push_does() -> None:
    text = rendered({"stylemapgan_8": ENTRY}, boundaries())
    assert "| attribute | 4 cells | 8 cells | 16 cells |" in text
    figures = boundaries()
    assert f"{figures['accuracy_smile_8']:.2f} / {figures['rise_smile_8']:.2f} / {figures['inside_smile_8']:.2f}" in text
    assert "Their boundaries" not in rendered({"stylemapgan_8": ENTRY})
