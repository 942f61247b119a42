"""Reads a Fish Audio account's API credit: libfish_api_credit for Python, using only ctypes.

>>> from fish_api_credit import Client
>>> with Client() as client:              # the key is in FISH_API_KEY
...     print(client.api_credit().credit)
"""

from ._abi import VERSION as __version__
from ._abi import Level, Status
from ._client import CancelToken, Client, parse_credit
from ._credit import Credit
from ._errors import (
    Cancelled,
    ConnectionFailed,
    FieldError,
    FishError,
    Forbidden,
    InvalidArgument,
    MissingApiKey,
    NotFound,
    RateLimited,
    TimedOut,
    Unauthorized,
    ValidationFailed,
)
from ._watch import Watch, WatchState

__all__ = [
    "CancelToken",
    "Cancelled",
    "Client",
    "ConnectionFailed",
    "Credit",
    "FieldError",
    "FishError",
    "Forbidden",
    "InvalidArgument",
    "Level",
    "MissingApiKey",
    "NotFound",
    "RateLimited",
    "Status",
    "TimedOut",
    "Unauthorized",
    "ValidationFailed",
    "Watch",
    "WatchState",
    "__version__",
    "parse_credit",
]
