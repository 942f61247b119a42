"""What comes back: the account's API credit."""

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
    """An account's API credit: what its programs spend, not the platform credit of a plan."""

    id: str
    user_id: str
    #: The balance, exactly as sent; users take it as US dollars. May be negative.
    credit: Decimal
    #: The balance x 1,000,000, rounded down, saturating.
    credit_micros: int
    #: False if credit_micros lost something; credit never does.
    credit_micros_exact: bool
    #: All that was ever paid in. None: the server did not say.
    cumulative_top_up: Optional[Decimal]
    #: UTC. None: the text is no RFC 3339 time.
    created_at: Optional[datetime]
    updated_at: Optional[datetime]
    #: As sent.
    created_at_text: str
    updated_at_text: str
    #: None: the server did not say.
    has_phone: Optional[bool]
    #: None: the server did not say, as without check_free_credit.
    has_free_credit: Optional[bool]
    #: The server's name for this request, for its support. None: it sent none, or parse_credit read this. It does not
    #: count when credits are compared.
    request_id: Optional[str] = field(default=None, compare=False)


def take(filled: c.ApiCredit) -> Credit:
    """Copies what the library filled in, and frees it."""
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
        has_phone=_answer(filled.has_phone_sha256),
        has_free_credit=_answer(filled.has_free_credit),
        request_id=None if request_id is None else request_id.decode(),
    )


def _instant(micros: int) -> Optional[datetime]:
    if micros == c.TIME_UNKNOWN:
        return None
    # datetime.fromtimestamp goes through a float, which drops microseconds.
    try:
        return _EPOCH + timedelta(microseconds=micros)
    except OverflowError:  # the year 0, which RFC 3339 has and datetime has not
        return None


def _answer(tristate: int) -> Optional[bool]:
    return None if tristate == c.Tristate.UNKNOWN else bool(tristate)
