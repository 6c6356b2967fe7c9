"""A small HTTP server that plays prepared answers and keeps what it was sent.

For what the mock server cannot do: thinking, errors in mid-stream, silence before the
first byte.
"""

from __future__ import annotations

import json
import socket
import threading
from collections.abc import Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Self

Event = Mapping[str, Any]

_LONGEST_SILENCE_SECONDS = 60.0
_POLL_SECONDS = 0.02


@dataclass(frozen=True, slots=True)
class Received:
    path: str
    headers: Mapping[str, str]
    body: dict[str, Any]


@dataclass(frozen=True, slots=True)
class Answer:
    """What to send.

    Attributes:
        events: of the stream; with a key `type` it is also the SSE event's name.
        raw: sent as it is, instead of events.
        is_silent: say nothing at all until the client has gone.
        hangs: after the events, say nothing more until the client has gone.
    """

    events: tuple[Event, ...] = ()
    status: int = 200
    headers: Mapping[str, str] = field(default_factory=dict)
    raw: bytes | None = None
    is_silent: bool = False
    hangs: bool = False


class Playback:
    """Plays one answer a request, in order; the last one again and again."""

    def __init__(self, port: int) -> None:
        self.received: list[Received] = []
        self.connections = 0
        self.client_left = threading.Event()
        self.is_answered = threading.Event()  # as far as it ever will be
        self._answers: list[Answer] = []
        self._is_over = threading.Event()
        self._sockets: list[socket.socket] = []
        self._server = ThreadingHTTPServer(("127.0.0.1", port), self._handler())
        self._server.daemon_threads = True
        self._thread = threading.Thread(
            target=self._server.serve_forever, args=(_POLL_SECONDS,), daemon=True
        )

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._server.server_port}"

    def plays(self, *answers: Answer) -> None:
        self._answers = list(answers)

    def plays_events(self, *events: Event) -> None:
        self.plays(Answer(events))

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._is_over.set()
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()
        # Another server may get this port, and clients keep their connections.
        for each in self._sockets:
            with suppress(OSError):
                each.shutdown(socket.SHUT_RDWR)

    def _next(self) -> Answer:
        return self._answers.pop(0) if len(self._answers) > 1 else self._answers[0]

    def _wait_until_left(self, connection: socket.socket) -> None:
        connection.settimeout(_LONGEST_SILENCE_SECONDS)
        try:
            data = connection.recv(1)
        except OSError:
            data = b""
        if not data:
            self.client_left.set()

    def _handler(self) -> type[BaseHTTPRequestHandler]:
        playback = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def setup(self) -> None:
                super().setup()
                playback.connections += 1
                playback._sockets.append(self.connection)

            def handle(self) -> None:
                # Who has heard enough hangs up.
                with suppress(ConnectionError):
                    super().handle()

            def do_POST(self) -> None:
                length = int(self.headers["content-length"])
                body = json.loads(self.rfile.read(length))
                headers = {name.lower(): value for name, value in self.headers.items()}
                playback.received.append(Received(self.path, headers, body))
                answer = playback._next()
                if not answer.is_silent:
                    self._send(answer)
                playback.is_answered.set()
                if answer.is_silent or answer.hangs:
                    playback._wait_until_left(self.connection)
                    self.close_connection = True

            def _send(self, answer: Answer) -> None:
                is_stream = answer.raw is None
                self.send_response(answer.status)
                kind = "text/event-stream" if is_stream else "application/json"
                self.send_header("content-type", kind)
                for name, value in answer.headers.items():
                    self.send_header(name, value)
                if is_stream:
                    self.send_header("transfer-encoding", "chunked")
                else:
                    self.send_header("content-length", str(len(answer.raw or b"")))
                self.end_headers()
                if not is_stream:
                    self.wfile.write(answer.raw or b"")
                    return
                for piece in _frames(answer.events):
                    self.wfile.write(f"{len(piece):x}\r\n".encode() + piece + b"\r\n")
                    self.wfile.flush()
                if not answer.hangs:
                    self.wfile.write(b"0\r\n\r\n")

            def log_message(self, *_: object) -> None:
                pass

        return Handler


def _frames(events: Iterable[Event]) -> Iterable[bytes]:
    for event in events:
        name = f"event: {event['type']}\n" if "type" in event else ""
        yield f"{name}data: {json.dumps(event)}\n\n".encode()


def error_answer(status: int, body: Mapping[str, Any], **headers: str) -> Answer:
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return Answer(status=status, raw=json.dumps(body).encode(), headers=named)
