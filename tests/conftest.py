"""What all tests share: checked shapes, the toy generator, the devices, and the rule for browser tests."""

import os
from pathlib import Path

os.environ["GRADIO_ANALYTICS_ENABLED"] = "False"
os.environ.setdefault(
    "OMP_WAIT_POLICY", "PASSIVE"
)  # waiting threads sleep: on shared cores, spinning ones make small steps 20 times slower
if "PYTEST_XDIST_WORKER" in os.environ:  # tests beside others: a share of the cores, and ports of their own
    WORKERS, WORKER = int(os.environ["PYTEST_XDIST_WORKER_COUNT"]), int(os.environ["PYTEST_XDIST_WORKER"].removeprefix("gw"))
    os.environ.setdefault("OMP_NUM_THREADS", str(max(1, (os.cpu_count() or 1) // WORKERS)))
    os.environ["GRADIO_SERVER_PORT"] = str(7860 + 100 * WORKER)

from jaxtyping import install_import_hook

import tests.checking

install_import_hook(tests.checking.CHECKED, "tests.checking.check")  # before the first import of engines

import hypothesis  # noqa: E402
import pytest  # noqa: E402
import torch  # noqa: E402

from engines import load_generator  # noqa: E402
from engines.generators import FfhqGenerator  # noqa: E402

hypothesis.settings.register_profile("shared machine", deadline=None)  # a slow moment of a busy machine is no failure
hypothesis.settings.load_profile("shared machine")


@pytest.fixture(scope="session")
def toy() -> FfhqGenerator:
    """The 64 px generator with random weights, one for all tests: nothing may change it."""
    generator = load_generator("toy")
    assert isinstance(generator, FfhqGenerator)
    return generator


@pytest.fixture(scope="session")
def ffhq() -> FfhqGenerator:
    """The bundled 1024 px generator."""
    generator = load_generator("ffhq")
    assert isinstance(generator, FfhqGenerator)
    return generator


@pytest.fixture(params=["cpu", pytest.param("cuda", marks=pytest.mark.gpu)])
def device(request: pytest.FixtureRequest) -> torch.device:
    """Each device that methods run on; CUDA only with `-m gpu`."""
    return torch.device(request.param)


def chromium() -> Path | None:
    """The browser that pages are driven with: $STUDIO_CHROMIUM, or Debian's."""
    path = Path(os.environ.get("STUDIO_CHROMIUM", "/usr/bin/chromium"))
    return path if path.is_file() else None


def pytest_runtest_setup(item: pytest.Item) -> None:
    """Skip what this machine cannot run, and say why; continuous integration must be able to run the browser tests."""
    if item.get_closest_marker("gpu") and not torch.cuda.is_available():
        pytest.skip("no CUDA device")
    if item.get_closest_marker("browser") and chromium() is None:
        reason = "no Chromium: install Debian's package chromium, or name the program in STUDIO_CHROMIUM"
        if os.environ.get("CI") == "true":
            pytest.fail(reason)
        pytest.skip(reason)
