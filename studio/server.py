"""Serving the page: private by default, with limits and a login where others can reach it."""

import logging
import os
import signal
import time
from dataclasses import replace
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import gradio as gr
from gradio.tunneling import CURRENT_TUNNELS

from engines.core.memory import give_back_regularly
from studio.app import build
from studio.services.autosave import autosave_of
from studio.serving.disk import PUBLIC, Bounds, disk, sweep
from studio.serving.guard import parts
from studio.serving.sessions import MOST_SESSIONS
from studio.settings import Settings
from studio.state.session import Session
from studio.ui.theme import css, theme

_UI = Path(__file__).parent / "ui"
_SCRIPTS = [_UI / name for name in ("stream.js", "pictures.js", "cells.js", "seeds.js")]
_STYLES = [_UI / "cells.css"]
"""Sheets that Gradio does not rewrite: they reach beyond its own part of the page."""
_FORGETS = "<meta name='latent-studio-forgets' content='yes'>"
"""Tells the scripts that a visitor's things go some minutes after they leave: who has something unsaved is asked first."""
MOST_EVENTS = 1000
"""Events under way or waiting, of all kinds and visitors: far more than a page ever asks for, so that only a flood is refused."""
_LOOK_AROUND = 60.0
IDLE_SECONDS = 2 * 3600.0
"""Seconds without a sign of life after which a visitor's files go, if they have not gone when the visitor left."""

# After each event, Gradio sums up the times of all before it, for a page of figures that is off here: a tenth of a second an event.
os.environ.setdefault("GRADIO_ANALYTICS_CACHE_FREQUENCY", str(2**62))
log = logging.getLogger(__name__)


def serve(settings: Settings) -> None:
    """Load, build, launch, and stay until interrupted."""
    signal.signal(signal.SIGTERM, _end)
    sweep()
    given, settings = settings.auth, replace(settings, auth=settings.login())
    session = Session(settings)
    session.warm()
    session.visitors.watch()
    give_back_regularly()
    autosave = autosave_of(session)
    page = build(session, autosave)
    _, address, link = page.launch(**launch_options(page, settings))
    page.share = False
    say(settings, address, link)
    if settings.auth and not given:
        print("Login: {} / {} (made for this run; --auth-file FILE sets your own)".format(*settings.auth), flush=True)  # noqa: T201
    if autosave is not None:
        autosave.watch()
    _stay(page)
    if autosave is not None:
        autosave.save()


def launch_options(page: gr.Blocks, settings: Settings) -> dict[str, Any]:
    """Everything `launch` needs to know; also opens the queue, whose bounds are those of `studio.serving.lines`."""
    disk.bounds = PUBLIC if settings.public else Bounds()
    page.queue(max_size=MOST_EVENTS, default_concurrency_limit=None, api_open=False)
    return {
        "server_name": settings.host,
        "server_port": settings.port,
        "share": settings.share,
        "auth": settings.login(),
        "auth_message": "The password stands where the studio was started.",
        "show_error": False,
        "max_file_size": f"{max(settings.code_megabytes, settings.checkpoint_megabytes)}mb",
        "allowed_paths": [],
        "app_kwargs": {"middleware": parts(settings)},
        "enable_monitoring": False,
        "mcp_server": False,
        "ssr_mode": False,
        "run_history": False,
        "strict_cors": True,
        "max_threads": MOST_EVENTS,
        "state_session_capacity": MOST_SESSIONS,
        "footer_links": ["api", "settings"],
        "theme": theme(),
        "css": css(),
        "head": (_FORGETS if settings.public else "") + _within("script", _SCRIPTS) + _within("style", _STYLES),
        "quiet": True,
        "prevent_thread_lock": True,
        "_frontend": False,  # its check fails where one look at the page takes 3 s, and then asks for a public link
    }


def _within(tag: str, files: list[Path]) -> str:
    """Files as elements of the page's head."""
    return "".join(f"<{tag}>{file.read_text(encoding='utf-8')}</{tag}>" for file in files)


def _stay(page: gr.Blocks) -> None:
    """Serve until Ctrl+C or SIGTERM, and leave nothing behind."""
    try:
        while page.is_running:
            time.sleep(_LOOK_AROUND)
            disk.forget_idle(IDLE_SECONDS)
            for names in page.temp_file_sets:
                names.clear()
    except KeyboardInterrupt:
        print("Closing.", flush=True)  # noqa: T201
    finally:
        page.close(verbose=False)
        for tunnel in CURRENT_TUNNELS:
            tunnel.kill()
        disk.close()


def _end(number: int, _: Any) -> None:
    """A signal to end is taken as Ctrl+C is."""
    raise KeyboardInterrupt


def say(settings: Settings, address: str, link: str | None) -> None:
    """One line on where the page is, and on a public page one on what is exposed."""
    print(f"Latent Studio is at {address} (Ctrl+C ends it).", flush=True)  # noqa: T201
    if settings.share and not link:
        print("The public link could not be had: the relay did not answer. The page works on this machine.", flush=True)  # noqa: T201
    places = [link] if link else []
    if settings.listens_beyond:
        places.append(f"port {urlsplit(address).port} of this machine")
    if places:
        where = " or ".join(places)
        print(f"PUBLIC: whoever reaches {where} and knows the login can use this page and this machine's processor.", flush=True)  # noqa: T201
