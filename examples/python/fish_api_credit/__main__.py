"""fish-credit: show a Fish Audio account's API credit, once or whenever it changes.

Its options, output and exit statuses are those of the C program of this name; --help lists them. The key is read only
from the environment, so that it never appears in a process list.
"""

from __future__ import annotations

import json
import os
import re
import select
import signal
import socket
import sys
from dataclasses import dataclass
from datetime import datetime, timezone
from decimal import Decimal
from typing import Dict, List, Optional, Set

from ._abi import VERSION, Level, Status
from ._client import Client, parse_credit
from ._credit import Credit
from ._errors import FishError
from ._help import HELP
from ._library import library
from ._watch import Watch, WatchState

SHOWN, FAILED, USAGE, UNWRITTEN, NO_LIBRARY, LOW, EMPTY = 0, 1, 2, 2, 2, 3, 4

# ---- The command line ---------------------------------------------------------------------------------------------

_LAST = ("--help", "-h", "--version")  # what follows these is not looked at
_FLAGS = (*_LAST, "--check-free-credit", "--watch", "--json", "--prometheus")
_VALUES = ("--user", "--team", "--base-url", "--timeout", "--interval", "--low")


class WrongUsage(Exception):
    """Says what is wrong with the command line."""


@dataclass
class Request:
    """The parsed command line."""

    flags: Set[str]
    values: Dict[str, str]
    timeout_ms: Optional[int] = None
    interval_s: Optional[int] = None
    low_micros: int = 0

    @property
    def wallet(self) -> str:
        return "team" if "--team" in self.values else "account"


