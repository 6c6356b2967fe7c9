"""A real web server on this machine, and the tool that is to reach it or not."""

import gzip
import json
import threading
import zlib
from collections.abc import Iterator, Mapping
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import unquote
from uuid import UUID

import pytest

from common.domain.outbound import PrivateTargets
from common.settings import Settings
from tests.fakes.services import unconnected_services
from worker.capabilities.capability import (
    Tool,
    ToolContext,
    ToolFailed,
    ToolSucceeded,
)
from worker.capabilities.services import Services
from worker.capabilities.web_fetch.tool import capability

PAGE = (
    "<html><head><title>T</title><script>evil()</script></head>"
    "<body><h1>Größe</h1><p>It is <b>big</b>.</p></body></html>"
)


class Site(ThreadingHTTPServer):
    """Answers by path; remembers who asked for what."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.seen: list[tuple[str, str, dict[str, str], bytes]] = []
        self.release = threading.Event()
        self.began = threading.Event()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_port}"

    def paths(self) -> list[str]:
        return [path for _, path, _, _ in self.seen]


class _Handler(BaseHTTPRequestHandler):
    server: Site
    protocol_version = "HTTP/1.1"

    def log_message(self, *_: object) -> None:
        pass

    def do_GET(self) -> None:
        self._answer()

    def do_HEAD(self) -> None:
        self._answer()

    def do_POST(self) -> None:
        self._answer()

    def _answer(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        self.server.seen.append((self.command, self.path, dict(self.headers), body))
        name = self.path.split("?")[0].strip("/").replace("-", "_")
        try:
            getattr(self, f"show_{name}", self.show_missing)(body)
        except (BrokenPipeError, ConnectionResetError):
            self.close_connection = True

    def _send(
        self, body: bytes, kind: str = "text/plain", status: int = 200, **headers: str
    ) -> None:
        self.send_response(status)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(body)))
        for name, value in headers.items():
            self.send_header(name.replace("_", "-"), value)
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)

    def show_missing(self, _body: bytes) -> None:
        self._send(b"no such page", status=404)

    def show_text(self, _body: bytes) -> None:
        self._send(
            b"hello",
            Last_Modified="Mon, 02 Mar 2026 10:00:00 GMT",
            Content_Disposition='attachment; filename="../a.txt"',
        )

    def show_page(self, _body: bytes) -> None:
        self._send(PAGE.encode(), "text/html; charset=utf-8")

    def show_latin(self, _body: bytes) -> None:
        self._send("Größe".encode("latin-1"), "text/plain; charset=ISO-8859-1")

    def show_meta(self, _body: bytes) -> None:
        page = '<meta charset="windows-1252"><p>Größe</p>'
        self._send(page.encode("cp1252"), "text/html")

    def show_odd_charset(self, _body: bytes) -> None:
        self._send(b"hello", "text/plain; charset=unicode_escape")

    def show_binary(self, _body: bytes) -> None:
        self._send(bytes(range(256)), "image/png")

    def show_unnamed(self, _body: bytes) -> None:
        self._send(b"\0\1\2", "")

    def show_huge(self, _body: bytes) -> None:
        self._send(b"x" * 3_000_000)

    def show_many(self, _body: bytes) -> None:
        sign, _, number = unquote(self.path.partition("?")[2]).rpartition("*")
        self._send((sign * int(number)).encode(), "text/plain; charset=utf-8")

    def show_bomb(self, _body: bytes) -> None:
        packed = gzip.compress(b"\0" * 50_000_000)
        self._send(packed, Content_Encoding="gzip")

    def show_gzip(self, _body: bytes) -> None:
        self._send(gzip.compress(b"packed"), Content_Encoding="gzip")

    def show_deflate(self, _body: bytes) -> None:
        self._send(zlib.compress(b"packed")[2:-4], Content_Encoding="deflate")

    def show_brotli(self, _body: bytes) -> None:
        self._send(b"whatever", Content_Encoding="br")

    def show_broken_gzip(self, _body: bytes) -> None:
        self._send(b"not gzip at all", Content_Encoding="gzip")

    def show_silent(self, _body: bytes) -> None:
        self.server.began.set()
        self.server.release.wait(60)
        self.close_connection = True

    def show_slow(self, _body: bytes) -> None:
        self.send_response(200)
        self.send_header("Content-Type", "text/plain")
        self.send_header("Content-Length", "1000")
        self.end_headers()
        self.wfile.write(b"first part")
        self.wfile.flush()
        self.server.began.set()
        self.server.release.wait(60)
        self.close_connection = True

    def show_cut(self, _body: bytes) -> None:
        self.send_response(200)
        self.send_header("Content-Type", "text/plain")
        self.send_header("Content-Length", "1000")
        self.end_headers()
        self.wfile.write(b"first part")
        self.close_connection = True

    def show_to(self, _body: bytes) -> None:
        self._send(b"", status=302, Location=self.path.partition("?")[2])

    def show_to_same_method(self, _body: bytes) -> None:
        self._send(b"", status=307, Location=self.path.partition("?")[2])

    def show_circle(self, _body: bytes) -> None:
        self._send(b"", status=302, Location="/circle")

    def show_echo(self, body: bytes) -> None:
        sent = {"method": self.command, "body": body.decode(), "headers": dict(self.headers)}
        self._send(json.dumps(sent).encode(), "application/json")


@pytest.fixture
def site() -> Iterator[Site]:
    """The server that tests may reach, if the operator allows it."""
    server = Site()
    thread = threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True)
    thread.start()
    yield server
    server.release.set()
    server.shutdown()
    server.server_close()
    thread.join()


@pytest.fixture
def secret_site(site: Site) -> Iterator[Site]:
    """Another server, which nothing may reach: `site` is at 127.0.0.1, this at 127.0.0.2."""
    del site
    server = Site.__new__(Site)
    ThreadingHTTPServer.__init__(server, ("127.0.0.2", 0), _Handler)
    server.seen, server.release, server.began = [], threading.Event(), threading.Event()
    thread = threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True)
    thread.start()
    yield server
    server.release.set()
    server.shutdown()
    server.server_close()
    thread.join()


def services(allow_private: str) -> Services:
    made = unconnected_services()
    settings = Settings.from_env(
        {
            "DATABASE_URL": made.settings.database_url,
            "REDIS_URL": made.settings.redis_url,
            "OUTBOUND_ALLOW_PRIVATE": allow_private,
        }
    )
    assert isinstance(settings.outbound_allow_private, PrivateTargets)
    return Services(now=made.now, settings=settings, database=made.database, secrets=made.secrets)


def tool(allow_private: str = "127.0.0.1") -> Tool:
    (found,) = capability(services(allow_private)).tools
    return found


def context(**other: Any) -> ToolContext:
    given: dict[str, Any] = {
        "organization_id": UUID(int=1),
        "session_id": UUID(int=2),
        "workspace_id": UUID(int=2),
        "turn_id": UUID(int=3),
        "tool_call_id": "call-1",
        "idempotency_key": "key-1",
        "timeout_seconds": 60.0,
        **other,
    }
    return ToolContext(**given)


def fetched(url: str, **arguments: Any) -> Mapping[str, Any]:
    outcome = tool().run({"url": url, **arguments}, context())
    assert isinstance(outcome, ToolSucceeded), outcome
    result: Mapping[str, Any] = outcome.result
    return result


def refused(url: str, *, allow_private: str = "127.0.0.1", **arguments: Any) -> str:
    outcome = tool(allow_private).run({"url": url, **arguments}, context())
    assert isinstance(outcome, ToolFailed), outcome
    return outcome.message
