"""The client: its call in three forms (blocking, awaitable, and as the server's JSON), and starting a watch."""

from __future__ import annotations

import ctypes
import math
import os
from decimal import Decimal
from types import TracebackType
from typing import Callable, Optional, Type, TypeVar, Union

from . import _abi as c
from . import _credit, _errors, _waiting, _watch
from ._abi import Status
from ._credit import Credit
from ._library import Handle, library
from ._watch import Watch

_Result = TypeVar("_Result")

_LONGEST_MS = 2**32 - 1
_LONGEST_S = _LONGEST_MS / 1000
#: How long a blocking call may delay Ctrl-C.
_SLICE_MS = 50


class CancelToken:
    """Cancels calls from any thread, any number of them at once. A cancelled token stays cancelled."""

    def __init__(self) -> None:
        self._cancelled = False
        self._handle = Handle(library().fish_cancel_token_free)
        self._handle.out.value = library().fish_cancel_token_new()

    def cancel(self) -> None:
        """Never waits, so a signal handler or a finaliser may call it. In a forked child it cancels only the child's
        calls."""
        self._cancelled = True
        library().fish_cancel_token_cancel(self._handle)

    @property
    def cancelled(self) -> bool:
        return self._cancelled


class Client:
    """Holds connections and options. Create one and share it: any number of threads may call at once.

    Close it, or use it in a `with` or an `async with`; the garbage collector frees one that is not closed.
    """

    # Generated from src/ffi: the fields of fish_client_options.
    def __init__(
        self,
        api_key: Optional[str] = None,
        *,
        base_url: Optional[str] = None,
        proxy_url: Optional[str] = None,
        ca_file: "Union[str, os.PathLike[str], None]" = None,
        user_agent: Optional[str] = None,
        timeout: Optional[float] = None,
        connect_timeout: Optional[float] = None,
        max_retries: int = 2,
        system_roots: bool = False,
    ) -> None:
        """None means the library's default. Timeouts are in seconds.

        :param api_key: The secret API key. None: the environment variable FISH_API_KEY. Sent only to
            base_url's host; wiped from memory when the client is closed.
        :param base_url: The API's address. None: "https://api.fish.audio". It may have a port and a path, but
            no user, query or fragment. Plain http:// is allowed for loopback hosts only.
        :param proxy_url: "http://[user:password@]host:port" or "socks5://...". "": no proxy. None: the
            environment variables HTTPS_PROXY, ALL_PROXY and NO_PROXY, which are ignored if base_url is a
            loopback host. For such a host, only a proxy on a loopback host is allowed.
        :param ca_file: The path of a PEM file with the certificates to trust, and no others. None: see
            system_roots.
        :param user_agent: Prepended to the library's own User-Agent, such as "studio/2.1". None:
            "fish-api-credit/0.1.0" alone.
        :param timeout: For a whole call: resolving, connecting, retries and the waits between them. None: 15
            s.
        :param connect_timeout: For one connection attempt, TLS included. None: 5 s.
        :param max_retries: How many times a failed request is retried. 0: never.
        :param system_roots: Trust the operating system's certificate authorities instead of Mozilla's.
        """
        options = c.ClientOptions(
            api_key=_encode("api_key", api_key),
            base_url=_encode("base_url", base_url),
            proxy_url=_encode("proxy_url", proxy_url),
            ca_file=_encode("ca_file", None if ca_file is None else os.fspath(ca_file)),
            user_agent=_encode("user_agent", user_agent),
            timeout_ms=_milliseconds("timeout", timeout),
            connect_timeout_ms=_milliseconds("connect_timeout", connect_timeout),
            max_retries=_retries(max_retries),
            tls_roots=c.TLS_ROOTS_SYSTEM if system_roots else c.TLS_ROOTS_BUNDLED,
        )
        # End of the generated part.
        client, failure = Handle(library().fish_client_free), c.Error()
        if library().fish_client_new(options, client.out, failure) != Status.OK:
            raise _errors.take(failure)
        self._handle: Optional[Handle] = client

    def api_credit(
        self,
        *,
        user_id: Optional[str] = None,
        team_id: Optional[str] = None,
        check_free_credit: bool = False,
        timeout: Optional[float] = None,
        cancel: Optional[CancelToken] = None,
    ) -> Credit:
        """Reads an account's API credit. Blocks, without the GIL, for at most the timeout; Ctrl-C ends it at once.

        :param user_id: the wallet's owner. None: the key's own account.
        :param team_id: the team whose API credit to read. None: the account's own.
        :param check_free_credit: ask for Credit.has_free_credit too.
        :param timeout: seconds for this whole call. None: the client's.
        :param cancel: cancels this call from another thread.
        :raises FishError: or one of its subclasses.
        """
        return self._blocking(_query(user_id, team_id, check_free_credit, timeout), cancel, _credit_of)

    def api_credit_json(
        self,
        *,
        user_id: Optional[str] = None,
        team_id: Optional[str] = None,
        check_free_credit: bool = False,
        timeout: Optional[float] = None,
        cancel: Optional[CancelToken] = None,
    ) -> str:
        """Like api_credit, but returns the server's document exactly as sent. parse_credit decodes it."""
        return self._blocking(_query(user_id, team_id, check_free_credit, timeout), cancel, _json_of)

    async def api_credit_async(
        self,
        *,
        user_id: Optional[str] = None,
        team_id: Optional[str] = None,
        check_free_credit: bool = False,
        timeout: Optional[float] = None,
    ) -> Credit:
        """Like api_credit, for asyncio: no thread waits for it. Cancelling the task ends the call at once."""
        call = Handle(library().fish_call_free)
        try:
            self._start(call, _query(user_id, team_id, check_free_credit, timeout), None)
            descriptor = library().fish_call_descriptor(call)
            await _waiting.until(lambda: bool(library().fish_call_is_done(call)), descriptor, _LONGEST_S)
            return _credit_of(call)
        finally:
            call.free()

    def watch(
        self,
        *,
        user_id: Optional[str] = None,
        team_id: Optional[str] = None,
        check_free_credit: bool = False,
        timeout: Optional[float] = None,
        interval: Optional[float] = None,
        low: Union[Decimal, int, None] = None,
        recovered: Union[Decimal, int, None] = None,
    ) -> Watch:
        """Starts a watch, which reads the credit periodically. It ends with the client, or by its close().

        :param timeout: seconds for each reading. None: the client's.
        :param interval: seconds between two readings, at least 1. None: 60.
        :param low: a credit below this is Level.LOW. None: no such level.
        :param recovered: after LOW or EMPTY, the level returns to OK only at or above this. None: low.
        :raises FishError: for errors that can be found before anything is sent.
        """
        query = _query(user_id, team_id, check_free_credit, timeout)
        chosen = _watch.options(_milliseconds("interval", interval) or None, low, recovered)
        return _watch.start(self._open(), query, chosen)

    def close(self) -> None:
        """Cancels the running calls, which raise Cancelled, and ends the watches. The connections are closed and the
        key is wiped when the last call has returned. This does not wait for them, so a signal handler, a finaliser or
        a forked child may call it. Closing twice is harmless."""
        client, self._handle = self._handle, None
        if client is not None:
            library().fish_client_cancel(client)

    def __enter__(self) -> "Client":
        return self

    def __exit__(
        self,
        kind: Optional[Type[BaseException]],
        error: Optional[BaseException],
        trace: Optional[TracebackType],
    ) -> None:
        self.close()

    async def __aenter__(self) -> "Client":
        return self

    async def __aexit__(
        self,
        kind: Optional[Type[BaseException]],
        error: Optional[BaseException],
        trace: Optional[TracebackType],
    ) -> None:
        self.close()

    def _blocking(
        self, query: c.ApiCreditQuery, cancel: Optional[CancelToken], result: Callable[[Handle], _Result]
    ) -> _Result:
        call = Handle(library().fish_call_free)
        try:
            self._start(call, query, cancel)
            # Python runs signal handlers between two waits: Ctrl-C raises here, which cancels the call.
            while library().fish_call_wait(call, _SLICE_MS) == Status.PENDING:
                pass
            return result(call)
        finally:
            call.free()

    def _start(self, call: Handle, query: c.ApiCreditQuery, cancel: Optional[CancelToken]) -> None:
        failure = c.Error()
        if cancel is not None:
            query.cancel = cancel._handle.out.value
        # The client is in no variable: an exception would keep this frame alive, and with it the key.
        if library().fish_call_start(self._open(), query, call.out, failure) != Status.OK:
            raise _errors.take(failure)

    def _open(self) -> Handle:
        client = self._handle
        if client is None:
            raise RuntimeError("the client is closed")
        return client


