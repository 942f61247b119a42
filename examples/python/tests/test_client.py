"""The package through its own door: what a program sees of each kind of answer, deadline and close."""

from __future__ import annotations

import asyncio
import copy
import ctypes.util
import dataclasses
import gc
import os
import pickle
import shutil
import signal
import subprocess
import sys
import textwrap
import threading
import time
import weakref
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timezone
from decimal import Decimal
from pathlib import Path

import pytest

import fish_api_credit
from conftest import needs
from fish_api_credit import (
    CancelToken,
    Client,
    Credit,
    FieldError,
    FishError,
    Status,
    _abi,
    _client,
    _errors,
    parse_credit,
)

# The library's promise after a deadline or a cancel is 0.1 s; the rest is this machine's.
PROMPT = 20.0

WALLET = (
    '{"_id":"w1","user_id":"u1","credit":"12.345678","cumulative_top_up":"100.00",'
    '"created_at":"2026-01-02T03:04:05Z","updated_at":"2026-02-03T04:05:06.789012Z",'
    '"has_phone_sha256":true,"has_free_credit":null}'
)
CREDIT = Credit(
    id="w1",
    user_id="u1",
    credit=Decimal("12.345678"),
    credit_text="12.345678",
    credit_micros=12_345_678,
    credit_micros_exact=True,
    cumulative_top_up=Decimal("100.00"),
    cumulative_top_up_text="100.00",
    cumulative_top_up_micros=100_000_000,
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
            {
                "credit": Decimal("-1e-20"),
                "credit_text": "-0.00000000000000000001",
                "credit_micros": -1,
                "credit_micros_exact": False,
            },
        ),
        (
            '"100.00"',
            "1e2",
            {"cumulative_top_up": Decimal("1e2"), "cumulative_top_up_text": "1e2"},
        ),
        (
            '"100.00"',
            "null",
            {"cumulative_top_up": None, "cumulative_top_up_text": None, "cumulative_top_up_micros": None},
        ),
        ("2026-01-02T03:04:05Z", "yesterday", {"created_at": None, "created_at_text": "yesterday"}),
        ("2026-01-02T", "0000-01-02T", {"created_at": None, "created_at_text": "0000-01-02T03:04:05Z"}),
        ('"has_free_credit":null', '"has_free_credit":false', {"has_free_credit": False}),
        (',"has_phone_sha256":true', "", {"has_phone": None}),
    ],
    ids=["documented", "unknown fields", "20 decimals", "exponent", "no top-up", "no time", "year 0", "free credit", "no phone"],
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


def keeps_its_data(error: FishError) -> None:
    """Exceptions travel between processes and threads."""
    pickles = [pickle.loads(pickle.dumps(error, protocol)) for protocol in range(pickle.HIGHEST_PROTOCOL + 1)]
    for made in [*pickles, copy.copy(error), copy.deepcopy(error)]:
        assert (type(made), str(made), vars(made)) == (type(error), str(error), vars(error))


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
    keeps_its_data(error)


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
    assert raised.value.attempts == 1  # a failed connection is an attempt, though no request was sent
    keeps_its_data(raised.value)


@pytest.mark.parametrize("of_client, of_call", [(0.15, None), (60, 0.15), (60, 1e-9)])
def test_the_deadline_holds(server, client_of, of_client, of_call):
    server.answer = server.silent
    start = time.monotonic()
    with pytest.raises(TimeoutError) as raised:
        client_of(timeout=of_client).api_credit(timeout=of_call)
    least = of_call or of_client
    assert least <= time.monotonic() - start < least + PROMPT
    assert isinstance(raised.value, fish_api_credit.TimedOut)
    keeps_its_data(raised.value)


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


