"""A scripted loopback server, and clients of it."""

from __future__ import annotations

import os
import sys
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Callable, Dict, Iterator, List, Tuple

import pytest

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from fish_api_credit import Client  # noqa: E402

Answer = Tuple[int, str, Dict[str, str]]


class Server(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 512

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.requests: "List[BaseHTTPRequestHandler]" = []
        #: One release for each request that arrived.
        self.arrived = threading.Semaphore(0)
        #: What a silent answer waits for: the end of the test.
        self.over = threading.Event()
        self.answer: Callable[[BaseHTTPRequestHandler], Answer] = lambda request: (500, "unscripted", {})

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_port}"

    def silent(self, request: BaseHTTPRequestHandler) -> Answer:
        self.over.wait()
        return (500, "", {})

    def handle_error(self, request: object, client_address: object) -> None:
        pass  # a client that was cancelled hangs up


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: Server

    def do_GET(self) -> None:
        self.server.requests.append(self)
        self.server.arrived.release()
        status, body, headers = self.server.answer(self)
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(body.encode())))
        self.end_headers()
        self.wfile.write(body.encode())

    def log_message(self, format: str, *args: object) -> None:
        pass


@pytest.fixture
def server() -> Iterator[Server]:
    with Server() as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        yield server
        server.over.set()
        server.shutdown()
        thread.join()


@pytest.fixture
def client_of(server: Server) -> Iterator[Callable[..., Client]]:
    made: List[Client] = []

    def make(**options: object) -> Client:
        made.append(Client("sk-test", base_url=server.url, **options))  # type: ignore[arg-type]
        return made[-1]

    yield make
    for client in made:
        client.close()


def needs(what: str, found: object) -> None:
    """Skips where a tool is missing; fails instead where CI promises it."""
    if not found:
        if os.environ.get("FISH_CI"):
            pytest.fail(f"FISH_CI is set, and there is no {what}")
        pytest.skip(f"no {what}")
