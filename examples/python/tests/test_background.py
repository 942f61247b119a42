"""Without blocking: asyncio, Ctrl-C, and watches."""

from __future__ import annotations

import asyncio
import os
import threading
import time
from decimal import Decimal

import pytest

import fish_api_credit
from fish_api_credit import FishError, Level, Status, _waiting
from test_client import CREDIT, PROMPT, WALLET


def balance(amount: str) -> str:
    return WALLET.replace("12.345678", amount)


def test_a_credit_has_its_requests_name(server, client_of):
    server.answer = lambda request: (200, WALLET, {"x-fish-trace-id": "t-9"})
    client = client_of()
    assert client.api_credit().request_id == "t-9"
    assert asyncio.run(client.api_credit_async()).request_id == "t-9"


def test_hundreds_of_awaited_calls_take_no_thread_of_pythons(server, client_of):
    server.answer = lambda request: (200, WALLET, {})
    client = client_of(timeout=60)

    async def all_of_them() -> None:
        before = threading.active_count()
        tasks = [asyncio.ensure_future(client.api_credit_async()) for _ in range(200)]
        await asyncio.sleep(0)
        # The server's threads come and go; none is of a pool that asyncio would wait for at its end.
        assert not [one for one in threading.enumerate() if "asyncio" in one.name or "Pool" in one.name], before
        assert await asyncio.gather(*tasks) == [CREDIT] * 200

    asyncio.run(all_of_them())


def test_a_timeout_of_asyncio_ends_the_call(server, client_of):
    server.answer = server.silent
    client = client_of(timeout=60)

    async def soon() -> float:
        start = time.monotonic()
        with pytest.raises(asyncio.TimeoutError):
            await asyncio.wait_for(client.api_credit_async(), 0.1)
        return time.monotonic() - start

    assert asyncio.run(soon()) < PROMPT


def test_close_ends_an_awaited_call(server, client_of):
    server.answer = server.silent
    client = client_of(timeout=60)

    async def closed() -> None:
        task = asyncio.ensure_future(client.api_credit_async())
        while not server.requests:
            await asyncio.sleep(0.001)
        client.close()
        with pytest.raises(fish_api_credit.Cancelled):
            await task

    asyncio.run(closed())


def test_async_with_closes_as_with_does(server, client_of):
    server.answer = lambda request: (200, WALLET, {})

    async def within() -> None:
        async with client_of() as client:
            assert await client.api_credit_async() == CREDIT
            async with client.watch() as watch:
                async for state in watch:
                    assert state.credit == CREDIT
                    break
            with pytest.raises(ValueError):
                watch.read()
            server.answer = server.silent
            task = asyncio.ensure_future(client.api_credit_async())
            while len(server.requests) < 3:
                await asyncio.sleep(0.001)
        with pytest.raises(fish_api_credit.Cancelled):
            await task
        with pytest.raises(RuntimeError):
            await client.api_credit_async()

    asyncio.run(within())


class NoReaders(asyncio.SelectorEventLoop):
    """Like Windows' default loop."""

    def add_reader(self, *_):
        raise NotImplementedError


@pytest.mark.parametrize("without", ["readers", "descriptors"])
def test_a_loop_that_watches_no_descriptors_is_enough(server, client_of, monkeypatch, without):
    server.answer = lambda request: (200, WALLET, {})
    client = client_of()
    loop = NoReaders() if without == "readers" else asyncio.new_event_loop()
    if without == "descriptors":
        until = _waiting.until
        monkeypatch.setattr(_waiting, "until", lambda ready, descriptor, again: until(ready, -1, again))

    async def both():
        credit = await client.api_credit_async()
        with client.watch() as watch:
            async for state in watch:
                return credit, state.credit

    try:
        assert loop.run_until_complete(both()) == (CREDIT, CREDIT)
    finally:
        loop.close()


def test_a_descriptor_above_1023_is_waited_for(server, client_of):
    resource = pytest.importorskip("resource")
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if hard != resource.RLIM_INFINITY and hard < 2000:
        pytest.skip("too few descriptors")
    before = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (2000, hard))
    server.answer = lambda request: (200, WALLET, {})
    held = [os.open(os.devnull, os.O_RDONLY) for _ in range(1024)]
    try:
        client = client_of()
        with client.watch() as watch:
            assert watch.fileno() > 1023
            assert next(iter(watch)).credit == CREDIT
        assert asyncio.run(client.api_credit_async()) == CREDIT
    finally:
        for one in held:
            os.close(one)
        resource.setrlimit(resource.RLIMIT_NOFILE, before)


def test_a_watch_tells_each_change(server, client_of):
    amounts = ["12", "4", "5.5", "6", "0", "-1"]
    answers = iter(amounts)
    server.answer = lambda request: (200, balance(next(answers)), {"x-fish-trace-id": "t-1"})
    seen = []
    with client_of().watch(low=5, recovered=Decimal("5.9999999"), interval=3600) as watch:
        for state in watch:
            assert state.status == Status.OK and state.error is None and state.failures == 0
            assert state.credit is not None and state.credit.request_id == "t-1"
            assert 0 <= state.age < 60 and state.next_in is not None
            seen.append((str(state.credit.credit), state.level))
            if len(seen) == len(amounts):
                break
            watch.refresh()
        assert watch.read().credit.credit == -1
    low, empty = Level.LOW, Level.EMPTY
    assert seen == [("12", Level.OK), ("4", low), ("5.5", low), ("6", Level.OK), ("0", empty), ("-1", empty)]
    for closed in (watch.read, watch.refresh, watch.fileno):
        with pytest.raises(ValueError, match="closed"):
            closed()
    assert list(watch) == []
    watch.close()


