from pathlib import Path

import gradio as gr
import httpx
import numpy as np
import pytest
from gradio_client import Client, handle_file
from gradio_client.exceptions import AppError
from PIL import Image as Pil

from engines.hierarchy.finegan import STAGES
from tests.studio.conftest import ASTRONAUT


@pytest.fixture(scope="module")
def client(toy_url: str):
    client = Client(toy_url, verbose=False)
    yield client
    client.close()


def test_engines_are_listed_with_their_knobs(client: Client) -> None:
    listed = {entry["name"]: entry for entry in client.predict(api_name="/engines")}
    assert {"projector", "image2stylegan", "sefa", "pca"} <= set(listed)
    assert {"steps", "learning_rate"} <= {knob["name"] for knob in listed["image2stylegan"]["knobs"]}


def test_a_random_face_comes_as_a_picture(client: Client) -> None:
    path = client.predict(3, 0.7, api_name="/random_face")
    assert Pil.open(path).size == (64, 64)


def test_an_event_is_not_followed_by_figures_on_all_before_it(client: Client, page: gr.Blocks) -> None:
    client.predict(3, 0.7, api_name="/random_face")
    assert page._queue.events_recorded > 0
    assert page._queue.cached_event_analytics_summary == {"functions": {}}


def test_a_photo_is_aligned_and_inverted(client: Client) -> None:
    assert Pil.open(client.predict(handle_file(str(ASTRONAUT)), api_name="/align")).size == (64, 64)
    picture, figures = client.predict(handle_file(str(ASTRONAUT)), "projector", {"steps": 2, "quick_steps": 1}, api_name="/invert")
    assert Pil.open(picture).size == (64, 64) and {"lpips", "mse", "psnr", "ms_ssim", "identity_distance"} <= set(figures)


@pytest.mark.parametrize(
    ("name", "knobs", "words"),
    [("nobody", {}, "no inversion engine"), ("projector", {"steps": 0}, "from 1 to"), ("projector", {"stairs": 1}, "no knob")],
)
def test_bad_requests_get_a_sentence(client: Client, name: str, knobs: dict, words: str) -> None:
    with pytest.raises(AppError, match=words):
        client.predict(handle_file(str(ASTRONAUT)), name, knobs, api_name="/invert")


def test_a_text_named_jpg_gets_a_sentence_and_no_path(client: Client, write) -> None:
    with pytest.raises(AppError, match="not a picture") as caught:
        client.predict(handle_file(write("text.jpg", b"just words")), api_name="/align")
    assert "/" not in str(caught.value)


def test_a_path_of_the_server_is_not_read(toy_url: str) -> None:
    """A client that names a file of the machine instead of an upload is refused."""
    body = {"data": [{"path": str(ASTRONAUT), "meta": {"_type": "gradio.FileData"}}]}
    event = httpx.post(f"{toy_url}gradio_api/call/align", json=body).json()["event_id"]
    assert "error" in httpx.get(f"{toy_url}gradio_api/call/align/{event}", timeout=60).text


def test_a_photo_that_is_too_heavy_is_refused_in_a_sentence(client: Client, tmp_path: Path) -> None:
    heavy = tmp_path / "heavy.png"
    heavy.write_bytes(bytes(41 * 2**20))
    with pytest.raises(AppError, match="photos of at most 40 MB"):
        client.predict(handle_file(str(heavy)), api_name="/align")


def test_directions_are_listed_and_a_face_is_edited(client: Client) -> None:
    keys = [entry["key"] for entry in client.predict("interfacegan", api_name="/list_directions")]
    assert keys == ["interfacegan/brightness", "interfacegan/warmth", "interfacegan/contrast"]
    plain, turned = (Pil.open(client.predict(3, 0.7, edits, api_name="/edit_face")) for edits in ({}, {keys[0]: 3}))
    assert plain.tobytes() == Pil.open(client.predict(3, 0.7, api_name="/random_face")).tobytes()
    assert turned.tobytes() != plain.tobytes()


@pytest.mark.parametrize(
    ("edits", "words"),
    [
        ({"interfacegan/moustache": 1}, "no direction"),
        ({"nobody/smile": 1}, "no directions called"),
        ({"interfacegan/warmth": "much"}, "number of sigma"),
        ({"interfacegan/warmth": 1e9}, "number of sigma"),
    ],
)
def test_bad_edits_get_a_sentence(client: Client, edits: dict, words: str) -> None:
    with pytest.raises(AppError, match=words):
        client.predict(3, 0.7, edits, api_name="/edit_face")


def test_a_part_of_one_face_goes_into_another(client: Client) -> None:
    plain, other = (np.asarray(Pil.open(client.predict(seed, 0.7, api_name="/random_face")), int) for seed in (7, 12))
    mixed = np.asarray(Pil.open(client.predict(7, 12, "left half", None, {"edge": 0.0}, api_name="/mix_faces")), int)
    assert np.abs(mixed - plain)[:, 40:].mean() < 0.5 * np.abs(mixed - plain)[:, :24].mean()
    assert np.abs(mixed - other)[:, :24].mean() < np.abs(plain - other)[:, :24].mean()
    weak = np.asarray(Pil.open(client.predict(7, 12, "left half", None, {"strength": 0.0}, api_name="/mix_faces")), int)
    assert np.abs(weak - plain).max() <= 1


