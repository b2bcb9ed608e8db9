"""Coroutines in tests, each on an event loop and a thread of its own: a browser's loop may be running on the test's."""

import asyncio
from collections.abc import Coroutine
from concurrent.futures import ThreadPoolExecutor
from typing import Any


def done(coroutine: Coroutine[Any, Any, Any]) -> Any:
    """What a coroutine returns, or raises."""
    with ThreadPoolExecutor(1) as threads:
        return threads.submit(asyncio.run, coroutine).result()
