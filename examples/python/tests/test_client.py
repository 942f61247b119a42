"""The package through its own door: what a program sees of each kind of answer, deadline and close."""

from __future__ import annotations

import asyncio
import dataclasses
import gc
import os
import pickle
import signal
import subprocess
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timezone
from decimal import Decimal
from pathlib import Path

import pytest

import fish_api_credit
from fish_api_credit import CancelToken, Client, Credit, FieldError, FishError, Status, parse_credit

# The library's promise after a deadline or a cancel is 0.1 s; the rest is this machine's.
PROMPT = 2.0

WALLET = (
    '{"_id":"w1","user_id":"u1","credit":"12.345678","cumulative_top_up":"100.00",'
    '"created_at":"2026-01-02T03:04:05Z","updated_at":"2026-02-03T04:05:06.789012Z",'
    '"has_phone_sha256":true,"has_free_credit":null}'
)
CREDIT = Credit(
    id="w1",
    user_id="u1",
    credit=Decimal("12.345678"),
    credit_micros=12_345_678,
    credit_micros_exact=True,
    cumulative_top_up=Decimal("100.00"),
    created_at=datetime(2026, 1, 2, 3, 4, 5, tzinfo=timezone.utc),
    updated_at=datetime(2026, 2, 3, 4, 5, 6, 789012, tzinfo=timezone.utc),
    created_at_text="2026-01-02T03:04:05Z",
    updated_at_text="2026-02-03T04:05:06.789012Z",
    has_phone=True,
    has_free_credit=None,
)


@pytest.mark.parametrize(
    "old, new, changes",
    [
        ("", "", {}),
        ("{", '{"new":[1,{"x":null}],', {}),
        (
            "12.345678",
            "-0.00000000000000000001",
            {"credit": Decimal("-1e-20"), "credit_micros": -1, "credit_micros_exact": False},
        ),
        ('"100.00"', "null", {"cumulative_top_up": None}),
        ("2026-01-02T03:04:05Z", "yesterday", {"created_at": None, "created_at_text": "yesterday"}),
        ("2026-01-02T", "0000-01-02T", {"created_at": None, "created_at_text": "0000-01-02T03:04:05Z"}),
        ('"has_free_credit":null', '"has_free_credit":false', {"has_free_credit": False}),
        (',"has_phone_sha256":true', "", {"has_phone": None}),
    ],
    ids=["documented", "unknown fields", "20 decimals", "no top-up", "no time", "year 0", "free credit", "no phone"],
)
def test_credit_is_exact(server, client_of, old, new, changes):
    document = WALLET.replace(old, new, 1) if old else WALLET
    server.answer = lambda request: (200, document, {})
    client = client_of()
    want = dataclasses.replace(CREDIT, **changes)
    got = client.api_credit()
    assert got == want
    assert str(got.credit) == str(want.credit)
    assert client.api_credit_json() == document
    assert parse_credit(document) == want
    assert parse_credit(document.encode()) == want
    assert asyncio.run(client.api_credit_async()) == want


@pytest.mark.parametrize("document", ["", " ", "{}", "[", "\0", WALLET.replace("12.345678", "NaN")])
def test_what_is_no_document_is_refused(document):
    with pytest.raises(FishError) as raised:
        parse_credit(document)
    assert raised.value.status == Status.BAD_RESPONSE


def test_the_request(server, client_of):
    server.answer = lambda request: (200, WALLET, {})
    client_of(user_agent="py/1").api_credit(user_id="a/b", team_id="t&1", check_free_credit=True)
    (request,) = server.requests
    assert request.path == "/wallet/a%2Fb/api-credit?check_free_credit=true&team_id=t%261"
    assert request.headers["Authorization"] == "Bearer sk-test"
    assert request.headers["User-Agent"].startswith("py/1 fish-api-credit/")


ROWS = (
    '[{"loc":["query","check_free_credit"],"in":"query","type":"bool_parsing","msg":"no bool","ctx":{"a":1}},'
    '{"loc":["path"],"type":"t","msg":"m"}]'
)


