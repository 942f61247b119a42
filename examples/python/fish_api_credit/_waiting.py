"""Waits for a descriptor of the library: in this thread, where Ctrl-C still works, or on asyncio's loop."""

from __future__ import annotations

import asyncio
import select
import sys
import time
from typing import Callable

#: The polling interval where there is no descriptor, or where a signal does not end a wait (Windows).
_STEP_S = 0.05


def readable(descriptor: int, seconds: float) -> None:
    """Blocks this thread until the descriptor is readable, for at most `seconds`. It may return early."""
    if descriptor < 0:
        time.sleep(min(seconds, _STEP_S))
    elif sys.platform == "win32":
        # On Windows, Ctrl-C does not end a select.
        select.select([descriptor], [], [], min(seconds, _STEP_S))
    else:
        # Unlike select, poll accepts descriptors above 1023. Signal handlers run during it, and may raise.
        poll = select.poll()
        poll.register(descriptor, select.POLLIN)
        poll.poll(seconds * 1000)


async def until(ready: Callable[[], bool], descriptor: int, look_again: float) -> None:
    """Waits on the running loop until `ready` returns true. Calls it when the descriptor is readable, and at least
    every `look_again` seconds.

    Without a descriptor, or on a loop that cannot watch one (Windows' default loop), calls it every 50 ms.
    """
    loop, woken = asyncio.get_running_loop(), asyncio.Event()
    watched = descriptor >= 0
    try:
        if watched:
            loop.add_reader(descriptor, woken.set)
    except NotImplementedError:
        watched = False
    try:
        while not ready():
            woken.clear()
            timer = loop.call_later(look_again if watched else _STEP_S, woken.set)
            try:
                await woken.wait()
            finally:
                timer.cancel()
    finally:
        if watched:
            loop.remove_reader(descriptor)