# Each is a program of its own: what goes wrong here hangs or crashes. `silent` never answers; the whole of each must
# end long before the call's ten minutes have passed.
ENDINGS = {
    "a fork during a call, and close in the child": """
        call = threading.Thread(target=quietly, args=(client.api_credit,))
        call.start()
        wait_for_request()
        child = os.fork()
        client.close()
        if child == 0:
            client.close()
            os._exit(7)
        assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 7
        call.join()
        assert ended == [fish_api_credit.Cancelled]
    """,
    "a fork during a call, and cancel in the child": """
        call = threading.Thread(target=quietly, args=(client.api_credit,), kwargs={"cancel": token})
        call.start()
        wait_for_request()
        child = os.fork()
        if child == 0:
            token.cancel()
            quietly(lambda: client.api_credit(cancel=token))
            quietly(lambda: client.api_credit(timeout=0.05))
            client.close()
            os._exit(8 if ended == [fish_api_credit.Cancelled, fish_api_credit.TimedOut] else 9)
        assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 8
        assert call.is_alive() and not token.cancelled  # the parent has a token of its own
        client.close()
        call.join()
    """,
    "a fork while other threads begin, cancel and end calls": """
        over = threading.Event()
        def busy():
            while not over.is_set():
                token = CancelToken()
                canceller = threading.Thread(target=token.cancel)
                canceller.start()
                quietly(lambda: client.api_credit(cancel=token, timeout=0.01))
                canceller.join()
        threads = [threading.Thread(target=busy) for _ in range(4)]
        for thread in threads:
            thread.start()
        for _ in range(50):
            child = os.fork()
            if child == 0:
                token.cancel()
                client.close()
                os._exit(0)
            assert os.waitpid(child, 0)[1] == 0
        over.set()
        for thread in threads:
            thread.join()
        client.close()
    """,
    "a handler that cancels and closes at every step of a call": """
        # The trace function runs where a signal handler can: between any two steps of this thread.
        source = Client.api_credit.__code__.co_filename
        fish_api_credit._client._SLICE_MS = 60_000  # so that each call has the same steps
        for at in range(200):
            client, token, steps = Client("k", base_url=url, timeout=60), CancelToken(), 0
            def handler():
                token.cancel()
                client.close()
            def trace(frame, event, argument):
                global steps
                if frame.f_code.co_filename != source:
                    return None
                steps += 1
                if steps == at + 1:
                    handler()
                return trace
            sys.settrace(trace)
            quietly(lambda: client.api_credit(cancel=token, timeout=0.05))
            sys.settrace(None)
            if steps <= at:
                break
            client.close()
        assert 20 < at < 199 and steps > 20, (at, steps)
        # What came before the library was asked is not lost; what comes after it has answered is too late.
        late = ended.index(fish_api_credit.TimedOut)
        assert set(ended[:late]) == {fish_api_credit.Cancelled, RuntimeError}, ended
        assert set(ended[late:]) == {fish_api_credit.TimedOut}, ended
    """,
    "a signal during a call cancels it from a thread, and closes": """
        def handler(*_):
            token.cancel()
            client.close()
        signal.signal(signal.SIGUSR1, handler)
        call = threading.Thread(target=quietly, args=(client.api_credit,), kwargs={"cancel": token})
        call.start()
        wait_for_request()
        os.kill(os.getpid(), signal.SIGUSR1)
        call.join()
        assert ended == [fish_api_credit.Cancelled]
    """,
    "a finaliser that cancels and closes": """
        class Owner:
            def __init__(self):
                self.client, self.token, self.me = client, token, self
            def __del__(self):
                self.token.cancel()
                self.client.close()
        call = threading.Thread(target=quietly, args=(client.api_credit,), kwargs={"cancel": token})
        call.start()
        wait_for_request()
        Owner()
        gc.collect()
        call.join()
        assert ended == [fish_api_credit.Cancelled]
    """,
    "Ctrl-C during a blocking call": """
        threading.Thread(target=interrupt, daemon=True).start()
        try:
            client.api_credit()
        except KeyboardInterrupt:
            assert not ended
            client.close()
            os._exit(0)
    """,
    "Ctrl-C during a blocking call, and its traceback kept": """
        threading.Thread(target=interrupt, daemon=True).start()
        try:
            client.api_credit(cancel=token)
        except KeyboardInterrupt as error:
            kept = error
        # The call is over: its thread ends, though the traceback holds its frames.
        while "fish-call" in names_of_threads():
            time.sleep(0.01)
    """,
    "Ctrl-C during an iteration over a watch": """
        threading.Thread(target=interrupt, daemon=True).start()
        try:
            for state in client.watch():
                pass
        except KeyboardInterrupt:
            ended.append(1)
        assert ended == [1]
    """,
    "a fork while a watch is read": """
        watch = client.watch()
        wait_for_request()
        child = os.fork()
        if child == 0:
            assert list(watch) == [] and watch.read().status == fish_api_credit.Status.CANCELLED
            watch.close()
            client.close()
            os._exit(6)
        assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 6
        assert watch.read().status == fish_api_credit.Status.PENDING
    """,
    "the interpreter ends during an asyncio call": """
        import asyncio
        async def leave():
            asyncio.ensure_future(client.api_credit_async())
            await asyncio.sleep(0)
            wait_for_request()
            raise SystemExit(0)
        asyncio.run(leave())
    """,
    "the interpreter ends while a daemon thread iterates over a watch": """
        threading.Thread(target=lambda: list(client.watch()), daemon=True).start()
        wait_for_request()
    """,
    "the interpreter ends during a daemon thread's call": """
        threading.Thread(target=quietly, args=(client.api_credit,), daemon=True).start()
        wait_for_request()
    """,
    "the interpreter ends during a call, and an exit handler closes": """
        atexit.register(client.close)
        threading.Thread(target=quietly, args=(client.api_credit,), daemon=True).start()
        wait_for_request()
    """,
    "the interpreter ends, and a finaliser closes": """
        class Owner:
            def __del__(self):
                client.close()
                token.cancel()
        owner = Owner()
        threading.Thread(target=quietly, args=(client.api_credit,), daemon=True).start()
        wait_for_request()
    """,
}
PRELUDE = """
import atexit, gc, os, signal, sys, threading, time
import fish_api_credit
from fish_api_credit import CancelToken, Client
url = sys.argv[1]
client, token, ended = Client("k", base_url=url, timeout=600), CancelToken(), []
def quietly(call, **arguments):
    try:
        ended.append(call(**arguments))
    except Exception as error:
        ended.append(type(error))
def names_of_threads():
    names = []
    for task in os.listdir("/proc/self/task") if os.path.exists("/proc/self/task") else []:
        try:
            with open(f"/proc/self/task/{task}/comm") as name:
                names.append(name.read().strip())
        except OSError:
            pass  # It ended meanwhile.
    return names
def interrupt():
    wait_for_request()
    os.kill(os.getpid(), signal.SIGINT)
def wait_for_request():
    sys.stdout.write("sent?")
    sys.stdout.flush()
    sys.stdin.readline()
"""


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no fork and no SIGUSR1")
@pytest.mark.parametrize("program", ENDINGS.values(), ids=ENDINGS.keys())
def test_every_way_to_end_returns(server, program):
    server.answer = server.silent
    start = time.monotonic()
    process = subprocess.Popen(
        [sys.executable, "-W", "ignore", "-c", PRELUDE + textwrap.dedent(program), server.url],
        cwd=Path(__file__).resolve().parent.parent,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        # A shell starts what runs in its background with Ctrl-C ignored, and that is inherited.
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),
    )
    if "wait_for_request()" in program or "interrupt" in program:
        server.arrived.acquire()
    try:
        out, err = process.communicate("\n", timeout=300)
    except subprocess.TimeoutExpired:
        process.kill()
        raise
    assert (process.returncode, err) == (0, "")
    assert time.monotonic() - start < 300


