"""fish_api_credit.h for ctypes: constants, statuses, structs and functions.

Written from the library's source: FISH_WRITE=1 cargo test --test generated
"""

from __future__ import annotations

import enum
from ctypes import (
    POINTER,
    Structure,
    c_bool,
    c_char_p,
    c_int32,
    c_int64,
    c_size_t,
    c_ssize_t,
    c_uint32,
    c_uint64,
    c_void_p,
)
from typing import Any, Dict, List, Tuple

VERSION = "0.1.0"
VERSION_MAJOR = 0
VERSION_MINOR = 1
VERSION_PATCH = 0
ABI_VERSION = 1
TLS_ROOTS_BUNDLED = 0
TLS_ROOTS_SYSTEM = 1
TIME_UNKNOWN = -(2**63)


class Status(enum.IntEnum):
    """How a call ended. A newer library may return statuses that are not listed here."""

    #: Success.
    OK = 0
    #: Caller: an argument or option is invalid; nothing was sent. str() of the error names it.
    INVALID_ARGUMENT = 1
    #: Caller: no api_key and no FISH_API_KEY in the environment.
    MISSING_API_KEY = 2
    #: Caller: its token was cancelled or its client was closed.
    CANCELLED = 3
    #: Caller: there is no result yet. Not a failure.
    PENDING = 4
    #: Transport: the host name could not be resolved. Check base_url and DNS.
    RESOLVE_FAILED = 20
    #: Transport: no connection could be made to any of the host's addresses. Check the network and firewalls.
    CONNECT_FAILED = 21
    #: Transport: the TLS connection failed. str() of the error says why. In a company network, try
    #: system_roots or ca_file.
    TLS_FAILED = 22
    #: Transport: the proxy was unreachable, refused the connection, or sent an invalid response. Check
    #: proxy_url or the proxy variables.
    PROXY_FAILED = 23
    #: Transport: the timeout or connect timeout passed. Try later, or allow more time.
    TIMED_OUT = 24
    #: Transport: the connection ended before the whole response had arrived. Try later.
    CONNECTION_LOST = 25
    #: Response: 401. The API key is wrong.
    UNAUTHORIZED = 40
    #: Response: 402. The account needs a top-up.
    PAYMENT_REQUIRED = 41
    #: Response: 403. The key may not read this wallet.
    FORBIDDEN = 42
    #: Response: 404. There is no such user or team, or base_url is wrong.
    NOT_FOUND = 43
    #: Response: 400 or 422. See FishError.field_errors.
    VALIDATION_FAILED = 44
    #: Response: 429. Wait for FishError.retry_after, and ask less often.
    RATE_LIMITED = 45
    #: Response: 500 to 599. Try later.
    SERVER_ERROR = 46
    #: Response: any other HTTP status, including redirects, which are never followed. Check base_url.
    UNEXPECTED_STATUS = 47
    #: Response: not HTTP, or a 200 whose body is not the documented JSON. None of it is used. Check base_url.
    BAD_RESPONSE = 48
    #: Response: a body above 1 MiB, or a head above 64 KiB or 100 header fields. Check base_url.
    RESPONSE_TOO_LARGE = 49
    #: Library: a bug in this library, caught before it reached the caller. Please report the message.
    INTERNAL_ERROR = 90


class Tristate(enum.IntEnum):
    """Yes, no or unknown."""

    #: The response leaves it out, or it is null.
    UNKNOWN = -1
    #: No.
    FALSE = 0
    #: Yes.
    TRUE = 1


class Level(enum.IntEnum):
    """How much credit is left, by its amount and a watch's options."""

    #: Nothing has been read yet.
    UNKNOWN = 0
    #: Enough.
    OK = 1
    #: Below low, or still below recovered after a low or empty credit.
    LOW = 2
    #: At or below zero; without low also while still below recovered.
    EMPTY = 3


class ClientOptions(Structure):
    _fields_ = [
        ("api_key", c_char_p),
        ("base_url", c_char_p),
        ("proxy_url", c_char_p),
        ("ca_file", c_char_p),
        ("user_agent", c_char_p),
        ("timeout_ms", c_uint32),
        ("connect_timeout_ms", c_uint32),
        ("max_retries", c_int32),
        ("tls_roots", c_int32),
        ("reserved", c_uint64 * 8),
    ]


class ApiCreditQuery(Structure):
    _fields_ = [
        ("user_id", c_char_p),
        ("team_id", c_char_p),
        ("check_free_credit", c_bool),
        ("timeout_ms", c_uint32),
        ("cancel", c_void_p),
        ("reserved", c_uint64 * 4),
    ]


