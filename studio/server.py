"""Serving the page: private by default, with limits and a login where others can reach it."""

import logging
from dataclasses import replace
from pathlib import Path
from typing import Any

import gradio as gr

from studio.app import build
from studio.session import Session
from studio.settings import Settings
from studio.theme import css, theme

_STREAM = Path(__file__).parent / "stream.js"
log = logging.getLogger(__name__)


def serve(settings: Settings) -> None:
    """Load, build, launch, and stay until interrupted."""
    given, settings = settings.auth, replace(settings, auth=settings.login())
    session = Session(settings)
    session.warm()
    page = build(session)
    _, address, link = page.launch(**launch_options(page, settings))
    say(settings, address, link)
    if settings.auth and not given:
        print("Login: {} / {} (made for this run; --auth USER:PASSWORD sets your own)".format(*settings.auth), flush=True)  # noqa: T201
    page.block_thread()


def launch_options(page: gr.Blocks, settings: Settings) -> dict[str, Any]:
    """Everything `launch` needs to know; also sets the queue's bounds."""
    page.queue(max_size=settings.queue_size, default_concurrency_limit=4, api_open=False)
    return {
        "server_name": settings.host,
        "server_port": settings.port,
        "share": settings.share,
        "auth": settings.login(),
        "auth_message": "The password stands where the studio was started.",
        "show_error": False,
        "max_file_size": f"{max(settings.upload_megabytes, settings.checkpoint_megabytes)}mb",
        "allowed_paths": [],
        "enable_monitoring": False,
        "mcp_server": False,
        "ssr_mode": False,
        "run_history": False,
        "strict_cors": True,
        "state_session_capacity": 200,
        "footer_links": ["api", "settings"],
        "theme": theme(),
        "css": css(),
        "head": f"<script>{_STREAM.read_text(encoding='utf-8')}</script>",
        "quiet": True,
        "prevent_thread_lock": True,
    }


def say(settings: Settings, address: str, link: str | None) -> None:
    """One line on where the page is, and on a public page one on what is exposed."""
    print(f"Latent Studio is at {address} (Ctrl+C ends it).", flush=True)  # noqa: T201
    if settings.share and not link:
        print("The public link could not be had: the relay did not answer. The page works on this machine.", flush=True)  # noqa: T201
    if settings.public:
        where = link or f"port {settings.port or 7860} of this machine"
        print(f"PUBLIC: whoever reaches {where} and knows the login can use this page and this machine's processor.", flush=True)  # noqa: T201
