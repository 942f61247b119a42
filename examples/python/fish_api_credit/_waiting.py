"""Waiting for a descriptor of the library's: in this thread, where Ctrl-C still works, and on asyncio's loop."""

from __future__ import annotations

import asyncio
import select
import sys
import time
from typing import Callable

#: How long a wait lasts that no descriptor ends, or no signal: where there is none, and on Windows.
_STEP_S = 0.05


def readable(descriptor: int, seconds: float) -> None:
    """Blocks this thread until the descriptor is readable, for so long at most; perhaps for less."""
    if descriptor < 0:
        time.sleep(min(seconds, _STEP_S))
    elif sys.platform == "win32":
        # Ctrl-C does not end a select there.
        select.select([descriptor], [], [], min(seconds, _STEP_S))
    else:
        # Unlike select, it takes descriptors above 1023. A signal's handler is run during it, and may raise.
        poll = select.poll()
        poll.register(descriptor, select.POLLIN)
        poll.poll(seconds * 1000)


async def until(ready: Callable[[], bool], descriptor: int, look_again: float) -> None:
    """Waits on the running loop until `ready`, which is asked when the descriptor is readable, and as often besides.

    Without a descriptor, and on a loop that can watch none (Windows' default one), it is asked every 50 ms.
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
