"""A small page that is served as the studio is, and what is asked of it."""

import json
from collections.abc import Iterator
from uuid import uuid4

import gradio as gr
import httpx
from PIL import Image as Pil

from studio.server import launch_options
from studio.serving.guard import VISITOR_COOKIE
from studio.settings import Settings

OURS = r"[A-Za-z0-9_-]{32}"
RIGHT, WRONG = {"username": "guest", "password": "a-password"}, {"username": "guest", "password": "hello"}
JOIN = "/gradio_api/queue/join"
PUBLIC = Settings(host="0.0.0.0", generator="toy")


def small_page() -> gr.Blocks:
    with gr.Blocks() as page:
        number, said, picture, button = gr.Number(), gr.Textbox(), gr.Image(type="pil"), gr.Button()
        gr.HTML("", server_functions=[_divide], elem_id="served")

        def who(request: gr.Request) -> str:
            return str(request.cookies.get(VISITOR_COOKIE))

        button.click(lambda n: f"{n}", number, said, api_name="tell")
        button.click(_divide, number, said, api_name="divide", queue=False)
        button.click(who, None, said, api_name="who")
        button.click(lambda: Pil.new("RGB", (8, 8)), None, picture, api_name="show")
        button.click(lambda: None, None, None, api_name="hidden", api_visibility="private")
        gr.Dropdown(["a"]).select(_pick, None, said, api_name="pick")
    return page


def _pick(event: gr.SelectData) -> str:
    return str(event.index)


def _divide(n: float) -> str:
    return str(1 / n)


def served(settings: Settings) -> Iterator[str]:
    page = small_page()
    options = launch_options(page, settings) | {"server_name": "127.0.0.1"}
    options["auth"] = ("guest", "a-password") if settings.public else None
    _, url, _ = page.launch(**options)
    yield url.rstrip("/")
    page.close()


def index_of(client: httpx.Client, name: str) -> int:
    return next(entry["id"] for entry in client.get("/config").json()["dependencies"] if entry["api_name"] == name)


def answer_of(client: httpx.Client, name: str, data: list, session: str = "") -> dict:
    """What an event of the page ends with."""
    session = session or uuid4().hex
    body = {"fn_index": index_of(client, name), "data": data, "session_hash": session}
    assert client.post(JOIN, json=body).status_code == 200
    with client.stream("GET", f"/gradio_api/queue/data?session_hash={session}", timeout=60) as stream:
        messages = [json.loads(line[6:]) for line in stream.iter_lines() if line.startswith("data: ")]
    return next(message["output"] for message in messages if message["msg"] == "process_completed")
