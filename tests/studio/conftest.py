import io
from collections.abc import Iterator
from pathlib import Path

import gradio as gr
import pytest
from PIL import Image as Pil

from engines.core.weights import assets
from studio.app import build
from studio.server import launch_options
from studio.settings import Settings
from studio.state.session import Session

ASTRONAUT = assets() / "examples" / "astronaut.jpg"


@pytest.fixture(scope="session")
def session() -> Session:
    return Session(Settings(generator="toy"))


@pytest.fixture(scope="session")
def page(session: Session) -> gr.Blocks:
    """The whole page, built once: nothing may change it."""
    return build(session)


@pytest.fixture(scope="session")
def toy_url(page: gr.Blocks, session: Session) -> Iterator[str]:
    _, url, _ = page.launch(**launch_options(page, session.settings))
    yield url
    page.close()


@pytest.fixture
def write(tmp_path: Path):
    def save(name: str, data: bytes | Pil.Image, **options) -> str:
        if not isinstance(data, bytes):
            buffer = io.BytesIO()
            data.save(buffer, **options)
            data = buffer.getvalue()
        path = tmp_path / name
        path.write_bytes(data)
        return str(path)

    return save
