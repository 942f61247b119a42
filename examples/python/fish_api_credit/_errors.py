"""Why a call failed: one exception class for each kind of failure that callers handle differently."""

from __future__ import annotations

import ctypes
import re
from dataclasses import dataclass
from typing import Dict, Optional, Tuple, Type

from . import _abi as c
from ._abi import Status
from ._library import library


@dataclass(frozen=True)
class FieldError:
    """One problem that the server found in the request."""

    # Generated from src/ffi: the fields of fish_field_error.
    #: The field, such as "query.check_free_credit": the parts of "loc" joined by dots.
    location: str
    #: "in": "path", "query", "header", "cookie" or "body". None if not sent.
    source: Optional[str]
    #: The kind of error, such as "bool_parsing".
    type: str
    #: The server's description.
    message: str
    #: "ctx" as text. None if not sent.
    context: Optional[str]
    # End of the generated part.


class FishError(Exception):
    """Any failure of a call. str() of it is one sentence that says what failed and what to do, without secrets."""

    def __init__(
        self,
        message: str,
        status: int,
        *,
        http_status: Optional[int] = None,
        attempts: int = 0,
        retry_after: Optional[float] = None,
        retryable: bool = False,
        api_message: Optional[str] = None,
        api_reason: Optional[str] = None,
        request_id: Optional[str] = None,
        body: Optional[str] = None,
        field_errors: Tuple[FieldError, ...] = (),
    ) -> None:
        super().__init__(message)
        self.message = message
        #: A Status, or an int if this package does not know it.
        self.status = known(status)
        #: None: no response arrived.
        self.http_status = http_status
        #: Including retries and failed connections. 0: nothing was sent.
        self.attempts = attempts
        #: Seconds. None: not sent.
        self.retry_after = retry_after
        #: Whether the same call may succeed later.
        self.retryable = retryable
        #: The server's own message.
        self.api_message = api_message
        #: Its machine-readable reason.
        self.api_reason = api_reason
        #: Its id for this request, to quote to its support.
        self.request_id = request_id
        #: The start of the error body.
        self.body = body
        #: The problems that a 422 lists.
        self.field_errors = field_errors

    def __str__(self) -> str:
        if isinstance(self.status, Status):
            return f"{self.message} (FISH_{self.status.name})"
        return f"{self.message} ({library().fish_status_name(self.status).decode()})"

    def __reduce__(self) -> Tuple[object, ...]:
        # For pickling: the default would call the class with the message alone.
        return (type(self), (self.message, self.status), self.__dict__)


class InvalidArgument(FishError, ValueError):
    """An argument is invalid; nothing was sent."""


class MissingApiKey(FishError):
    """No api_key and no FISH_API_KEY in the environment."""


class Cancelled(FishError):
    """The call's token was cancelled or its client was closed."""


class ConnectionFailed(FishError, ConnectionError):
    """No response: the name lookup, the connection, TLS or the proxy failed."""


class TimedOut(FishError, TimeoutError):
    """The timeout or connect timeout passed."""


class Unauthorized(FishError):
    """401: the API key is wrong."""


class Forbidden(FishError):
    """403: the key may not read this wallet."""


class NotFound(FishError):
    """404: there is no such user, or base_url is wrong."""


class ValidationFailed(FishError):
    """400 or 422: see field_errors."""


class RateLimited(FishError):
    """429: see retry_after."""


_CLASSES: Dict[int, Type[FishError]] = {
    Status.INVALID_ARGUMENT: InvalidArgument,
    Status.MISSING_API_KEY: MissingApiKey,
    Status.CANCELLED: Cancelled,
    Status.RESOLVE_FAILED: ConnectionFailed,
    Status.CONNECT_FAILED: ConnectionFailed,
    Status.TLS_FAILED: ConnectionFailed,
    Status.PROXY_FAILED: ConnectionFailed,
    Status.CONNECTION_LOST: ConnectionFailed,
    Status.TIMED_OUT: TimedOut,
    Status.UNAUTHORIZED: Unauthorized,
    Status.FORBIDDEN: Forbidden,
    Status.NOT_FOUND: NotFound,
    Status.VALIDATION_FAILED: ValidationFailed,
    Status.RATE_LIMITED: RateLimited,
}


def known(status: int) -> int:
    """The Status, or the number if this package does not know it."""
    try:
        return Status(status)
    except ValueError:
        return status


def take(filled: c.Error) -> FishError:
    """Copies the library's error and frees it."""
    try:
        rows = (filled.field_errors[at] for at in range(filled.field_error_count))
        return _CLASSES.get(filled.status, FishError)(
            _in_python(_text(filled.message) or ""),
            filled.status,
            http_status=filled.http_status or None,
            attempts=filled.attempts,
            retry_after=filled.retry_after_ms / 1000 or None,
            retryable=filled.retryable,
            api_message=_text(filled.api_message),
            api_reason=_text(filled.api_reason),
            request_id=_text(filled.request_id),
            body=_text(filled.body),
            field_errors=tuple(_field_error(row) for row in rows),
        )
    finally:
        library().fish_error_free(ctypes.byref(filled))


def _field_error(row: c.FieldError) -> FieldError:
    return FieldError(
        # Generated from src/ffi: how each is copied.
        location=row.location.decode(),
        source=_text(row.source),
        type=row.type.decode(),
        message=row.message.decode(),
        context=_text(row.context),
        # End of the generated part.
    )


def invalid(message: str) -> InvalidArgument:
    return InvalidArgument(message, Status.INVALID_ARGUMENT)


#: The names in the library's messages that differ here.
_NAMES = {
    "connect_timeout_ms": "connect_timeout",
    "timeout_ms": "timeout",
    "tls_roots": "system_roots",
    "FISH_TLS_ROOTS_SYSTEM": "True",
    "FISH_TLS_ROOTS_BUNDLED": "False",
}


def _in_python(message: str) -> str:
    """Replaces the C names in the library's message by this package's: "options.ca_file" becomes ca_file."""
    message = re.sub(r"\b(?:options|query)\.(?=[a-z])", "", message)
    return re.sub(r"\b(?:%s)\b" % "|".join(_NAMES), lambda found: _NAMES[found[0]], message)


def _text(value: Optional[bytes]) -> Optional[str]:
    return None if value is None else value.decode()
