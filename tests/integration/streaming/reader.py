"""A client of a stream, over a plain socket: no reconnecting, no cleverness."""

import http.client
import json
import socket
import threading
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from typing import Any, Self
from urllib.parse import urlencode

from tests.conditions import wait_until


@dataclass(frozen=True)
class Frame:
    """One server-sent event; a comment has only `comment`."""

    event: str = ""
    id: str = ""
    retry: str = ""
    data: str = ""
    comment: str = ""

    @property
    def body(self) -> dict[str, Any]:
        parsed: dict[str, Any] = json.loads(self.data)
        return parsed

    @property
    def is_event(self) -> bool:
        return self.event not in ("", "connected", "disconnecting")


class Reader:
    """Reads frames in the background until closed by either side."""

    def __init__(
        self,
        port: int,
        path: str,
        headers: Mapping[str, str] | None = None,
        **query: Any,
    ) -> None:
        self.frames: list[Frame] = []
        self.is_ended = False
        self._connection = http.client.HTTPConnection("127.0.0.1", port, timeout=30)
        url = path + ("?" + urlencode(query, doseq=True) if query else "")
        self._connection.request("GET", url, headers=dict(headers or {}))
        assert self._connection.sock is not None
        self._socket: socket.socket = self._connection.sock
        self.response = self._connection.getresponse()
        self.status = self.response.status
        self.body = b""
        if self.status != http.HTTPStatus.OK:
            self.body = self.response.read()
            self._connection.close()
            return
        self._thread = threading.Thread(target=self._read, daemon=True)
        self._thread.start()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    @property
    def error(self) -> dict[str, Any]:
        parsed: dict[str, Any] = json.loads(self.body)
        return parsed

    @property
    def events(self) -> list[dict[str, Any]]:
        return [frame.body for frame in list(self.frames) if frame.is_event]

    @property
    def sequences(self) -> list[int]:
        return [event["sequence"] for event in self.events if "sequence" in event]

    @property
    def types(self) -> list[str]:
        return [event["type"] for event in self.events]

    @property
    def deltas(self) -> list[str]:
        return [event["data"]["delta"] for event in self.events if "sequence" not in event]

    @property
    def text(self) -> str:
        return "".join(self.deltas)

    def wait(self, predicate: Callable[[Self], Any], description: str) -> Self:
        def holds() -> bool:
            return bool(predicate(self))

        try:
            wait_until(holds, description=description)
        except AssertionError as vain:
            seen = [(each.event or each.comment, each.data[:120]) for each in self.frames[-12:]]
            raise AssertionError(f"{vain}; the last frames: {seen}") from vain
        return self

    def wait_for(self, event_type: str, *, times: int = 1) -> Self:
        return self.wait(lambda it: it.types.count(event_type) >= times, f"{event_type} arrives")

    def wait_for_text(self, text: str) -> Self:
        return self.wait(lambda it: it.text == text, f"the text is {text!r}")

    def wait_open(self) -> Self:
        return self.wait(lambda it: it.frames, "the stream is open")

    def wait_end(self) -> Self:
        return self.wait(lambda it: it.is_ended, "the server closes the stream")

    def close(self) -> None:
        """Go away as a client does that has what it wanted."""
        with suppress(OSError):
            self._socket.shutdown(socket.SHUT_RDWR)
        self._connection.close()

    def _read(self) -> None:
        fields: dict[str, str] = {}
        with suppress(OSError, http.client.HTTPException, ValueError, AttributeError):
            while line := self.response.readline():
                stripped = line.decode().rstrip("\n")
                if stripped:
                    name, _, value = stripped.partition(":")
                    fields[name or "comment"] = value.removeprefix(" ")
                elif fields:
                    self.frames.append(Frame(**fields))
                    fields = {}
        self.is_ended = True
