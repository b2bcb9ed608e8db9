"""Work on threads: generators whose steps leave the server's event loop free, and pools that know whose request they serve."""

import asyncio
import contextvars
import threading
from collections.abc import AsyncGenerator, Awaitable, Callable, Generator, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any
from weakref import WeakKeyDictionary

import anyio
import anyio.to_thread

_END: Any = object()


async def on_thread(steps: Iterator[Any], give_way: Callable[[], Awaitable[None]]) -> AsyncGenerator[Any, None]:
    """The steps of a generator, each computed on a thread; one that is left in the middle of a step ends with it.

    Args:
        steps: The generator, which is closed at the end.
        give_way: Awaited between its steps.
    """
    at_work = threading.Lock()  # whoever leaves during a step is told so at once, while its thread computes on

    def step() -> Any:
        with at_work:
            return next(steps, _END)

    def end() -> None:
        with at_work:
            if isinstance(steps, Generator):
                steps.close()

    try:
        while (made := await anyio.to_thread.run_sync(step, limiter=_threads())) is not _END:
            yield made
            await give_way()
    finally:
        await anyio.to_thread.run_sync(end, limiter=_threads())


_limiters: "WeakKeyDictionary[asyncio.AbstractEventLoop, anyio.CapacityLimiter]" = WeakKeyDictionary()


def _threads() -> anyio.CapacityLimiter:
    """As many threads as lines can ever keep busy; a limiter belongs to its event loop."""
    loop = asyncio.get_running_loop()
    if loop not in _limiters:
        _limiters[loop] = anyio.CapacityLimiter(64)
    return _limiters[loop]


class CarryingThreads(ThreadPoolExecutor):
    """A pool whose threads see the context of whoever hands them their work, as `anyio`'s do."""

    def submit(self, fn: Callable[..., Any], /, *args: Any, **kwargs: Any) -> Future[Any]:
        """As `concurrent.futures.Executor.submit`."""
        return super().submit(contextvars.copy_context().run, fn, *args, **kwargs)
