"""What a stranger meets on a page that others can reach: a login, and limits."""

from collections.abc import Iterator
from dataclasses import replace

import gradio as gr
import httpx
import pytest

from studio.app import build
from studio.server import launch_options, say
from studio.settings import Settings
from studio.state.session import Session

PUBLIC = Settings(host="0.0.0.0", generator="toy")


@pytest.fixture(scope="module")
def public_page() -> gr.Blocks:
    """A page with the public profile."""
    return build(Session(PUBLIC))


@pytest.fixture(scope="module")
def public_url(public_page: gr.Blocks) -> Iterator[str]:
    """The same, served on this machine's own address so that the test opens nothing."""
    options = launch_options(public_page, PUBLIC) | {"server_name": "127.0.0.1"}
    options["auth"] = ("guest", "a-password")
    _, url, _ = public_page.launch(**options)
    yield url
    public_page.close()


@pytest.mark.parametrize("path", ["config", "gradio_api/info", "gradio_api/queue/data?session_hash=x"])
def test_without_a_login_nothing_is_told(public_url: str, path: str) -> None:
    assert httpx.get(public_url + path).status_code == 401


def test_without_a_login_nothing_is_taken(public_url: str) -> None:
    assert httpx.post(f"{public_url}gradio_api/upload", files={"files": ("a.png", b"x", "image/png")}).status_code == 401
    assert httpx.post(f"{public_url}gradio_api/call/random_face", json={"data": [1, 0.7]}).status_code == 401


def test_with_the_login_the_page_answers_within_its_limits(public_url: str) -> None:
    with httpx.Client(base_url=public_url) as visitor:
        assert visitor.post("login", data={"username": "guest", "password": "a-password"}).status_code == 200
        assert visitor.get("config").status_code == 200
        big = visitor.post("gradio_api/upload", files={"files": ("big.png", bytes(33 * 2**20), "image/png")})
        assert big.status_code == 413


def test_where_others_can_reach_the_page_no_checkpoint_is_taken(public_page: gr.Blocks) -> None:
    assert "published" not in {getattr(block, "elem_id", None) for block in public_page.blocks.values()}
    for settings in (PUBLIC, Settings(share=True)):
        assert launch_options(gr.Blocks(), settings)["max_file_size"] == "32mb"


def test_the_line_on_what_is_exposed_names_the_login_once(capsys: pytest.CaptureFixture[str]) -> None:
    private = Settings()
    say(private, "http://127.0.0.1:7860", None)
    assert "PUBLIC" not in capsys.readouterr().out
    say(replace(private, host="0.0.0.0"), "http://0.0.0.0:7860", None)
    assert "PUBLIC" in capsys.readouterr().out
    say(replace(private, share=True), "http://127.0.0.1:7860", None)
    said = capsys.readouterr().out
    assert "could not be had" in said and "PUBLIC" not in said  # on loopback nobody else reaches it
    say(replace(private, share=True), "http://127.0.0.1:7861/", "https://relay.example")
    assert "whoever reaches https://relay.example and" in capsys.readouterr().out
    say(replace(private, share=True, host="0.0.0.0"), "http://0.0.0.0:7861/", "https://relay.example")
    assert "https://relay.example or port 7861 of this machine" in capsys.readouterr().out
