"""fish-credit: print the API credit of the account that FISH_API_KEY belongs to.

Its exit status says what to do: 0 success, 1 try again later, 2 change something first, 130 interrupted. Errors are
reported in one line on standard error.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import re
import sys
from decimal import Decimal
from typing import List, NoReturn, Optional

from . import Client, FishError

FINE, LATER, CHANGE, INTERRUPTED = 0, 1, 2, 130

# Names in messages, and the command's options and variables in place of them.
_HERE = {
    "field_errors and api_message": "below",
    "support with request_id": "support",
    "proxy_url or the proxy variables": "the proxy variables",
    "issuer (see ca_file and system_roots)": "issuer",
    "connect_timeout": "the connect timeout",
    "check the network, or raise it": "check the network",
    "api_key or FISH_API_KEY": "FISH_API_KEY",
    "api_key, or FISH_API_KEY": "FISH_API_KEY",
    "api_key": "FISH_API_KEY",
    "base_url": "FISH_BASE_URL",
    "user_id": "--user",
    "team_id": "--team",
    "timeout": "--timeout",
}


class Parser(argparse.ArgumentParser):
    """Reports an error in one line, and prints no argument that could be a misplaced key."""

    def error(self, message: str) -> NoReturn:
        complain(f"{message}; see --help")
        sys.exit(CHANGE)


def amount(text: str) -> Decimal:
    # Decimal() would also accept NaN, infinities, and exponents that fill the memory.
    if not re.fullmatch(r"-?[0-9]{1,40}(\.[0-9]{1,40})?", text, re.ASCII):
        raise argparse.ArgumentTypeError("it takes an amount, such as 12.50")
    return Decimal(text)


def seconds(text: str) -> float:
    if not re.fullmatch(r"[0-9]{1,9}(\.[0-9]{1,9})?", text, re.ASCII) or float(text) == 0:
        raise argparse.ArgumentTypeError("it takes seconds, such as 2.5")
    return float(text)


def parser() -> Parser:
    parser = Parser(
        prog="fish-credit", description=(__doc__ or "").splitlines()[0], allow_abbrev=False, add_help=False
    )
    # argparse's own --help would not report that its text could not be written.
    parser.add_argument("-h", "--help", action="store_true", help="print this help")
    parser.add_argument("--user", help="the wallet's owner (default: the key's own account)")
    parser.add_argument("--team", help="the team whose API credit to read")
    parser.add_argument("--timeout", type=seconds, default=10.0, help="seconds for the whole call (default: 10)")
    parser.add_argument("--least", type=amount, help="exit with status 2 if the balance is below this amount")
    return parser


def arguments_of(argv: Optional[List[str]]) -> argparse.Namespace:
    arguments, rest = parser().parse_known_args(argv)
    for stray in rest:
        name = re.match(r"--?[a-z-]{1,20}(?![^=])", stray)
        stray = f"unknown option {name[0]}" if name else "an argument is not an option; set the key in FISH_API_KEY"
        parser().error(stray)
    return arguments


async def show(arguments: argparse.Namespace) -> int:
    with Client(
        base_url=os.environ.get("FISH_BASE_URL"), user_agent="fish-credit/1", timeout=arguments.timeout
    ) as client:
        credit = await client.api_credit_async(user_id=arguments.user, team_id=arguments.team)
    print(f"API credit: {credit.credit:f} (not the platform credit of a plan)")
    if credit.updated_at is not None:
        print(f"last change: {credit.updated_at.isoformat()}")
    sys.stdout.flush()
    if arguments.least is not None and credit.credit < arguments.least:
        complain(f"the balance is below {arguments.least:f}")
        return CHANGE
    return FINE


def run(argv: Optional[List[str]]) -> int:
    try:
        arguments = arguments_of(argv)
        if arguments.help:
            print(parser().format_help(), end="")
            return FINE
        # With asyncio, Ctrl-C ends the call at once.
        return asyncio.run(show(arguments))
    except FishError as error:
        said = [f"  the server said: {error.api_message}"] if error.api_message else []
        said += [f"  {field.location}: {field.message}" for field in error.field_errors]
        complain(here(str(error)), *said)
        return LATER if error.retryable else CHANGE
    except ImportError as error:
        complain(str(error))
        return CHANGE
    except SystemExit:  # from Parser.error
        return CHANGE


def here(message: str) -> str:
    """Replaces the package's names in a message by the command's."""
    # Not within a longer word such as a status name, and not in quotes, where it is a field of the server's document.
    names = "|".join(map(re.escape, _HERE))
    return re.sub(rf"(?<![\w\"])(?:{names})(?!\w)", lambda found: _HERE[found[0]], message)


def complain(first: str, *more: str) -> None:
    for line in (f"fish-credit: {first}", *more):
        if sys.stderr is not None:
            # A server's text must not control the terminal.
            print("".join(character if character.isprintable() else "?" for character in line), file=sys.stderr)


def main(argv: Optional[List[str]] = None) -> int:
    try:
        try:
            if sys.stdout is None:
                raise OSError("it is closed")
            code = run(argv)
            sys.stdout.flush()
            return code
        except OSError as error:
            complain(f"standard output: {error.strerror or error}")
            # Otherwise Python would try to flush the buffer at exit, and print a traceback.
            if sys.stdout is not None:
                os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
            return CHANGE
    except KeyboardInterrupt:
        return INTERRUPTED
    except OSError:
        return CHANGE  # standard error cannot be written either


if __name__ == "__main__":
    sys.exit(main())
