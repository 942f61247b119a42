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

    # Generated from src/ffi: the fields of fish_api_credit.
    #: The wallet's id ("_id").
    id: str
    #: The account's id.
    user_id: str
    #: The balance exactly as sent, presumably in US dollars. May be negative.
    credit: Decimal
    #: The text of credit, as sent.
    credit_text: str
    #: When the wallet was created, as sent (RFC 3339).
    created_at_text: str
    #: When the wallet last changed, as sent (RFC 3339).
    updated_at_text: str
    #: The balance x 1,000,000, rounded down (never overstated), saturating.
    credit_micros: int
    #: False if credit_micros was rounded or saturated. The Decimal is always exact.
    credit_micros_exact: bool
    #: The total ever paid in, exactly as sent. None if the server did not send it.
    cumulative_top_up: Optional[Decimal] = None
    #: The text of cumulative_top_up, as sent. None if the server did not send it.
    cumulative_top_up_text: Optional[str] = None
    #: The server's id for this request (x-fish-trace-id, else cf-ray), to quote to its support. None if the
    #: server did not send one, or after parse_credit. It does not count when credits are compared.
    request_id: Optional[str] = field(default=None, compare=False)
    #: cumulative_top_up x 1,000,000, likewise. None if the server did not send it.
    cumulative_top_up_micros: Optional[int] = None
    #: When the wallet was created, UTC. None: the text is not an RFC 3339 time.
    created_at: Optional[datetime] = None
    #: When the wallet last changed, UTC. None: the text is not an RFC 3339 time.
    updated_at: Optional[datetime] = None
    #: Whether the account has a phone number. None: absent or null.
    has_phone: Optional[bool] = None
    #: Whether free credit is left. None: absent or null, as it is without check_free_credit.
    has_free_credit: Optional[bool] = None
    # End of the generated part.


def take(filled: c.ApiCredit) -> Credit:
    """Copies the library's credit and frees it."""
    try:
        return copy(filled)
    finally:
        library().fish_api_credit_free(filled)


def copy(filled: c.ApiCredit) -> Credit:
    return Credit(
        # Generated from src/ffi: how each is copied.
        id=filled.id.decode(),
        user_id=filled.user_id.decode(),
        credit=Decimal(filled.credit.decode()),
        credit_text=filled.credit.decode(),
        cumulative_top_up=_decimal(filled.cumulative_top_up),
        cumulative_top_up_text=_text(filled.cumulative_top_up),
        created_at_text=filled.created_at.decode(),
        updated_at_text=filled.updated_at.decode(),
        request_id=_text(filled.request_id),
        credit_micros=filled.credit_micros,
        cumulative_top_up_micros=None if filled.cumulative_top_up is None else filled.cumulative_top_up_micros,
        created_at=_instant(filled.created_at_unix_us),
        updated_at=_instant(filled.updated_at_unix_us),
        credit_micros_exact=filled.credit_micros_exact,
        has_phone=_flag(filled.has_phone_sha256),
        has_free_credit=_flag(filled.has_free_credit),
        # End of the generated part.
    )


def _instant(micros: int) -> Optional[datetime]:
    if micros == c.TIME_UNKNOWN:
        return None
    # datetime.fromtimestamp uses a float, which loses microseconds.
    try:
        return _EPOCH + timedelta(microseconds=micros)
    except OverflowError:  # the year 0, which RFC 3339 allows but datetime does not
        return None


def _text(text: Optional[bytes]) -> Optional[str]:
    return None if text is None else text.decode()


def _decimal(text: Optional[bytes]) -> Optional[Decimal]:
    return None if text is None else Decimal(text.decode())


def _flag(tristate: int) -> Optional[bool]:
    return None if tristate == c.Tristate.UNKNOWN else bool(tristate)
