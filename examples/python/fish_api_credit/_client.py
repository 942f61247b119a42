"""The client and its one call, in three forms: blocking, awaitable, and as the server's JSON."""

from __future__ import annotations

import asyncio
import ctypes
import math
import os
from concurrent.futures import ThreadPoolExecutor
from types import TracebackType
from typing import Any, Callable, Optional, Set, Type, Union

from . import _credit, _errors
from . import _library as c
from ._credit import Credit

_LONGEST_MS = 2**32 - 1


class _Handle:
    """A thing of the library's, freed when the last reference to it goes.

    Nothing in this module takes a lock: a signal handler or a finaliser would wait for its own thread, and a forked
    child for a thread that it does not have. Who uses a thing holds a reference to it, and that is enough.
    """

    __slots__ = ("_as_parameter_", "_free", "__weakref__")

    def __init__(self, pointer: int, free: Callable[[int], None]) -> None:
        self._as_parameter_ = pointer
        self._free = free

    def __del__(self) -> None:
        self._free(self._as_parameter_)

    def __reduce__(self) -> Any:
        raise TypeError("it belongs to this process, and cannot be copied or pickled")


class CancelToken:
    """Cancels calls from any thread, any number of them at once. A cancelled token stays cancelled."""

    def __init__(self) -> None:
        self._cancelled = False
        # The library's tokens of the calls in flight. Each call has its own, so that closing a client does not
        # cancel what another client does with the same token.
        self._calls: Set[_Handle] = set()

    def cancel(self) -> None:
        """Never waits: a signal handler or a finaliser may call it, too."""
        self._cancelled = True
        # A copy is made in one step. What is added after it finds _cancelled set.
        for call in self._calls.copy():
            c.library().fish_cancel_token_cancel(call)

    @property
    def cancelled(self) -> bool:
        return self._cancelled

    def _add(self, call: _Handle) -> None:
        self._calls.add(call)
        if self._cancelled:
            c.library().fish_cancel_token_cancel(call)


