"""Read a Fish Audio account's API credit: libfish_api_credit in Python's terms, by ctypes alone.

>>> from fish_api_credit import Client
>>> with Client() as client:              # the key is in FISH_API_KEY
...     print(client.api_credit().credit)
"""

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
    Status,
    TimedOut,
    Unauthorized,
    ValidationFailed,
)

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
    "MissingApiKey",
    "NotFound",
    "RateLimited",
    "Status",
    "TimedOut",
    "Unauthorized",
    "ValidationFailed",
    "parse_credit",
]