@pytest.mark.parametrize(
    "kind, answer, attributes",
    [
        (
            "Unauthorized",
            (401, '{"status":401,"message":"Invalid Token"}', {"x-fish-trace-id": "t-1"}),
            {"status": Status.UNAUTHORIZED, "http_status": 401, "api_message": "Invalid Token", "request_id": "t-1"},
        ),
        ("Unauthorized", (401, "<html>no</html>", {}), {"api_message": None, "body": "<html>no</html>"}),
        ("Forbidden", (403, "", {}), {"body": None}),
        ("NotFound", (404, "", {}), {}),
        ("FishError", (402, "", {}), {"status": Status.PAYMENT_REQUIRED}),
        (
            "ValidationFailed",
            (422, ROWS, {}),
            {
                "http_status": 422,
                "field_errors": (
                    FieldError("query.check_free_credit", "query", "bool_parsing", "no bool", '{"a":1}'),
                    FieldError("path", None, "t", "m", None),
                ),
            },
        ),
        (
            "RateLimited",
            (429, '{"status":429,"message":"slow","reason":"rate"}', {"Retry-After": "7"}),
            {"retry_after": 7.0, "retryable": True, "api_message": "slow", "api_reason": "rate"},
        ),
        ("RateLimited", (429, "", {}), {"retry_after": None}),
        ("FishError", (503, "", {}), {"status": Status.SERVER_ERROR, "retryable": True}),
        ("FishError", (200, "{}", {}), {"status": Status.BAD_RESPONSE, "http_status": 200}),
    ],
)
def test_errors_are_typed(server, client_of, kind, answer, attributes):
    server.answer = lambda request: answer
    client = client_of(max_retries=0)
    with pytest.raises(FishError) as raised:
        client.api_credit()
    error = raised.value
    assert type(error) is getattr(fish_api_credit, kind)
    assert error.message and error.status.name in str(error)
    assert error.attempts == 1
    assert {name: getattr(error, name) for name in attributes} == attributes
    with pytest.raises(type(error)):
        client.api_credit_json()
    copy = pickle.loads(pickle.dumps(error))
    assert (type(copy), str(copy), vars(copy)) == (type(error), str(error), vars(error))


def test_a_503_is_asked_again(server, client_of):
    answers = iter([(503, "busy", {"Retry-After": "0"}), (200, WALLET, {})])
    server.answer = lambda request: next(answers)
    assert client_of().api_credit() == CREDIT
    assert len(server.requests) == 2


def test_nobody_listens(server, client_of):
    client = client_of(max_retries=0)
    server.server_close()
    with pytest.raises(ConnectionError) as raised:
        client.api_credit(timeout=30)
    assert isinstance(raised.value, fish_api_credit.ConnectionFailed)
    assert raised.value.http_status is None


@pytest.mark.parametrize("of_client, of_call", [(0.15, None), (60, 0.15), (60, 1e-9)])
def test_the_deadline_holds(server, client_of, of_client, of_call):
    server.answer = server.silent
    start = time.monotonic()
    with pytest.raises(TimeoutError) as raised:
        client_of(timeout=of_client).api_credit(timeout=of_call)
    least = of_call or of_client
    assert least <= time.monotonic() - start < least + PROMPT
    assert isinstance(raised.value, fish_api_credit.TimedOut)


def test_cancel_while_waiting(server, client_of):
    server.answer = server.silent
    client, token = client_of(timeout=60), CancelToken()
    with ThreadPoolExecutor(4) as pool:
        calls = [pool.submit(client.api_credit, cancel=token) for _ in range(4)]
        for _ in calls:
            server.arrived.acquire()
        start = time.monotonic()
        token.cancel()
        for call in calls:
            assert isinstance(call.exception(), fish_api_credit.Cancelled)
        assert time.monotonic() - start < PROMPT
    assert token.cancelled
    with pytest.raises(fish_api_credit.Cancelled):
        client.api_credit(cancel=token)


def test_cancelling_a_task_ends_its_call(server, client_of):
    server.answer = server.silent
    client = client_of(timeout=60)

    async def cancelled() -> float:
        task = asyncio.ensure_future(client.api_credit_async())
        while not server.requests:
            await asyncio.sleep(0.001)
        start = time.monotonic()
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        client.close()  # waits for the call
        return time.monotonic() - start

    assert asyncio.run(cancelled()) < PROMPT


def test_close_ends_the_calls_in_flight_but_cancels_no_token_of_the_caller(server, client_of):
    server.answer = server.silent
    client, other, token = client_of(timeout=60), client_of(), CancelToken()
    with ThreadPoolExecutor(8) as pool:
        calls = [pool.submit(client.api_credit, cancel=token if i % 2 else None) for i in range(8)]
        for _ in calls:
            server.arrived.acquire()
        client.close()
        for call in calls:
            assert isinstance(call.exception(), fish_api_credit.Cancelled)
    server.answer = lambda request: (200, WALLET, {})
    assert other.api_credit(cancel=token) == CREDIT


def test_closing_twice_is_harmless_and_a_closed_client_says_so(server, client_of):
    server.answer = lambda request: (200, WALLET, {})
    with client_of() as client:
        assert client.api_credit() == CREDIT
    client.close()
    client.close()
    for call in (client.api_credit, client.api_credit_json):
        with pytest.raises(RuntimeError, match="closed"):
            call()