def test_a_client_and_a_token_tell_nothing_and_stay_in_their_process(client_of):
    client, token = client_of(), CancelToken()
    for text in (repr(client), str(client), repr(vars(client)), repr(client._handle), repr(token)):
        assert "sk-test" not in text
    for thing in (client, client._handle):
        with pytest.raises(TypeError):
            pickle.dumps(thing)
    with pytest.raises(TypeError):
        copy.deepcopy(client)
    # A shallow copy shares what it closes.
    assert copy.copy(client)._handle is client._handle


def test_an_exception_that_is_kept_does_not_keep_the_key(server, client_of):
    server.answer = lambda request: (401, "", {})
    client = client_of()
    handle = weakref.ref(client._handle)
    with pytest.raises(fish_api_credit.Unauthorized) as raised:
        client.api_credit()
    client.close()
    assert raised.value.__traceback__ is not None and handle() is None


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


def test_other_threads_go_on_during_a_call(server, client_of, monkeypatch):
    # The server is a Python thread: it could not even accept if the call kept the GIL, in one wait.
    monkeypatch.setattr(fish_api_credit._client, "_SLICE_MS", 60_000)
    server.answer = server.silent
    went_on, token = threading.Event(), CancelToken()

    def other() -> None:
        server.arrived.acquire()
        went_on.set()
        token.cancel()

    thread = threading.Thread(target=other)
    thread.start()
    with pytest.raises(fish_api_credit.Cancelled):
        client_of().api_credit(cancel=token, timeout=60)
    assert went_on.is_set()
    thread.join()


