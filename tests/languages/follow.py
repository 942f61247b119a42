"""Runs what docs/python.md has beside its program: `balance`, or `follow` until the input ends."""

import asyncio
import os
import sys

import page
from fish_api_credit import Client


async def main(name):
    with Client(base_url=os.environ["FISH_BASE_URL"]) as client:
        if name == "balance":
            print(await page.balance(client))
            return
        following = asyncio.create_task(page.follow(client))
        ended = asyncio.create_task(asyncio.to_thread(sys.stdin.read))
        await asyncio.wait([following, ended], return_when=asyncio.FIRST_COMPLETED)
        following.cancel()
        try:
            await following
        except asyncio.CancelledError:
            pass


asyncio.run(main(sys.argv[1]))
