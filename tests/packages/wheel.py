"""What a user does with the installed wheel, against the sandbox; given the version that it should have."""

import asyncio
import os
import sys
from decimal import Decimal
from pathlib import Path

import fish_api_credit
from fish_api_credit import Client, Level, Unauthorized, parse_credit
from fish_api_credit._library import library

url = os.environ["FISH_BASE_URL"]
assert fish_api_credit.__version__ == sys.argv[1], fish_api_credit.__version__
folder = Path(fish_api_credit.__file__).parent
assert Path(library()._name).parent == folder, library()._name
# What is mapped is that file: no other of its name.
maps = Path("/proc/self/maps").read_text() if "--emulated" not in sys.argv else library()._name
mapped = {line.split()[-1] for line in maps.splitlines() if "fish_api_credit" in line}
assert mapped == {library()._name}, mapped

with Client(base_url=url) as client:
    credit = client.api_credit()
    assert credit.credit == Decimal("12.345678") and credit.credit_micros == 12_345_678, credit
    document = client.api_credit_json()
    assert document.startswith('{"_id":') and parse_credit(document) == credit, document
    try:
        Client("another", base_url=url).api_credit()
        raise AssertionError("a wrong key was accepted")
    except Unauthorized as error:
        assert error.http_status == 401, error


async def awaited() -> None:
    async with Client(base_url=url) as client:
        assert await client.api_credit_async() == credit
        async with client.watch(interval=60, low=20) as watch:
            async for state in watch:
                assert state.credit == credit and state.level == Level.LOW, state
                break


asyncio.run(awaited())
print(f"Python {sys.version.split()[0]}: {credit.credit}, by {library()._name}")
