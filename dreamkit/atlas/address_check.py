"""Whether a Dask scheduler answers at an address, within seconds."""

from __future__ import annotations

import asyncio
import queue
import threading
from types import ModuleType

from ..checks.fields import short
from ..pictures.files import one_line


def check_answer(distributed: ModuleType, scheduler: str, seconds: float = 10.0) -> None:
    """Raise ValueError, within about so many seconds, unless a Dask scheduler answers there.

    Dask's own client tries again and again: something else that listens there, and says nothing or
    talks without end, would keep it for minutes. TLS is what Dask's configuration says.
    """
    found: queue.SimpleQueue[object] = queue.SimpleQueue()

    async def ask() -> object:
        security = distributed.Security().get_connection_args("client")
        async with distributed.rpc(scheduler, connection_args=security) as other:
            return await asyncio.wait_for(other.identity(), seconds)

    def answer() -> None:  # in a thread: whoever calls may have an event loop that runs
        try:
            found.put(asyncio.run(ask()))
        except BaseException as error:
            found.put(error)

    threading.Thread(target=answer, name="dreamkit scheduler", daemon=True).start()
    try:
        said = found.get(timeout=seconds + 2)  # also if a name or a close takes for ever
    except queue.Empty:
        said = TimeoutError()
    if not isinstance(said, dict) or said.get("type") != "Scheduler":
        raise no_answer(scheduler, said)


def no_answer(scheduler: str, said: object) -> ValueError:
    """The error for an address, in one line; `said` is an error, or what answered there."""
    text = one_line(said) if isinstance(said, BaseException) else "it is no scheduler"
    text = "nothing came in time" if isinstance(said, TimeoutError) else text
    return ValueError(f"no Dask scheduler answers at {short(scheduler)}: {text[:120]}")