def test_a_mask_picture_counts_where_it_is_light(client: Client, write) -> None:
    mask = Pil.new("L", (64, 64))
    mask.paste(255, (0, 0, 32, 64))
    painted = handle_file(write("mask.png", mask, format="PNG"))
    named, drawn = (
        np.asarray(Pil.open(client.predict(7, 12, part, file, None, api_name="/mix_faces")), int)
        for part, file in (("left half", None), ("", painted))
    )
    assert np.abs(named - drawn).mean() < 2


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ((7, 12, "ears", None, {}), "no part"),
        ((7, -1, "mouth", None, {}), "whole numbers"),
        ((7, 12, "mouth", None, {"hue": 1}), "no setting"),
        ((7, 12, "mouth", None, {"edge": "wide"}), "is a number"),
        ((7, 12, "mouth", None, {"layers": "some"}), "no layers"),
    ],
)
def test_bad_mixtures_get_a_sentence(client: Client, arguments: tuple, words: str) -> None:
    with pytest.raises(AppError, match=words):
        client.predict(*arguments, api_name="/mix_faces")


def test_a_mask_picture_that_is_not_square_gets_a_sentence(client: Client, write) -> None:
    painted = handle_file(write("wide.png", Pil.new("L", (60, 40), 255), format="PNG"))
    with pytest.raises(AppError, match="A mask of 60 x 40 pixels came; wanted a square one"):
        client.predict(7, 12, "", painted, None, api_name="/mix_faces")


def test_a_photo_is_filled_in(client: Client) -> None:
    settings = {"use": "inpaint", "steps": 1, "quick_steps": 1, "noise_steps": 1}
    photo = handle_file(str(ASTRONAUT))
    picture, figures = client.predict(photo, None, "mouth", None, settings, api_name="/mix_photos")
    assert Pil.open(picture).size == (64, 64) and set(figures) == {"mse_outside", "border"}
    with pytest.raises(AppError, match="No photo came"):
        client.predict(photo, None, "mouth", None, settings | {"use": "crossover"}, api_name="/mix_photos")


def test_finegan_draws_all_stages_and_finds_codes(client: Client) -> None:
    picture, stages = client.predict({"child": 5, "parent": 1, "seed": 3, "shifts": [1.5]}, api_name="/sample_finegan")
    assert Pil.open(picture).size == (32, 32) and [stage["caption"] for stage in stages] == list(STAGES)
    again, _ = client.predict({"child": 5, "parent": 1, "seed": 3, "shifts": [1.5]}, api_name="/sample_finegan")
    assert np.array_equal(np.asarray(Pil.open(picture)), np.asarray(Pil.open(again)))
    quick = {"poses": 1, "kept": 1, "steps": 1}
    drawn, found = client.predict(handle_file(str(ASTRONAUT)), quick, api_name="/find_finegan_codes")
    assert Pil.open(drawn).size == (32, 32) and {"background", "parent", "child", "z", "mse", "lpips"} <= set(found)


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        ({"child": 8}, "Child: 8 came; a whole number from 0 to 7"),
        ({"parent": 1.5}, "Parent: 1.5 came"),
        ({"background": "sky"}, "Background: nothing came"),
        ({"shifts": [99]}, "A component of z moves by"),
        ({"wings": 2}, "There is no setting 'wings'"),
    ],
)
def test_codes_that_are_none_get_a_sentence(client: Client, settings: dict, words: str) -> None:
    with pytest.raises(AppError, match=words):
        client.predict(settings, api_name="/sample_finegan")


@pytest.mark.parametrize("coding", ["labels", "strokes", "hole"])
def test_a_mask_counts_the_same_in_other_codings(client: Client, write, coding: str) -> None:
    inside = Pil.new("L", (64, 64))
    inside.paste(255, (0, 0, 32, 64))
    if coding == "labels":
        mask = inside.point(lambda value: value // 100)
    elif coding == "strokes":
        mask = Pil.new("RGBA", (64, 64), (255, 0, 0, 255))
        mask.putalpha(inside)
    else:
        mask = Pil.open(ASTRONAUT).resize((64, 64)).convert("RGBA")
        mask.putalpha(inside.point(lambda value: 255 - value))
    plain, other = (
        np.asarray(Pil.open(client.predict(7, 12, "", handle_file(path), None, api_name="/mix_faces")), int)
        for path in (write("plain.png", inside, format="PNG"), write("other.png", mask, format="PNG"))
    )
    assert np.abs(plain - other).mean() < 0.5


def test_an_empty_mask_and_a_long_one_are_told(client: Client, write) -> None:
    for name, size, words in (("empty.png", (64, 64), "Nothing is marked"), ("long.png", (64, 40), "wanted a square one")):
        painted = handle_file(write(name, Pil.new("L", size), format="PNG"))
        with pytest.raises(AppError, match=words):
            client.predict(7, 12, "", painted, None, api_name="/mix_faces")


def test_a_face_is_chosen_by_its_number(client: Client, write) -> None:
    head, scene = Pil.open(ASTRONAUT).convert("RGB").crop((120, 0, 330, 260)), Pil.new("RGB", (700, 300), "grey")
    scene.paste(head, (20, 20))
    scene.paste(head.resize((190, 236)), (440, 30))
    pair = handle_file(write("pair.png", scene, format="PNG"))
    with pytest.raises(AppError, match="2 faces were found"):
        client.predict(pair, api_name="/align")
    first, second = (Pil.open(client.predict(pair, {"face": number}, api_name="/align_face")) for number in (1, 2))
    assert first.tobytes() != second.tobytes()
    for settings, words in (({"face": 3}, "Face 3 was asked for"), ({"face": "x"}, "number of a face"), ({"nose": 1}, "no setting")):
        with pytest.raises(AppError, match=words):
            client.predict(pair, settings, api_name="/align_face")
    client.predict(pair, "projector", {"steps": 1, "quick_steps": 1, "face": 2}, api_name="/invert")
