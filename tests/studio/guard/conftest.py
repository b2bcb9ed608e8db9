"""The small page, for this machine only and for others, and who visits it."""

from collections.abc import Iterator

import httpx
import pytest

from studio.settings import Settings
from tests.studio.guard.served import PUBLIC, RIGHT, served


@pytest.fixture(scope="session")
def url() -> Iterator[str]:
    """A page of this machine only."""
    yield from served(Settings(generator="toy"))


@pytest.fixture(scope="session")
def public_url() -> Iterator[str]:
    """A page that others can reach, with a login."""
    yield from served(PUBLIC)


@pytest.fixture
def browser(url: str) -> Iterator[httpx.Client]:
    with httpx.Client(base_url=url) as client:
        client.get("/")
        yield client


@pytest.fixture
def guest(public_url: str) -> Iterator[httpx.Client]:
    with httpx.Client(base_url=public_url) as client:
        client.get("/")
        assert client.post("/login", data=RIGHT).status_code == 200
        yield client