def parse(arguments: List[str]) -> Request:
    asked = split(arguments)
    flags, values = asked.flags, asked.values
    if flags.intersection(_LAST):
        return asked
    if "--timeout" in values:
        asked.timeout_ms = whole(values["--timeout"], 2**32 - 1)
        if not asked.timeout_ms:
            raise WrongUsage("--timeout takes whole milliseconds, from 1 to 4294967295.")
    if "--interval" in values:
        if "--watch" not in flags:
            raise WrongUsage("--interval needs --watch; see --help.")
        asked.interval_s = whole(values["--interval"], (2**32 - 1) // 1000)
        if not asked.interval_s:
            raise WrongUsage("--interval takes whole seconds, from 1 to 4294967.")
    if "--low" in values:
        asked.low_micros = amount(values["--low"])
        if not asked.low_micros:
            raise WrongUsage("--low takes an amount above 0 with at most six decimals, such as 5 or 0.50.")
    if "--prometheus" in flags and flags.intersection(("--watch", "--json")):
        raise WrongUsage("--prometheus cannot be combined with --watch or --json; see --help.")
    return asked


def split(arguments: List[str]) -> Request:
    """Tells options and their values apart. argparse would print an argument that may be a misplaced key."""
    asked = Request(set(), {})
    at = 0
    while at < len(arguments):
        name, joined, value = arguments[at].partition("=")
        at += 1
        if name in _FLAGS and not joined:
            asked.flags.add(name)
            if name in _LAST:
                break
        elif name in _VALUES:
            if not joined:
                if at == len(arguments):
                    raise WrongUsage(f"{name} needs a value; see --help.")
                value = arguments[at]
                at += 1
            asked.values[name] = value
        elif re.fullmatch("--[-a-z]*", name):
            raise WrongUsage(f"unknown option {name}{joined}; see --help.")
        else:
            raise WrongUsage(f"argument {at} is not an option; set the key in FISH_API_KEY, see --help.")
    return asked


def whole(text: str, most: int) -> int:
    """Digits only, up to `most`; 0 if it is anything else."""
    digits = re.fullmatch("0*([0-9]{1,10})", text)
    number = int(digits[1]) if digits else 0
    return number if number <= most else 0


def amount(text: str) -> int:
    """Parses "12.34" to millionths; 0 if it is no amount."""
    parts = re.fullmatch(r"0*([0-9]{1,13})(?:\.([0-9]{1,6}))?", text)
    if not parts or int(parts[1]) > (2**63 - 1) // 1_000_000 - 1:
        return 0
    return int(parts[1] + (parts[2] or "").ljust(6, "0"))


# ---- Output ---------------------------------------------------------------------------------------------------------


class Output:
    """Standard output: UTF-8 whatever the locale is, and its first error is kept."""

    def __init__(self) -> None:
        self._text = ""
        self.error: Optional[OSError] = None

    def put(self, text: str) -> None:
        self._text += text

    def flush(self) -> None:
        unwritten, self._text = self._text.encode(), ""
        try:
            while unwritten and self.error is None:
                unwritten = unwritten[os.write(1, unwritten) :]
        except OSError as error:
            self.error = error


def say(text: str) -> None:
    """Writes to standard error; if that is closed, there is nobody to tell."""
    try:
        os.write(2, text.encode(errors="replace"))
    except OSError:
        pass


#: Control characters, with which a server's text could control the terminal.
_CONTROL = {number: "?" for number in (*range(0x20), *range(0x7F, 0xA0))}


def row(label: str, text: str) -> str:
    return f"{label:18} {text.translate(_CONTROL)}\n"


#: The package's names in messages, and what the command calls them. A name in quotes is a field of the document.
_NAMES = {
    '"user_id"': '"user_id"',
    "api_key or FISH_API_KEY": "FISH_API_KEY",
    "api_key, or FISH_API_KEY": "FISH_API_KEY",
    "api_key": "FISH_API_KEY",
    "base_url": "--base-url",
    "user_id": "--user",
    "team_id": "--team",
    "connect_timeout": "the connect timeout",
    "check the network, or raise it": "check the network",
    "timeout": "--timeout",
    "proxy_url or the proxy variables": "the proxy variables",
    " (see ca_file and system_roots)": "",
    "request_id": "the request id",
    "see field_errors and api_message": "check the options",
}


def here(error: FishError) -> str:
    """The error's message with the command's options in place of the package's names."""
    return re.sub("|".join(map(re.escape, _NAMES)), lambda found: _NAMES[found[0]], error.message)


def status_name(status: int) -> str:
    return f"FISH_{status.name}" if isinstance(status, Status) else library().fish_status_name(status).decode()


def complain(error: FishError) -> None:
    """Says why, and what the server sent."""
    text = f"{status_name(error.status)}: {here(error)}".translate(_CONTROL) + "\n"
    if error.api_message:
        text += row("  the server said", error.api_message)
    if error.api_reason:
        text += row("  its reason", error.api_reason)
    for wrong in error.field_errors:
        context = f" ({wrong.context})" if wrong.context else ""
        line = f"{wrong.location or '(no field)'}: {wrong.message or wrong.type}{context}"
        text += f"  {line.translate(_CONTROL)}\n"
    if error.retry_after is not None:
        # In tenths, rounded up: never earlier than the server said.
        tenths = -(-round(error.retry_after * 1000) // 100)
        text += row("  ask again after", f"{tenths // 10}.{tenths % 10} s")
    if error.attempts > 1:
        text += row("  tried", f"{error.attempts} times")
    if error.request_id:
        text += row("  request id", error.request_id)
    say(text)


def dollars(credit: Credit) -> str:
    """In cents, rounded down like the micros."""
    micros = credit.credit_micros
    if not credit.credit_micros_exact and micros in (2**63 - 1, -(2**63)):
        return "see the exact text"
    return f"{Decimal(micros // 10_000) / 100:.2f} US dollars"


def yes_or_no(flag: Optional[bool], unknown: str) -> str:
    return unknown if flag is None else "yes" if flag else "no"


def table(credit: Credit, level: Level, asked: Request) -> str:
    unsaid = "not sent by the server"
    if asked.wallet == "team":
        which = "the team's API credit, not the account's or a plan's platform credit"
    else:
        which = "the account's API credit, not a team's or a plan's platform credit"
    free = unsaid if "--check-free-credit" in asked.flags else "not requested (--check-free-credit)"
    rows = [
        ("API credit", dollars(credit)),
        ("  exact text", credit.credit_text),
        ("  which wallet", which),
        *([("  level", level.name.lower())] if asked.low_micros else []),
        ("Total paid in", credit.cumulative_top_up_text or unsaid),
        ("Free credit left", yes_or_no(credit.has_free_credit, free)),
        ("Phone number known", yes_or_no(credit.has_phone, unsaid)),
        ("Account", credit.user_id),
        ("Wallet", credit.id),
        ("Created", credit.created_at_text),
        ("Last changed", credit.updated_at_text),
    ]
    return "".join(row(label, text) for label, text in rows)


def metric(name: str, about: str, value: str, asked: Request) -> str:
    name = f"fish_api_credit_{name}"
    return f'# HELP {name} {about}\n# TYPE {name} gauge\n{name}{{wallet="{asked.wallet}"}} {value}\n'


def metrics(credit: Optional[Credit], level: Level, asked: Request) -> str:
    """Prometheus' text format, also for a failure (credit is None)."""
    text = metric("success", "Whether the API credit could be read: 1 or 0.", "0" if credit is None else "1", asked)
    text += metric("level", "0 unknown, 1 ok, 2 low, 3 empty.", str(level.value), asked)
    if credit is not None:
        balance = f"{Decimal(credit.credit_micros) / 1_000_000:.6f}"
        about = "The API credit that is left, in US dollars. Not a plan's platform credit."
        text += metric("balance", about, balance, asked)
        text += metric("age_seconds", "How long ago the balance was read.", "0", asked)
    return text


def line(state: WatchState, asked: Request) -> str:
    """The state of a watch and the error of its latest reading, as text or as JSON."""
    now = datetime.now(timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ")
    credit, error, level = state.credit, state.error, state.level.name.lower()
    if "--json" in asked.flags:
        members = {
            "time": now,
            "wallet": asked.wallet,
            "credit": credit and credit.credit_text,
            "level": level,
            "age_ms": round((state.age or 0) * 1000),
            "status": status_name(state.status),
            "failures": state.failures,
            "message": error and here(error),
        }
        return json.dumps(members, ensure_ascii=False, separators=(",", ":")) + "\n"
    text = f"{now}  API credit of the {asked.wallet}: "
    if credit is not None:
        text += f"{dollars(credit)} ({credit.credit_text}), {level}"
    else:
        text += "not read yet" if state.status == Status.PENDING else "unknown"
    if error is not None:
        if credit is not None:
            text += f" {int(state.age or 0)} s ago"
        text += f"; {status_name(state.status)}: {here(error)}"
    return text.translate(_CONTROL) + "\n"


# ---- What it does ---------------------------------------------------------------------------------------------------


def outcome(level: Level) -> int:
    """The exit status for a credit that was shown."""
    return {Level.EMPTY: EMPTY, Level.LOW: LOW}.get(level, SHOWN)


def level_of(micros: int, low_micros: int) -> Level:
    return Level.EMPTY if micros <= 0 else Level.LOW if micros < low_micros else Level.OK


def ask(client: Client, asked: Request, out: Output) -> int:
    user, team = asked.values.get("--user"), asked.values.get("--team")
    free = "--check-free-credit" in asked.flags
    if "--json" in asked.flags:
        document = client.api_credit_json(user_id=user, team_id=team, check_free_credit=free)
        credit = parse_credit(document)
    else:
        credit = client.api_credit(user_id=user, team_id=team, check_free_credit=free)
    level = level_of(credit.credit_micros, asked.low_micros)
    if "--json" in asked.flags:
        out.put(document.rstrip("\r\n") + "\n")
    elif "--prometheus" in asked.flags:
        out.put(metrics(credit, level, asked))
    else:
        out.put(table(credit, level, asked))
    return outcome(level) if asked.low_micros else SHOWN


def listen_for_signals() -> socket.socket:
    """A socket that is readable once Ctrl-C or SIGTERM came. A second one ends the program at once."""
    ended, ends = socket.socketpair()
    ends.setblocking(False)
    signal.set_wakeup_fd(ends.detach())
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda number, frame: signal.signal(number, signal.SIG_DFL))
    return ended


def wait_for_change(watch: Watch, ended: socket.socket) -> bool:
    """Waits until the watch has changed; False if a signal came."""
    try:
        sources, patience = [ended.fileno(), watch.fileno()], None
    except OSError:  # A watch without a descriptor is read once a second.
        sources, patience = [ended.fileno()], 1.0
    return ended.fileno() not in select.select(sources, [], [], patience)[0]


def keep_watching(client: Client, asked: Request, out: Output) -> int:
    ended = listen_for_signals()
    with client.watch(
        user_id=asked.values.get("--user"),
        team_id=asked.values.get("--team"),
        check_free_credit="--check-free-credit" in asked.flags,
        interval=asked.interval_s,
        low=Decimal(asked.low_micros) / 1_000_000,
    ) as watch:
        seen, going = 0, True
        while going and out.error is None:
            going = wait_for_change(watch, ended)
            state = watch.read()
            if state.changes != seen or not going:
                out.put(line(state, asked))
                out.flush()
            seen = state.changes
    if state.level == Level.UNKNOWN:
        say("fish-credit: no balance was read.\n")
        return FAILED
    return outcome(state.level)


def run(asked: Request, out: Output) -> int:
    if asked.flags.intersection(("--help", "-h")):
        out.put(HELP)
        return SHOWN
    try:
        if "--version" in asked.flags:
            out.put(f"fish-credit {VERSION}, library {library().fish_version().decode()}\n")
            return SHOWN
        timeout = asked.timeout_ms and asked.timeout_ms / 1000
        with Client(base_url=asked.values.get("--base-url"), timeout=timeout) as client:
            return (keep_watching if "--watch" in asked.flags else ask)(client, asked, out)
    except FishError as error:
        if "--prometheus" in asked.flags:
            out.put(metrics(None, Level.UNKNOWN, asked))
        complain(error)
    except ImportError as error:  # Nothing was asked, and asking again would not help.
        say(f"fish-credit: {error}\n")
        return NO_LIBRARY
    return FAILED


def main() -> int:
    # Ctrl-C ends a call as it ends other programs, unless the command was started with it ignored.
    if signal.getsignal(signal.SIGINT) is signal.default_int_handler:
        signal.signal(signal.SIGINT, signal.SIG_DFL)
    # Standard output or error that is closed stays so: nothing else may take its number, and nobody can write to this.
    while (descriptor := os.open(os.devnull, os.O_RDONLY)) <= 2:
        pass
    os.close(descriptor)
    # The bytes that were given, read as UTF-8 whatever the locale is.
    arguments = [os.fsencode(argument).decode(errors="surrogateescape") for argument in sys.argv[1:]]
    try:
        asked = parse(arguments)
    except WrongUsage as why:
        say(f"fish-credit: {why}\n")
        return USAGE
    out = Output()
    ended = run(asked, out)
    out.flush()
    if out.error is None:
        return ended
    say(f"fish-credit: standard output: {out.error.strerror}\n")
    return UNWRITTEN


if __name__ == "__main__":
    sys.exit(main())
