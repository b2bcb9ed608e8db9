import gradio as gr
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
    for limit in ("megapixels", "upload_megabytes", "queue_size", "run_seconds", "shelf_megabytes"):
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


def test_every_event_that_is_public_is_meant_to_be(page: gr.Blocks) -> None:
    public = {fn.api_name for fn in page.fns.values() if fn.api_visibility == "public"}
    faces = {"engines", "random_face", "align", "invert", "list_directions", "edit_face", "mix_faces", "mix_photos"}
    assert public == faces | {"sample_finegan", "find_finegan_codes"}


def test_heavy_events_share_two_lanes(page: gr.Blocks) -> None:
    lanes = {fn.concurrency_id for fn in page.fns.values() if fn.queue and fn.concurrency_id in ("run", "preview")}
    assert lanes == {"run", "preview"}
    assert all(fn.concurrency_limit == 1 for fn in page.fns.values() if fn.concurrency_id in lanes)