def test_many_threads_share_a_client(server, client_of):
    def answer(request):
        user = request.path.split("/")[2]
        if user.endswith("3"):
            return (403, '{"status":403,"message":"no %s"}' % user, {})
        return (200, WALLET.replace("u1", user), {})

    server.answer = answer
    client = client_of(timeout=60)

    def calls(number: int) -> None:
        user = f"user{number}"
        for _ in range(5):
            try:
                assert client.api_credit(user_id=user).user_id == user
                assert number % 10 != 3
            except fish_api_credit.Forbidden as error:
                assert error.api_message == f"no {user}"
                assert number % 10 == 3

    with ThreadPoolExecutor(100) as pool:
        for done in [pool.submit(calls, number) for number in range(100)]:
            done.result()


def test_other_threads_go_on_during_a_call(server, client_of):
    # The server is a Python thread: it could not even accept if the call kept the GIL.
    server.answer = server.silent
    went_on = threading.Event()

    def other() -> None:
        server.arrived.acquire()
        went_on.set()

    thread = threading.Thread(target=other)
    thread.start()
    with pytest.raises(TimeoutError):
        client_of().api_credit(timeout=1)
    assert went_on.is_set()
    thread.join()


def test_a_forgotten_client_is_freed(server):
    server.answer = lambda request: (200, WALLET, {})
    client = Client("k", base_url=server.url)
    client.api_credit()
    (request,) = server.requests
    finalizer = client._free
    del client
    gc.collect()
    assert not finalizer.alive
    # Its end of the kept connection is closed: the server's read loop of that connection ends.
    deadline = time.monotonic() + 30
    while not request.rfile.closed:
        assert time.monotonic() < deadline
        time.sleep(0.01)


@pytest.mark.parametrize(
    "options, kind, words",
    [
        ({}, "MissingApiKey", "FISH_API_KEY"),
        ({"api_key": "sk\0x"}, "InvalidArgument", "api_key"),
        ({"api_key": "sk\n"}, "InvalidArgument", "api_key"),
        ({"api_key": "\ud800"}, "InvalidArgument", "api_key"),
        ({"api_key": "k", "base_url": "http://example.com"}, "InvalidArgument", "base_url"),
        ({"api_key": "k", "ca_file": Path("/nonexistent.pem")}, "InvalidArgument", "ca_file"),
        ({"api_key": "k", "timeout": 0}, "InvalidArgument", "timeout"),
        ({"api_key": "k", "timeout": float("nan")}, "InvalidArgument", "timeout"),
        ({"api_key": "k", "connect_timeout": -1}, "InvalidArgument", "connect_timeout"),
        ({"api_key": "k", "max_retries": -1}, "InvalidArgument", "max_retries"),
        ({"api_key": "k", "max_retries": 2**31}, "InvalidArgument", "max_retries"),
    ],
)
def test_options_that_are_refused(monkeypatch, options, kind, words):
    # The library reads C's environment, which monkeypatch changes too.
    monkeypatch.delenv("FISH_API_KEY", raising=False)
    with pytest.raises(FishError, match=words) as raised:
        Client(**options)
    assert type(raised.value) is getattr(fish_api_credit, kind)
    assert raised.value.attempts == 0


def test_options_that_are_taken():
    for options in ({"timeout": 1e300}, {"timeout": float("inf")}, {"proxy_url": ""}, {"system_roots": True}):
        Client("k", **options).close()


def command(server, *arguments: str, **environment: str) -> "subprocess.Popen[str]":
    return subprocess.Popen(
        [sys.executable, "-m", "fish_api_credit", *arguments],
        env={**os.environ, "FISH_API_KEY": "sk-test", "FISH_BASE_URL": server.url, **environment},
        cwd=Path(__file__).resolve().parent.parent,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        # A shell starts what runs in its background with Ctrl-C ignored, and that is inherited.
        preexec_fn=None if sys.platform == "win32" else lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),
    )


@pytest.mark.parametrize(
    "answer, arguments, code, out, err",
    [
        ((200, WALLET, {}), [], 0, "API credit: 12.345678 (", ""),
        ((200, WALLET, {}), ["--least", "12.345679"], 2, "API credit: 12.345678 (", "below 12.345679"),
        ((401, "", {}), [], 2, "", "FISH_UNAUTHORIZED"),
        ((422, ROWS, {}), [], 2, "", "query.check_free_credit: no bool"),
        ((429, "", {"Retry-After": "3600"}), [], 1, "", "FISH_RATE_LIMITED"),
    ],
)
def test_the_command(server, answer, arguments, code, out, err):
    server.answer = lambda request: answer
    process = command(server, *arguments)
    got_out, got_err = process.communicate(timeout=60)
    assert (process.returncode, out in got_out, err in got_err) == (code, True, True), (got_out, got_err)


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no SIGINT to send")
def test_ctrl_c_ends_the_command_at_once(server):
    server.answer = server.silent
    process = command(server, "--timeout", "60")
    server.arrived.acquire()
    start = time.monotonic()
    process.send_signal(signal.SIGINT)
    process.communicate(timeout=60)
    assert time.monotonic() - start < PROMPT
    assert process.returncode == 130
