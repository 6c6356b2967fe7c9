"""A subscriber that drops its connection, comes back, and may be slow; it notes what it gets."""

from __future__ import annotations

import http.client
import json
import threading
from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from random import Random
from typing import Final

from tests.chaos.storm.rest import Json, Rest, Unanswered

# Heartbeats are more frequent by far: who hears nothing for so long goes elsewhere.
_SILENCE_SECONDS: Final = 8.0
_DELTA: Final = "output.message.delta"
_READ_BYTES: Final = 65_536


@dataclass
class Recording:
    """All that one subscriber got, over all its connections.

    Attributes:
        events: sequence, id and type of each persisted event, in order of arrival.
        texts: pieces of text by message, in order of arrival.
        is_complete: whether it was there until the log's end.
    """

    session_id: str
    is_slow: bool
    events: list[tuple[int, str, str]] = field(default_factory=list)
    texts: dict[str, list[str]] = field(default_factory=lambda: defaultdict(list))
    connections: int = 0
    is_complete: bool = False


@dataclass(frozen=True, slots=True)
class _Frame:
    event: str
    id: str | None
    data: Json


class Subscriber:
    """One reader of one session, on a thread of its own.

    It begins with the log's first event and resumes with the newest id that it has.
    """

    def __init__(
        self, session_id: str, ports: Sequence[int], rest: Rest, chance: Random, *, is_slow: bool
    ) -> None:
        self.recording = Recording(session_id, is_slow)
        self._ports = ports
        self._rest = rest
        self._chance = chance
        self._newest_id: str | None = None
        self._news = threading.Condition()
        self._heard: list[Json] = []
        self._is_leaving = threading.Event()
        self._must_end = threading.Event()
        self._thread = threading.Thread(target=self._run, name="subscriber", daemon=True)
        self._thread.start()

    # --- for who talks ---------------------------------------------------------------

    def wait_for(self, is_it: Callable[[Json], bool], *, since: int, seconds: float) -> int | None:
        """Wait for an event among those heard from place `since` on; returns the place after it."""
        with self._news:
            place = since

            def has_come() -> bool:
                nonlocal place
                while place < len(self._heard):
                    place += 1
                    if is_it(self._heard[place - 1]):
                        return True
                return False

            return place if self._news.wait_for(has_come, seconds) else None

    def event_before(self, place: int) -> Json:
        with self._news:
            return self._heard[place - 1]

    def leave(self) -> None:
        """End once the log's end is reached."""
        self._is_leaving.set()

    def end(self, seconds: float) -> None:
        """End within that time, wherever it is."""
        self._thread.join(seconds)
        self._must_end.set()
        self._thread.join(2 * _SILENCE_SECONDS)

    # --- the thread --------------------------------------------------------------------

    def _run(self) -> None:
        while not self._is_over():
            try:
                self._follow()
            except (OSError, http.client.HTTPException, ValueError, Unanswered):
                self._must_end.wait(self._chance.uniform(0.05, 0.3))
        with self._news:
            self._heard.clear()  # whoever waited is gone; a long run has thousands of these

    def _follow(self) -> None:
        query = f"since_id={self._newest_id}" if self._newest_id else "start=all"
        port = self._chance.choice(self._ports)
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=_SILENCE_SECONDS)
        try:
            path = f"/v1/sessions/{self.recording.session_id}/sse?accumulated=false&{query}"
            connection.request("GET", path)
            answer = connection.getresponse()
            if answer.status != http.HTTPStatus.OK:
                self._must_end.wait(self._chance.uniform(0.1, 0.5))
                return
            self.recording.connections += 1
            for frames in _reads(answer):
                # What has arrived is read; a connection breaks after that.
                drops = [self._take(frame) for frame in frames]
                if any(drops) or self._is_over():
                    return
        finally:
            connection.close()

    def _take(self, frame: _Frame) -> bool:
        """Note a frame; whether the connection is dropped now."""
        if frame.event == "disconnecting":
            return True
        if frame.id is None or frame.event == "connected":
            return False
        self._newest_id = frame.id
        if "sequence" in frame.data:
            with self._news:
                self._heard.append(frame.data)
                self.recording.events.append((frame.data["sequence"], frame.id, frame.event))
                self._news.notify_all()
        elif frame.event == _DELTA:
            data = frame.data["data"]
            self.recording.texts[data["message_id"]].append(data["delta"])
        if self.recording.is_slow and self._chance.random() < 0.3:
            self._must_end.wait(self._chance.uniform(0.1, 1.0))
        return self._chance.random() < 0.04

    def _is_over(self) -> bool:
        if self._must_end.is_set():
            return True
        if not self._is_leaving.is_set():
            return False
        newest, _, kind = self.recording.events[-1] if self.recording.events else (0, "", "")
        if kind in ("", "session.idled"):
            left = self._rest.log(self.recording.session_id, after=newest)
            self.recording.is_complete = not left
        return self.recording.is_complete


def _reads(answer: http.client.HTTPResponse) -> Iterator[list[_Frame]]:
    """The whole frames of each read, none for a mere sign of life."""
    buffered = b""
    while piece := answer.read1(_READ_BYTES):
        *whole, buffered = (buffered + piece).split(b"\n\n")
        yield [frame for block in whole if (frame := _parsed(block)) is not None]


def _parsed(block: bytes) -> _Frame | None:
    fields: dict[str, str] = {}
    for line in block.decode().splitlines():
        name, _, value = line.partition(":")
        fields[name] = value.removeprefix(" ")
    if "data" not in fields:
        return None
    data: Json = json.loads(fields["data"])
    return _Frame(fields.get("event", ""), fields.get("id"), data)