def _credit_of(call: Handle) -> Credit:
    filled, failure = c.ApiCredit(), c.Error()
    if library().fish_call_result(call, filled, failure) != Status.OK:
        raise _errors.take(failure)
    return _credit.take(filled)


def _json_of(call: Handle) -> str:
    text, failure = ctypes.c_void_p(), c.Error()
    if library().fish_call_result_json(call, text, failure) != Status.OK:
        raise _errors.take(failure)
    try:
        return ctypes.string_at(text.value or 0).decode()
    finally:
        library().fish_string_free(text)


def parse_credit(json: Union[str, bytes]) -> Credit:
    """Decodes a document saved from Client.api_credit_json. Does not use the network."""
    document = json.encode() if isinstance(json, str) else bytes(json)
    filled, failure = c.ApiCredit(), c.Error()
    if library().fish_api_credit_from_json(document, len(document), filled, failure) != Status.OK:
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


def _retries(max_retries: int) -> int:
    if not 0 <= max_retries < 2**31:
        raise _errors.invalid("max_retries is out of range; set it to a count, or to 0 for no retries.")
    return max_retries or -1


def _encode(name: str, text: Optional[str]) -> Optional[bytes]:
    if text is None:
        return None
    if "\0" in text:
        raise _errors.invalid(f"{name} contains a NUL character; remove it.")
    try:
        # Bytes of the command line or of a file's name that are no UTF-8 stay what they were: the library refuses them.
        return text.encode(errors="surrogateescape")
    except UnicodeEncodeError:
        raise _errors.invalid(f"{name} contains a lone surrogate; pass valid text.") from None


def _milliseconds(name: str, seconds: Optional[float]) -> int:
    """Rounds up, so that only None becomes 0, the library's default."""
    if seconds is None:
        return 0
    if not seconds > 0:
        raise _errors.invalid(f"{name} is not above zero; pass None for the default.")
    # 2.007 * 1000 is a little above 2007.
    exact = round(min(seconds, _LONGEST_S) * 1000, 6)
    return max(math.ceil(exact), 1)