class ApiCredit(Structure):
    _fields_ = [
        ("id", c_char_p),
        ("user_id", c_char_p),
        ("credit", c_char_p),
        ("cumulative_top_up", c_char_p),
        ("created_at", c_char_p),
        ("updated_at", c_char_p),
        ("request_id", c_char_p),
        ("credit_micros", c_int64),
        ("cumulative_top_up_micros", c_int64),
        ("created_at_unix_us", c_int64),
        ("updated_at_unix_us", c_int64),
        ("credit_micros_exact", c_bool),
        ("has_phone_sha256", c_int32),
        ("has_free_credit", c_int32),
        ("owner", c_void_p),
        ("reserved", c_uint64 * 4),
    ]


class FieldError(Structure):
    _fields_ = [
        ("location", c_char_p),
        ("source", c_char_p),
        ("type", c_char_p),
        ("message", c_char_p),
        ("context", c_char_p),
    ]


class Error(Structure):
    _fields_ = [
        ("status", c_int32),
        ("http_status", c_int32),
        ("attempts", c_uint32),
        ("retry_after_ms", c_uint32),
        ("retryable", c_bool),
        ("message", c_char_p),
        ("api_message", c_char_p),
        ("api_reason", c_char_p),
        ("request_id", c_char_p),
        ("body", c_char_p),
        ("field_errors", POINTER(FieldError)),
        ("field_error_count", c_size_t),
        ("owner", c_void_p),
        ("reserved", c_uint64 * 4),
    ]


class WatchOptions(Structure):
    _fields_ = [
        ("interval_ms", c_uint32),
        ("low_micros", c_int64),
        ("recovered_micros", c_int64),
        ("reserved", c_uint64 * 6),
    ]


class WatchState(Structure):
    _fields_ = [
        ("credit", ApiCredit),
        ("level", c_int32),
        ("status", c_int32),
        ("failures", c_uint32),
        ("next_ms", c_uint32),
        ("age_ms", c_uint64),
        ("changes", c_uint64),
        ("owner", c_void_p),
        ("reserved", c_uint64 * 4),
    ]


# Every function: what it returns, and what it takes. A handle is a c_void_p; so is a string that must be freed,
# because ctypes would turn a c_char_p into bytes and lose the pointer.
FUNCTIONS: Dict[str, Tuple[Any, List[Any]]] = {
    "fish_version": (c_char_p, []),
    "fish_abi_version": (c_uint32, []),
    "fish_status_name": (c_char_p, [c_int32]),
    "fish_client_new": (c_int32, [POINTER(ClientOptions), POINTER(c_void_p), POINTER(Error)]),
    "fish_client_cancel": (None, [c_void_p]),
    "fish_client_free": (None, [c_void_p]),
    "fish_get_api_credit": (
        c_int32,
        [c_void_p, POINTER(ApiCreditQuery), POINTER(ApiCredit), POINTER(Error)],
    ),
    "fish_api_credit_free": (None, [POINTER(ApiCredit)]),
    "fish_format_micros": (c_size_t, [c_int64, c_uint32, c_void_p, c_size_t]),
    "fish_get_api_credit_json": (
        c_int32,
        [c_void_p, POINTER(ApiCreditQuery), POINTER(c_void_p), POINTER(Error)],
    ),
    "fish_string_free": (None, [c_void_p]),
    "fish_api_credit_from_json": (c_int32, [c_char_p, c_size_t, POINTER(ApiCredit), POINTER(Error)]),
    "fish_error_free": (None, [POINTER(Error)]),
    "fish_cancel_token_new": (c_void_p, []),
    "fish_cancel_token_cancel": (None, [c_void_p]),
    "fish_cancel_token_free": (None, [c_void_p]),
    "fish_call_start": (c_int32, [c_void_p, POINTER(ApiCreditQuery), POINTER(c_void_p), POINTER(Error)]),
    "fish_call_is_done": (c_bool, [c_void_p]),
    "fish_call_wait": (c_int32, [c_void_p, c_uint32]),
    "fish_call_descriptor": (c_ssize_t, [c_void_p]),
    "fish_call_result": (c_int32, [c_void_p, POINTER(ApiCredit), POINTER(Error)]),
    "fish_call_result_json": (c_int32, [c_void_p, POINTER(c_void_p), POINTER(Error)]),
    "fish_call_free": (None, [c_void_p]),
    "fish_watch_start": (
        c_int32,
        [c_void_p, POINTER(ApiCreditQuery), POINTER(WatchOptions), POINTER(c_void_p), POINTER(Error)],
    ),
    "fish_watch_read": (c_int32, [c_void_p, POINTER(WatchState), POINTER(Error)]),
    "fish_watch_refresh": (None, [c_void_p]),
    "fish_watch_descriptor": (c_ssize_t, [c_void_p]),
    "fish_watch_state_free": (None, [POINTER(WatchState)]),
    "fish_watch_free": (None, [c_void_p]),
}
