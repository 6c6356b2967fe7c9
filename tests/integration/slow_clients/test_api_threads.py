"""The api's server under clients that send and read as slowly as they can."""

import http.client
import json
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, suppress
from dataclasses import dataclass
from pathlib import Path

import psutil
import pytest

from dev.paths import ROOT
from dev.services import free_test_port
from tests.conditions import wait_until
from tests.fakes.impatient_server import LARGE

_THREADS = 4
_SLOW_CLIENTS = 8
_GROWTH_BYTES = 16 * 1024 * 1024


@dataclass
class Served:
    port: int
    process: psutil.Process

    @property
    def worker(self) -> psutil.Process:
        (worker,) = self.process.children()
        return worker

    def say(self, raw: bytes) -> socket.socket:
        connection = socket.create_connection(("127.0.0.1", self.port), timeout=10)
        connection.sendall(raw)
        return connection

    @property
    def connections(self) -> int:
        """How many the worker has open."""
        found = self.worker.net_connections("tcp")
        return sum(each.status == psutil.CONN_ESTABLISHED for each in found)

    def ask(self, body: bytes = b"") -> bytes:
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=10)
        connection.request("POST", "/", body)
        answer = connection.getresponse().read()
        connection.close()
        return answer


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    port = free_test_port()
    log = tmp_path_factory.mktemp("gunicorn") / "log"
    with log.open("wb") as output:
        process = subprocess.Popen(  # noqa: S603 - our own program
            [
                *(sys.executable, "-m", "gunicorn", "--bind", f"127.0.0.1:{port}"),
                *("--worker-class", "tests.fakes.impatient_server.ImpatientWorker"),
                *("--threads", str(_THREADS), "--no-control-socket", "--no-sendfile"),
                "tests.fakes.impatient_server:app",
            ],
            cwd=ROOT,
            stdout=output,
            stderr=output,
        )
    server = Served(port, psutil.Process(process.pid))

    def is_up() -> bool:
        with suppress(OSError):
            return server.ask() == b"0"
        return False

    try:
        wait_until(is_up, description=f"gunicorn is up: {Path(log)}", timeout_seconds=30)
        yield server
    finally:
        process.terminate()
        process.wait(20)
    assert b"Traceback" not in log.read_bytes()


def _is_over(connection: socket.socket) -> bool:
    """Whether the server has hung up; reads nothing else."""
    connection.setblocking(False)  # noqa: FBT003 - a socket's own
    try:
        return connection.recv(1, socket.MSG_PEEK) == b""
    except BlockingIOError:
        return False
    except OSError:
        return True


_SLOW: dict[str, bytes] = {
    "head": b"POST / HTTP/1.1\r\nHost: a\r\nX-A: ",
    "body": b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 1000000\r\n\r\n",
    "chunks": b"POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\nffff\r\n",
    "trailer": b"POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n0\r\nX-A: ",
}


@pytest.mark.parametrize("begin", _SLOW.values(), ids=_SLOW)
@pytest.mark.parametrize("drip", [b"", b"x"], ids=["silent", "dripping"])
def test_who_sends_slowly_keeps_nobody_from_being_served(
    served: Served, begin: bytes, drip: bytes
) -> None:
    before = served.worker.memory_info().rss
    with ExitStack() as opened:
        slow = [opened.enter_context(served.say(begin)) for _ in range(_SLOW_CLIENTS)]

        def all_over() -> bool:
            for connection in slow:
                if drip and not _is_over(connection):
                    with suppress(OSError):
                        connection.send(drip)
            return all(map(_is_over, slow))

        assert served.ask(b"x" * 100_000) == b"100000"
        wait_until(all_over, description="the slow ones are hung up on", timeout_seconds=30)
    assert served.worker.memory_info().rss - before < _GROWTH_BYTES


def test_who_reads_slowly_keeps_nobody_from_being_served(served: Served) -> None:
    before = served.worker.memory_info().rss
    with ExitStack() as opened:
        slow = [
            opened.enter_context(served.say(b"GET /large HTTP/1.1\r\nHost: a\r\n\r\n"))
            for _ in range(2 * _THREADS)
        ]
        assert served.ask() == b"0"
        assert served.worker.memory_info().rss - before < _GROWTH_BYTES
        wait_until(
            lambda: served.connections == 0,
            description="the slow ones are given up",
            timeout_seconds=30,
        )
        assert len(slow) == 2 * _THREADS


def test_who_does_not_leave_holds_up_nobody_else(served: Served) -> None:
    """An answered client that keeps its end open is parted from on its own thread."""
    began = time.monotonic()
    with ExitStack() as opened:
        for _ in range(_THREADS - 1):
            stays = opened.enter_context(served.say(b"POST / HTTP/1.0\r\n\r\n"))
            assert stays.recv(4096).startswith(b"HTTP/1.0 200")
        for _ in range(5):
            assert served.ask() == b"0"
    assert time.monotonic() - began < 4  # gunicorn itself takes six


def _drained(receive: Callable[[int], bytes]) -> int:
    size = 0
    with suppress(OSError):
        while data := receive(1024 * 1024):
            size += len(data)
    return size


@pytest.mark.parametrize(
    ("raw", "status"),
    [
        (b"planted\r\n\r\n", 400),
        (b"GET / HTTP/9.9\r\n\r\n", 400),
        (b"GET / HTTP/1.1\r\nHost : planted\r\n\r\n", 400),
        (b"GET / HTTP/1.1\r\nX: planted\x00\r\n\r\n", 400),
        (b"GET / HTTP/1.1\r\nTransfer-Encoding: planted\r\n\r\n", 400),
        (b"GET /" + b"planted" * 2000 + b" HTTP/1.1\r\n\r\n", 414),
        (b"GET / HTTP/1.1\r\nX: " + b"planted" * 2000 + b"\r\n\r\n", 431),
        (b"GET / HTTP/1.1\r\n" + b"X: planted\r\n" * 200 + b"\r\n", 431),
    ],
    ids=["words", "version", "name", "nul", "coding", "line", "header", "headers"],
)
def test_what_is_no_request_is_refused_in_the_envelope_and_not_repeated(
    served: Served, raw: bytes, status: int
) -> None:
    with served.say(raw) as connection:
        answer = http.client.HTTPResponse(connection)
        answer.begin()
        body = json.loads(answer.read())

    assert (answer.status, body["status"]) == (status, status)
    assert body["error"] == body["message"]
    assert answer.headers["X-Content-Type-Options"] == "nosniff"
    assert "planted" not in str(body)


def test_connections_without_a_word_hold_no_thread(served: Served) -> None:
    with ExitStack() as opened:
        for _ in range(_SLOW_CLIENTS):
            opened.enter_context(served.say(b""))
        for _ in range(2 * _THREADS):
            assert served.ask(b"x") == b"1"


def test_who_keeps_the_pace_is_served_however_large(served: Served) -> None:
    body = b"x" * (4 * 1024 * 1024)
    assert served.ask(body) == str(len(body)).encode()
    with served.say(b"GET /large HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n") as connection:
        connection.settimeout(10)
        assert _drained(connection.recv) > LARGE
