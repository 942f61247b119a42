"""The library as ctypes sees it: fish_api_credit.h in Python's words, and finding the file.

It is loaded when it is first used, so that a program without it can still import the package and say what is wrong.
Nothing here knows what the calls are for. tests/test_layout.py holds every struct and constant to the header.
"""

from __future__ import annotations

import ctypes
import ctypes.util
import os
import sys
from ctypes import POINTER, c_bool, c_char_p, c_int32, c_int64, c_size_t, c_uint32, c_uint64, c_void_p
from functools import lru_cache

ABI_VERSION = 0
OK = 0
TLS_ROOTS_SYSTEM = 1
TIME_UNKNOWN = -(2**63)
UNKNOWN = -1


class ClientOptions(ctypes.Structure):
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


class ApiCreditQuery(ctypes.Structure):
    _fields_ = [
        ("user_id", c_char_p),
        ("team_id", c_char_p),
        ("check_free_credit", c_bool),
        ("timeout_ms", c_uint32),
        ("cancel", c_void_p),
        ("reserved", c_uint64 * 4),
    ]


class ApiCredit(ctypes.Structure):
    _fields_ = [
        ("id", c_char_p),
        ("user_id", c_char_p),
        ("credit", c_char_p),
        ("cumulative_top_up", c_char_p),
        ("created_at", c_char_p),
        ("updated_at", c_char_p),
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


class FieldError(ctypes.Structure):
    _fields_ = [
        ("location", c_char_p),
        ("source", c_char_p),
        ("type", c_char_p),
        ("message", c_char_p),
        ("context", c_char_p),
    ]


class Error(ctypes.Structure):
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


# Every function of the header: what it returns, and what it takes. Handles are c_void_p; a string that must be
# freed is one too, because ctypes would turn a c_char_p into bytes and lose the pointer.
FUNCTIONS = {
    "fish_version": (c_char_p, []),
    "fish_abi_version": (c_uint32, []),
    "fish_status_name": (c_char_p, [c_int32]),
    "fish_client_new": (c_int32, [POINTER(ClientOptions), POINTER(c_void_p), POINTER(Error)]),
    "fish_client_free": (None, [c_void_p]),
    "fish_get_api_credit": (
        c_int32,
        [c_void_p, POINTER(ApiCreditQuery), POINTER(ApiCredit), POINTER(Error)],
    ),
    "fish_api_credit_free": (None, [POINTER(ApiCredit)]),
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
}


def _path() -> str:
    """FISH_API_CREDIT_LIBRARY if set, else what the system's loader finds."""
    named = os.environ.get("FISH_API_CREDIT_LIBRARY")
    if named:
        return named
    found = ctypes.util.find_library("fish_api_credit")
    if found:
        return found
    # The loader also knows places that find_library does not, such as LD_LIBRARY_PATH without a compiler.
    if sys.platform == "win32":
        return "fish_api_credit.dll"
    if sys.platform == "darwin":
        return "libfish_api_credit.0.dylib"
    return "libfish_api_credit.so.0"


@lru_cache(maxsize=None)
def library() -> ctypes.CDLL:
    """The library, loaded at the first call. ImportError says why it cannot be."""
    path = _path()
    try:
        # CDLL releases the GIL during each call: other Python threads go on.
        loaded = ctypes.CDLL(path)
    except OSError as error:
        raise ImportError(
            f"libfish_api_credit cannot be loaded ({error}); install it, or set FISH_API_CREDIT_LIBRARY to its file"
        ) from None
    try:
        loaded.fish_abi_version.restype = c_uint32
        version = loaded.fish_abi_version()
        if version != ABI_VERSION:
            raise ImportError(
                f"{path} has ABI {version}, but this package is for ABI {ABI_VERSION}; install the two together"
            )
        for name, (result, arguments) in FUNCTIONS.items():
            function = getattr(loaded, name)
            function.restype, function.argtypes = result, arguments
    except AttributeError as error:
        raise ImportError(
            f"{path} is not this package's libfish_api_credit ({error}); install the two together"
        ) from None
    return loaded
