"""A watch: reads the credit again and again, and always has the last good answer at hand."""

from __future__ import annotations

import ctypes
import math
from dataclasses import dataclass
from decimal import Decimal
from types import TracebackType
from typing import AsyncIterator, Iterator, Optional, Type, Union

from . import _abi as c
from . import _credit, _errors, _waiting
from ._abi import Level, Status
from ._credit import Credit
from ._errors import FishError
from ._library import Handle, library

#: How often an iterator looks though its descriptor is silent, for another reader may have silenced it.
_LOOK_S = 1.0
_NEVER_MS = 2**32 - 1


@dataclass(frozen=True)
class WatchState:
    """What a watch knows."""

    #: The last that was read. None: nothing has been yet. A failure never replaces it.
    credit: Optional[Credit]
    #: The level of that credit.
    level: Level
    #: How the newest reading ended. Status.PENDING: none has. Status.CANCELLED: the watch has ended.
    status: int
    #: Why the newest reading failed. None: it did not.
    error: Optional[FishError]
    #: How many readings in a row failed.
    failures: int
    #: Seconds until the next reading begins. None: never.
    next_in: Optional[float]
    #: Seconds since credit was read, time asleep included. None: nothing has been read.
    age: Optional[float]
    #: Grows by one whenever credit, level or status changes.
    changes: int


class Watch:
    """What Client.watch gives. Iterate over it, with `for` or `async for`, for its state at each change; it ends with
    the watch. A slow loop misses what lies between, and gets the newest.

    Close it, or use it in a `with`; one that is forgotten is ended by the garbage collector.
    """

    def __init__(self, handle: Handle, token: Handle) -> None:
        self._handle: Optional[Handle] = handle
        self._token = token

    def read(self) -> WatchState:
        """What it knows now. Never waits for the network."""
        filled, failure = c.WatchState(), c.Error()
        library().fish_watch_read(self._open(), filled, failure)
        error = None if failure.status == Status.OK else _errors.take(failure)
        try:
            known = filled.credit.id is not None
            return WatchState(
                credit=_credit.copy(filled.credit) if known else None,
                level=Level(filled.level),
                status=_errors.known(filled.status),
                error=error if filled.status != Status.PENDING else None,
                failures=filled.failures,
                next_in=None if filled.next_ms == _NEVER_MS else filled.next_ms / 1000,
                age=filled.age_ms / 1000 if known else None,
                changes=filled.changes,
            )
        finally:
            library().fish_watch_state_free(filled)

    def refresh(self) -> None:
        """Reads now, after a purchase or a spend. Never waits; several at once are one."""
        library().fish_watch_refresh(self._open())

    def fileno(self) -> int:
        """What an event loop of your own watches: readable when there has been a change since the last read(). Never
        read from it or close it. On Windows a SOCKET."""
        descriptor: int = library().fish_watch_descriptor(self._open())
        if descriptor < 0:
            raise OSError("this watch has no descriptor; call read() now and again")
        return descriptor

    def close(self) -> None:
        """Ends it, and every iteration over it. Never waits; closing twice is harmless."""
        self._handle = None
        # Who waits in an iteration holds a reference, and is woken.
        library().fish_cancel_token_cancel(self._token)

    def __enter__(self) -> "Watch":
        return self

    def __exit__(
        self,
        kind: Optional[Type[BaseException]],
        error: Optional[BaseException],
        trace: Optional[TracebackType],
    ) -> None:
        self.close()

    def __iter__(self) -> Iterator[WatchState]:
        return _States(self)

    def __aiter__(self) -> AsyncIterator[WatchState]:
        return _States(self)

    def _open(self) -> Handle:
        handle = self._handle
        if handle is None:
            raise ValueError("the watch is closed")
        return handle


class _States(Iterator[WatchState], AsyncIterator[WatchState]):
    """One iteration over a watch, of either kind."""

    def __init__(self, watch: Watch) -> None:
        self._watch = watch
        self._seen = 0
        self._state: Optional[WatchState] = None

    def __next__(self) -> WatchState:
        while not self._look():
            # Who waits holds the handle, and so the descriptor.
            handle = self._watch._handle
            if handle is not None:
                _waiting.readable(library().fish_watch_descriptor(handle), _LOOK_S)
        if self._state is None:
            raise StopIteration
        return self._state

    async def __anext__(self) -> WatchState:
        handle = self._watch._handle
        descriptor = -1 if handle is None else library().fish_watch_descriptor(handle)
        await _waiting.until(self._look, descriptor, _LOOK_S)
        if self._state is None:
            raise StopAsyncIteration
        return self._state

    def _look(self) -> bool:
        """Whether there is news: a state that has changed, or None, for the end."""
        try:
            state = self._watch.read()
        except ValueError:
            self._state = None
            return True
        if state.status == Status.CANCELLED:
            self._state = None
            return True
        self._state, changed = state, state.changes != self._seen
        self._seen = state.changes
        return changed


def options(
    interval: Optional[int], low: Union[Decimal, int, None], recovered: Union[Decimal, int, None]
) -> c.WatchOptions:
    """The options in the library's units, of which its own messages would speak."""
    if interval is not None and not interval >= 1000:
        raise _errors.invalid("interval is below 1 second; make it longer, or pass None for 60 seconds.")
    low_micros, recovered_micros = _micros("low", low), _micros("recovered", recovered)
    if recovered is not None and recovered_micros < low_micros:
        raise _errors.invalid("recovered is below low; make it at least low, or pass None for low.")
    return c.WatchOptions(interval_ms=interval or 0, low_micros=low_micros, recovered_micros=recovered_micros)


def _micros(name: str, amount: Union[Decimal, int, None]) -> int:
    """Rounded up: a credit is below it exactly if its whole micros are."""
    if amount is None:
        return 0
    exact = Decimal(amount)
    if exact.is_nan() or not 0 <= exact < 2**63 // 1_000_000:
        raise _errors.invalid(f"{name} is out of range; pass an amount from 0, or None.")
    return math.ceil(exact * 1_000_000)


def start(client: Handle, query: c.ApiCreditQuery, chosen: c.WatchOptions) -> Watch:
    watch, token = Handle(library().fish_watch_free), Handle(library().fish_cancel_token_free)
    token.out.value = library().fish_cancel_token_new()
    query.cancel = token.out.value
    failure = c.Error()
    if library().fish_watch_start(client, query, ctypes.byref(chosen), watch.out, failure) != Status.OK:
        raise _errors.take(failure)
    return Watch(watch, token)