def test_a_failure_keeps_the_credit_and_says_why(server, client_of):
    answers = iter([(200, WALLET, {}), (401, '{"message":"gone"}', {})])
    server.answer = lambda request: next(answers)
    with client_of().watch(interval=3600) as watch:
        states = iter(watch)
        assert next(states).status == Status.OK
        watch.refresh()
        state = next(states)
    assert state.credit == CREDIT and state.status == Status.UNAUTHORIZED and state.failures == 1
    assert isinstance(state.error, fish_api_credit.Unauthorized) and state.error.api_message == "gone"


def test_before_the_first_reading_nothing_is_known(server, client_of):
    server.answer = server.silent
    with client_of().watch() as watch:
        state = watch.read()
        assert (state.credit, state.level, state.status, state.error) == (None, Level.UNKNOWN, Status.PENDING, None)
        assert (state.age, state.changes, state.failures) == (None, 0, 0)


@pytest.mark.parametrize("ender", ["close", "close of its client", "cancel of nothing but its own"])
def test_an_iteration_ends_with_its_watch(server, client_of, ender):
    server.answer = server.silent
    client = client_of(timeout=60)
    watch, other = client.watch(), client.watch()
    ended = []
    thread = threading.Thread(target=lambda: ended.append(list(watch)))
    thread.start()
    server.arrived.acquire()
    server.arrived.acquire()
    start = time.monotonic()
    if ender == "close of its client":
        client.close()
    else:
        watch.close()
        assert other.read().status == Status.PENDING
    thread.join()
    assert ended == [[]] and time.monotonic() - start < PROMPT
    other.close()


def test_a_watch_on_asyncio(server, client_of):
    answers = iter(["3", "2", "1"])
    server.answer = lambda request: (200, balance(next(answers)), {})
    client = client_of()

    async def watched():
        seen = []
        with client.watch(interval=3600) as watch:
            async for state in watch:
                seen.append(str(state.credit.credit))
                if len(seen) == 3:
                    client.close()  # ends the loop
                else:
                    watch.refresh()
        return seen

    assert asyncio.run(watched()) == ["3", "2", "1"]


def test_a_task_that_iterates_can_be_cancelled(server, client_of):
    server.answer = server.silent
    client = client_of(timeout=60)

    async def cancelled() -> None:
        async def watching():
            with client.watch() as watch:
                async for _ in watch:
                    pass

        task = asyncio.ensure_future(watching())
        while not server.requests:
            await asyncio.sleep(0.001)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task

    start = time.monotonic()
    asyncio.run(cancelled())
    assert time.monotonic() - start < PROMPT + 5


def test_a_change_that_another_reader_took_is_not_lost(server, client_of):
    answers = iter(["3", "2"])
    server.answer = lambda request: (200, balance(next(answers)), {})
    with client_of().watch(interval=3600) as watch:
        states = iter(watch)
        next(states)
        watch.refresh()
        while watch.read().changes < 2:
            time.sleep(0.001)
        assert next(states).credit.credit == 2


@pytest.mark.parametrize(
    "options, words",
    [
        ({"interval": 0.5}, "interval is below 1 second"),
        ({"interval": 0}, "interval is not above zero"),
        ({"low": -1}, "low is out of range"),
        ({"low": Decimal("NaN")}, "low is out of range"),
        ({"low": 10**30}, "low is out of range"),
        ({"low": 5, "recovered": 4}, "recovered is below low"),
        ({"user_id": ""}, "^user_id is empty"),
    ],
)
def test_options_of_a_watch_that_are_refused(client_of, options, words):
    with pytest.raises(FishError, match=words) as raised:
        client_of().watch(**options)
    assert raised.value.status == Status.INVALID_ARGUMENT


def test_a_closed_client_starts_nothing(client_of):
    client = client_of()
    client.close()
    with pytest.raises(RuntimeError, match="closed"):
        client.watch()
    with pytest.raises(RuntimeError, match="closed"):
        asyncio.run(client.api_credit_async())


@pytest.mark.skipif(not os.path.isdir("/proc/self/fd"), reason="no /proc")
def test_nothing_is_left_of_calls_and_watches(server, client_of):
    server.answer = lambda request: (200, WALLET, {})
    client = client_of()

    def round() -> None:
        client.api_credit()
        asyncio.run(client.api_credit_async())
        with client.watch() as watch:
            next(iter(watch))

    def open_things() -> int:
        return len(os.listdir("/proc/self/fd"))

    round()
    deadline, least = time.monotonic() + 30, open_things()
    for _ in range(20):
        round()
    # A watch's thread ends within 100 ms, and its connection is another's then.
    while open_things() > least + 2:
        assert time.monotonic() < deadline, os.listdir("/proc/self/fd")
        time.sleep(0.01)
