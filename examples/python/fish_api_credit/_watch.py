"""The watch: reads the credit periodically and keeps the last good reading."""

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

#: How often an iterator reads even if its descriptor is not readable, because another read may have cleared it.
_LOOK_S = 1.0
_NEVER_MS = 2**32 - 1


@dataclass(frozen=True)
class WatchState:
    """The state of a watch."""

    #: The last credit that was read. None: none yet. A failure never replaces it.
    credit: Optional[Credit]
    #: The level of that credit.
    level: Level
    #: How the latest reading ended. Status.PENDING: none has ended yet. Status.CANCELLED: the watch has ended.
    status: int
    #: Why the latest reading failed. None: it did not.
    error: Optional[FishError]
    #: How many readings in a row failed.
    failures: int
    #: Seconds until the next reading starts. None: never.
    next_in: Optional[float]
    #: Seconds since credit was read, including time asleep. None: nothing has been read.
    age: Optional[float]
    #: Increases by one whenever credit, level or status changes.
    changes: int


class Watch:
    """Returned by Client.watch. Iterate over it with `for` or `async for` to get its state at each change, until the
    watch ends. A slow loop gets only the latest state.

    Close it, or use it in a `with` or an `async with`; the garbage collector ends one that is not closed.
    """

    def __init__(self, handle: Handle, token: Handle) -> None:
        self._handle: Optional[Handle] = handle
        self._token = token

    def read(self) -> WatchState:
        """Returns the state. Never waits for the network."""
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
        """Starts a reading now, for example after a purchase. Never waits; several at once cause one reading."""
        library().fish_watch_refresh(self._open())

    def fileno(self) -> int:
        """A descriptor for your own event loop: readable when something has changed since the last read(). Never read
        from it or close it. On Windows a SOCKET."""
        descriptor: int = library().fish_watch_descriptor(self._open())
        if descriptor < 0:
            raise OSError("this watch has no descriptor; call read() from time to time instead")
        return descriptor

    def close(self) -> None:
        """Ends the watch and every iteration over it. Never waits; closing twice is harmless."""
        self._handle = None
        # A waiting iteration holds a reference, and this wakes it.
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

    async def __aenter__(self) -> "Watch":
        return self

    async def __aexit__(
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
    """One iteration over a watch, synchronous or asynchronous."""

    def __init__(self, watch: Watch) -> None:
        self._watch = watch
        self._seen = 0
        self._state: Optional[WatchState] = None

    def __next__(self) -> WatchState:
        while not self._look():
            # Holding the handle keeps the descriptor open.
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
        """Sets _state to a changed state, or to None at the end, and returns whether it did."""
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
    """The options in the library's units. Validated here, because the library's messages name its own units."""
    if interval is not None and not interval >= 1000:
        raise _errors.invalid("interval is below 1 second; make it longer, or pass None for 60 seconds.")
    low_micros, recovered_micros = _micros("low", low), _micros("recovered", recovered)
    if recovered is not None and recovered_micros < low_micros:
        raise _errors.invalid("recovered is below low; set it to low or more, or pass None for low.")
    return c.WatchOptions(interval_ms=interval or 0, low_micros=low_micros, recovered_micros=recovered_micros)


def _micros(name: str, amount: Union[Decimal, int, None]) -> int:
    """In micros, rounded up: a credit is below the amount exactly if its whole micros are."""
    if amount is None:
        return 0
    exact = Decimal(amount)
    if exact.is_nan() or not 0 <= exact < 2**63 // 1_000_000:
        raise _errors.invalid(f"{name} is out of range; pass an amount of 0 or more, or None.")
    return math.ceil(exact * 1_000_000)


def start(client: Handle, query: c.ApiCreditQuery, chosen: c.WatchOptions) -> Watch:
    watch, token = Handle(library().fish_watch_free), Handle(library().fish_cancel_token_free)
    token.out.value = library().fish_cancel_token_new()
    query.cancel = token.out.value
    failure = c.Error()
    if library().fish_watch_start(client, query, ctypes.byref(chosen), watch.out, failure) != Status.OK:
        raise _errors.take(failure)
    return Watch(watch, token)