class Client:
    """Keeps connections and settings. Make one and share it: any number of threads may call at once.

    Close it, or use it in a `with`; one that is forgotten is freed by the garbage collector.
    """

    def __init__(
        self,
        api_key: Optional[str] = None,
        *,
        base_url: Optional[str] = None,
        proxy_url: Optional[str] = None,
        ca_file: "Union[str, os.PathLike[str], None]" = None,
        system_roots: bool = False,
        user_agent: Optional[str] = None,
        timeout: Optional[float] = None,
        connect_timeout: Optional[float] = None,
        max_retries: int = 2,
    ) -> None:
        """None is the library's default. Timeouts are in seconds.

        :param api_key: None: the environment variable FISH_API_KEY.
        :param base_url: None: https://api.fish.audio. Plain http only to a loopback host.
        :param proxy_url: None: HTTPS_PROXY and its kin. "": none.
        :param ca_file: a PEM file of the certificates to trust, and no others.
        :param system_roots: trust what the operating system trusts, not Mozilla's list.
        :param user_agent: put before the library's own, such as "studio/2.1".
        :param timeout: of a whole call, retries included. None: 15.
        :param connect_timeout: of one attempt at a connection. None: 5.
        :param max_retries: 0: none.
        """
        if not 0 <= max_retries < 2**31:
            raise _errors.invalid("max_retries is out of range; 0 is none.")
        options = c.ClientOptions(
            api_key=_encode("api_key", api_key),
            base_url=_encode("base_url", base_url),
            proxy_url=_encode("proxy_url", proxy_url),
            ca_file=_encode("ca_file", None if ca_file is None else os.fspath(ca_file)),
            user_agent=_encode("user_agent", user_agent),
            timeout_ms=_milliseconds("timeout", timeout),
            connect_timeout_ms=_milliseconds("connect_timeout", connect_timeout),
            max_retries=max_retries or -1,
            tls_roots=c.TLS_ROOTS_SYSTEM if system_roots else 0,
        )
        library, client, failure = c.library(), ctypes.c_void_p(), c.Error()
        if library.fish_client_new(options, client, failure) != c.OK:
            raise _errors.take(failure)
        # A call holds on to it, so none is in flight when it is freed.
        self._handle: Optional[_Handle] = _Handle(client.value or 0, library.fish_client_free)
        self._closing = CancelToken()

    def api_credit(
        self,
        *,
        user_id: Optional[str] = None,
        team_id: Optional[str] = None,
        check_free_credit: bool = False,
        timeout: Optional[float] = None,
        cancel: Optional[CancelToken] = None,
    ) -> Credit:
        """Asks for an account's API credit. Blocks, without the GIL, for at most the timeout.

        :param user_id: None: the key's own account.
        :param team_id: the team whose wallet is meant.
        :param check_free_credit: ask for Credit.has_free_credit too.
        :param timeout: seconds for this whole call. None: the client's.
        :param cancel: cancels this call from another thread.
        :raises FishError: or one of its subclasses.
        """
        filled = c.ApiCredit()
        query = _query(user_id, team_id, check_free_credit, timeout)
        self._call(c.library().fish_get_api_credit, query, filled, cancel)
        return _credit.take(filled)

    def api_credit_json(
        self,
        *,
        user_id: Optional[str] = None,
        team_id: Optional[str] = None,
        check_free_credit: bool = False,
        timeout: Optional[float] = None,
        cancel: Optional[CancelToken] = None,
    ) -> str:
        """The same call, giving the server's document exactly as sent. parse_credit reads it later."""
        text = ctypes.c_void_p()
        query = _query(user_id, team_id, check_free_credit, timeout)
        self._call(c.library().fish_get_api_credit_json, query, text, cancel)
        try:
            return ctypes.string_at(text.value or 0).decode()
        finally:
            c.library().fish_string_free(text)

    async def api_credit_async(
        self,
        *,
        user_id: Optional[str] = None,
        team_id: Optional[str] = None,
        check_free_credit: bool = False,
        timeout: Optional[float] = None,
    ) -> Credit:
        """The same call for asyncio. Cancelling the task ends the call at once."""
        token = CancelToken()
        loop = asyncio.get_running_loop()
        # A thread of its own: in asyncio's shared pool a call could wait for a free thread beyond its timeout.
        executor = ThreadPoolExecutor(1, thread_name_prefix="fish-api-credit")
        try:
            return await loop.run_in_executor(
                executor,
                lambda: self.api_credit(
                    user_id=user_id,
                    team_id=team_id,
                    check_free_credit=check_free_credit,
                    timeout=timeout,
                    cancel=token,
                ),
            )
        finally:
            token.cancel()
            executor.shutdown(wait=False)

    def close(self) -> None:
        """Cancels the calls in flight, which raise Cancelled, and lets go: the connections are closed and the key
        wiped when the last of them has returned. Never waits for them, so it may be called from a signal handler, a
        finaliser or a forked child. Closing twice is harmless."""
        self._handle = None
        self._closing.cancel()

    def __enter__(self) -> "Client":
        return self

    def __exit__(
        self,
        kind: Optional[Type[BaseException]],
        error: Optional[BaseException],
        trace: Optional[TracebackType],
    ) -> None:
        self.close()

    def _call(
        self, function: Callable[..., int], query: c.ApiCreditQuery, out: Any, cancel: Optional[CancelToken]
    ) -> None:
        client = self._handle
        if client is None:
            raise RuntimeError("the client is closed")
        library, failure = c.library(), c.Error()
        call = _Handle(library.fish_cancel_token_new() or 0, library.fish_cancel_token_free)
        tokens = [self._closing] if cancel is None else [self._closing, cancel]
        try:
            for token in tokens:
                token._add(call)
            query.cancel = call._as_parameter_
            status = function(client, query, out, failure)
        finally:
            for token in tokens:
                token._calls.discard(call)
            # An exception keeps this frame, but must not keep the key.
            del client
        if status != c.OK:
            raise _errors.take(failure)


def parse_credit(json: Union[str, bytes]) -> Credit:
    """Reads a document kept from Client.api_credit_json. No network."""
    document = json.encode() if isinstance(json, str) else bytes(json)
    filled, failure = c.ApiCredit(), c.Error()
    if c.library().fish_api_credit_from_json(document, len(document), filled, failure) != c.OK:
        raise _errors.take(failure)
    return _credit.take(filled)


def _query(
    user_id: Optional[str], team_id: Optional[str], check_free_credit: bool, timeout: Optional[float]
) -> c.ApiCreditQuery:
    return c.ApiCreditQuery(
        user_id=_encode("user_id", user_id),
        team_id=_encode("team_id", team_id),
        check_free_credit=check_free_credit,
        timeout_ms=_milliseconds("timeout", timeout),
    )


def _encode(name: str, text: Optional[str]) -> Optional[bytes]:
    if text is None:
        return None
    if "\0" in text:
        raise _errors.invalid(f"{name} has a NUL character in it; remove it.")
    try:
        return text.encode()
    except UnicodeEncodeError:
        raise _errors.invalid(f"{name} has a lone surrogate in it; pass valid text.") from None


def _milliseconds(name: str, seconds: Optional[float]) -> int:
    """0, the library's default, only for None: a very short timeout is not the default one."""
    if seconds is None:
        return 0
    if not seconds > 0:
        raise _errors.invalid(f"{name} is not above zero; pass None for the default.")
    return min(math.ceil(min(seconds, _LONGEST_MS) * 1000), _LONGEST_MS)