def test_a_forgotten_client_is_freed(server):
    server.answer = lambda request: (200, WALLET, {})
    client = Client("k", base_url=server.url)
    client.api_credit()
    (request,) = server.requests
    handle = weakref.ref(client._handle)
    del client
    gc.collect()
    assert handle() is None
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
        # A byte of the command line or the environment that is no text.
        ({"api_key": "sk-\udcff"}, "InvalidArgument", "api_key is not valid UTF-8"),
        ({"api_key": "k", "base_url": "http://example.com"}, "InvalidArgument", "^base_url"),
        ({"api_key": "k", "ca_file": Path("/nonexistent.pem")}, "InvalidArgument", "^ca_file"),
        ({"api_key": "k", "user_agent": ""}, "InvalidArgument", "^user_agent .*unset"),
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


@pytest.mark.parametrize(
    "message, wanted",
    [
        ("options.ca_file contains no certificate.", "ca_file contains no certificate."),
        ("options.tls_roots is FISH_TLS_ROOTS_SYSTEM; use", "system_roots is True; use"),
        ("exceeded connect_timeout_ms (5000 ms) and timeout_ms", "exceeded connect_timeout (5000 ms) and timeout"),
        ("query.user_id is empty; leave it unset", "user_id is empty; leave it unset"),
    ],
)
def test_messages_use_this_packages_names(message, wanted):
    assert _errors._in_python(message) == wanted


@pytest.mark.parametrize("seconds, wanted", [(2.007, 2007), (0.3, 300), (1e-12, 1), (0.0011, 2), (1e300, 2**32 - 1)])
def test_seconds_are_whole_milliseconds_rounded_up(seconds, wanted):
    assert _client._milliseconds("timeout", seconds) == wanted


def test_options_that_are_taken():
    for options in ({"timeout": 1e300}, {"timeout": float("inf")}, {"proxy_url": ""}, {"system_roots": True}):
        Client("k", **options).close()


@pytest.mark.parametrize(
    "library, words",
    [
        ("/nonexistent/libfish_api_credit.so", "cannot be loaded"),
        (__file__, "cannot be loaded"),
        (ctypes.util.find_library("c"), "is not this package's libfish_api_credit"),
        ("older", "has ABI 4711"),
        ("lacking", "is not this package's libfish_api_credit"),
    ],
    ids=["none", "no library", "another library", "another ABI", "a function is missing"],
)
def test_a_library_that_is_none_of_ours_is_told_in_one_line(tmp_path, library, words):
    if library in ("older", "lacking"):
        compiler = shutil.which("cc") or shutil.which("clang") or shutil.which("gcc")
        needs("C compiler", compiler)
        version = 4711 if library == "older" else _abi.ABI_VERSION
        (tmp_path / "fake.c").write_text(f"unsigned fish_abi_version(void) {{ return {version}; }}")
        library = str(tmp_path / "fake.so")
        subprocess.run([compiler, "-shared", "-fPIC", tmp_path / "fake.c", "-o", library], check=True)
    for arguments, code in ([[], 2], [["--version"], 2], [["--json", "--watch"], 2], [["--help"], 0]):
        ran = subprocess.run(
            [sys.executable, "-m", "fish_api_credit", *arguments],
            env={**os.environ, "FISH_API_CREDIT_LIBRARY": library},
            cwd=Path(__file__).resolve().parent.parent,
            capture_output=True,
            text=True,
            timeout=60,
        )
        assert ran.returncode == code, ran
        if code:
            assert ran.stderr.startswith("fish-credit: ") and words in ran.stderr, ran
            assert len(ran.stderr.splitlines()) == 1 and not ran.stdout, ran
