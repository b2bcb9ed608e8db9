"""The studios that are attacked: one of each kind for all tests of this folder that run in one process."""

from collections.abc import Iterator

import pytest

from tests.hostile.listening import free_port
from tests.hostile.sending import served
from tests.hostile.visitor import Studio


def _running(profile: str, factory: pytest.TempPathFactory) -> Iterator[Studio]:
    studio = Studio(profile, free_port(), factory.mktemp(profile))
    yield studio
    studio.stop()
    studio.ended()


@pytest.fixture(scope="package")
def private(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Studio]:
    """A page of one's own, still starting."""
    yield from _running("private", tmp_path_factory)


@pytest.fixture(scope="package")
def _public(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Studio]:
    yield from _running("public", tmp_path_factory)


@pytest.fixture(scope="package")
def studio(_public: Studio) -> Studio:
    """The public one, warm: what the first photo and the first direction load is loaded."""
    _public.wait()
    for _ in range(2):
        assert [answer.succeeded for answer in served(_public)] == [True] * 7
    return _public
