"""fish-credit: print the API credit of the account that FISH_API_KEY belongs to.

Its exit code says what to do: 0 all is well, 1 try again later, 2 mend something first.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import sys
from decimal import Decimal, InvalidOperation
from typing import List, Optional

from . import Client, FishError


def amount(text: str) -> Decimal:
    try:
        return Decimal(text)
    except InvalidOperation:
        raise argparse.ArgumentTypeError(f"{text!r} is no number") from None


async def show(arguments: argparse.Namespace) -> int:
    with Client(
        base_url=os.environ.get("FISH_BASE_URL"), user_agent="fish-credit/1", timeout=arguments.timeout
    ) as client:
        credit = await client.api_credit_async(user_id=arguments.user, team_id=arguments.team)
    print(f"API credit: {credit.credit:f} (not the platform credit of a plan)")
    if credit.updated_at is not None:
        print(f"last change: {credit.updated_at.isoformat()}")
    if arguments.least is not None and credit.credit < arguments.least:
        print(f"fish-credit: that is below {arguments.least:f}", file=sys.stderr)
        return 2
    return 0


def main(argv: Optional[List[str]] = None) -> int:
    parser = argparse.ArgumentParser(prog="fish-credit", description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--user", help="whose wallet; by default the key's own account")
    parser.add_argument("--team", help="the team whose wallet is meant")
    parser.add_argument("--timeout", type=float, default=10, help="seconds for the whole call (default: 10)")
    parser.add_argument("--least", type=amount, help="complain when the balance is below this amount")
    arguments = parser.parse_args(argv)
    try:
        # By asyncio even for one call: so Ctrl-C ends it at once, not when it returns.
        return asyncio.run(show(arguments))
    except FishError as error:
        print(f"fish-credit: {error}", file=sys.stderr)
        for field in error.field_errors:
            print(f"  {field.location}: {field.message}", file=sys.stderr)
        return 1 if error.retryable else 2
    except KeyboardInterrupt:
        return 130


if __name__ == "__main__":
    sys.exit(main())
