import gradio as gr
import httpx
import pytest

from engines.core.errors import StudioError
from studio.server import launch_options
from studio.settings import Settings, check_environment


@pytest.mark.parametrize(
    ("settings", "public"),
    [(Settings(), False), (Settings(host="::1"), False), (Settings(host="0.0.0.0"), True), (Settings(share=True), True)],
)
def test_who_can_reach_the_page(settings: Settings, public: bool) -> None:
    assert settings.public is public
    assert (settings.login() is not None) is public


def test_a_public_page_is_tighter_and_its_password_new_each_time() -> None:
    public, private = Settings(share=True), Settings()
    assert public.login() != public.login() and len(public.login()[1]) >= 12
    for limit in (
        "megapixels",
        "upload_megabytes",
        "json_megabytes",
        "runs_each",
        "runs_waiting",
        "visitors_megabytes",
        "run_seconds",
        "shelf_megabytes",
    ):
        assert getattr(public, limit) < getattr(private, limit)


def test_a_given_login_is_kept() -> None:
    assert Settings(share=True, auth=("class", "secret")).login() == ("class", "secret")


def test_a_switch_that_lets_visitors_edit_files_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GRADIO_VIBE_MODE", "1")
    with pytest.raises(StudioError, match="GRADIO_VIBE_MODE"):
        check_environment()


def test_other_switches_are_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("GRADIO_VIBE_MODE", raising=False)
    monkeypatch.setenv("GRADIO_SHARE", "True")
    assert "GRADIO_SHARE" in check_environment()


def test_launch_is_private_and_says_nothing_of_errors() -> None:
    options = launch_options(gr.Blocks(), Settings())
    assert options["server_name"] == "127.0.0.1" and not options["share"] and options["auth"] is None
    assert not options["show_error"] and options["allowed_paths"] == [] and not options["mcp_server"] and not options["run_history"]


def test_a_busy_machine_still_starts_the_page(monkeypatch: pytest.MonkeyPatch) -> None:
    """Gradio looks at the page it has just begun to serve, and raises where that takes 3 s."""

    def too_slow(*_: object, **__: object) -> httpx.Response:
        raise httpx.ReadTimeout("timed out")

    monkeypatch.setattr(httpx, "head", too_slow)
    with gr.Blocks(analytics_enabled=False) as page:
        gr.Markdown("here")
    _, address, link = page.launch(**launch_options(page, Settings()))
    try:
        assert httpx.get(address).status_code == 200 and link is None
    finally:
        page.close()


def test_every_event_that_is_public_is_meant_to_be(page: gr.Blocks) -> None:
    public = {fn.api_name for fn in page.fns.values() if fn.api_visibility == "public"}
    faces = {"engines", "random_face", "align", "align_face", "invert", "list_directions", "edit_face", "mix_faces", "mix_photos"}
    assert public == faces | {"sample_finegan", "find_finegan_codes"}


@pytest.mark.parametrize("minutes", [-1, float("nan"), float("inf"), 1e9])
def test_a_time_that_nothing_can_be_kept_for_is_refused(minutes: float) -> None:
    with pytest.raises(StudioError, match="minutes"):
        Settings(grace_minutes=minutes)
