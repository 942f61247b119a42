"""The API credit."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime, timedelta, timezone
from decimal import Decimal
from typing import Optional

from . import _abi as c
from ._library import library

_EPOCH = datetime(1970, 1, 1, tzinfo=timezone.utc)


@dataclass(frozen=True)
class Credit:
    """An account's API credit, which API calls spend; not the platform credit of a plan."""

    id: str
    user_id: str
    #: The balance, exactly as sent, presumably in US dollars. May be negative.
    credit: Decimal
    #: The balance x 1,000,000, rounded down, saturating.
    credit_micros: int
    #: False if credit_micros was rounded or saturated; credit is always exact.
    credit_micros_exact: bool
    #: The total ever paid in. None: not sent.
    cumulative_top_up: Optional[Decimal]
    #: UTC. None: the text is not an RFC 3339 time.
    created_at: Optional[datetime]
    updated_at: Optional[datetime]
    #: As sent.
    created_at_text: str
    updated_at_text: str
    #: None: not sent.
    has_phone: Optional[bool]
    #: None: not sent, as without check_free_credit.
    has_free_credit: Optional[bool]
    #: The server's id for this request, to quote to its support. None: not sent, or from parse_credit. Comparing
    #: credits ignores it.
    request_id: Optional[str] = field(default=None, compare=False)


def take(filled: c.ApiCredit) -> Credit:
    """Copies the library's credit and frees it."""
    try:
        return copy(filled)
    finally:
        library().fish_api_credit_free(filled)


def copy(filled: c.ApiCredit) -> Credit:
    top_up, request_id = filled.cumulative_top_up, filled.request_id
    return Credit(
        id=filled.id.decode(),
        user_id=filled.user_id.decode(),
        credit=Decimal(filled.credit.decode()),
        credit_micros=filled.credit_micros,
        credit_micros_exact=filled.credit_micros_exact,
        cumulative_top_up=None if top_up is None else Decimal(top_up.decode()),
        created_at=_instant(filled.created_at_unix_us),
        updated_at=_instant(filled.updated_at_unix_us),
        created_at_text=filled.created_at.decode(),
        updated_at_text=filled.updated_at.decode(),
        has_phone=_flag(filled.has_phone_sha256),
        has_free_credit=_flag(filled.has_free_credit),
        request_id=None if request_id is None else request_id.decode(),
    )


def _instant(micros: int) -> Optional[datetime]:
    if micros == c.TIME_UNKNOWN:
        return None
    # datetime.fromtimestamp uses a float, which loses microseconds.
    try:
        return _EPOCH + timedelta(microseconds=micros)
    except OverflowError:  # the year 0, which RFC 3339 allows but datetime does not
        return None


def _flag(tristate: int) -> Optional[bool]:
    return None if tristate == c.Tristate.UNKNOWN else bool(tristate)
