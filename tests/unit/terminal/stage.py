"""A server of a few lines that says what it is told to, and notes what it was asked."""

import json
from collections.abc import Iterator
from typing import Any

import httpx

from common.terminal.server import Server

Json = dict[str, Any]
SESSION = "session_1"


def frame(kind: str, data: object, event_id: str = "") -> bytes:
    name = f"id: {event_id}\n" if event_id else ""
    return f"{name}event: {kind}\ndata: {json.dumps(data)}\n\n".encode()


CONNECTED = frame("connected", {"status": "connected"})


def event(number: int, kind: str, **data: object) -> Json:
    return {
        "id": f"e{number}",
        "type": kind,
        "ts": "2026-03-01T12:00:00.000Z",
        "sequence": number,
        "data": data,
    }


def framed(*events: Json) -> bytes:
    return b"".join(frame(each["type"], each, each["id"]) for each in events)


class Breaks(httpx.SyncByteStream):
    """A body that ends in the middle, as a connection does that breaks."""

    def __init__(self, body: bytes) -> None:
        self.body = body

    def __iter__(self) -> Iterator[bytes]:
        yield self.body
        raise httpx.ReadError("cut")


Answer = httpx.Response | httpx.TransportError


def stream(*events: Json, is_cut: bool = False, after: str | None = None) -> httpx.Response:
    body = CONNECTED + framed(*events)
    headers = {"content-type": "text/event-stream"}
    if after is not None:
        headers["x-after-sequence"] = after
    if is_cut:
        return httpx.Response(200, headers=headers, stream=Breaks(body))
    return httpx.Response(200, headers=headers, content=body)


def refusal(status: int, message: str) -> httpx.Response:
    return httpx.Response(status, json={"message": message, "status": status})


class Stage:
    """Answers from lists: of streams in their order, of everything else by path."""

    def __init__(self, *streams: Answer, **answers: Json | list[Answer]) -> None:
        self.streams = list(streams)
        self.answers = answers
        self.asked: list[Json] = []
        self.posted: list[tuple[str, Json]] = []
        self.pauses: list[float] = []
        self.requests: list[httpx.Request] = []
        self.server = Server(
            "http://there",
            api_key="evr_x",
            transport=httpx.MockTransport(self.answer),
            pause=self.pauses.append,
        )

    def answer(self, request: httpx.Request) -> httpx.Response:
        self.requests.append(request)
        name = request.url.path.rpartition("/")[2].replace("-", "_")
        if name == "sse":
            self.asked.append(dict(request.url.params))
            answer: Any = self.streams.pop(0)
        else:
            if request.method == "POST":
                self.posted.append((name, json.loads(request.content)))
            answer = self.answers.get(name, {})
        if isinstance(answer, list):
            answer = answer.pop(0)
        if isinstance(answer, httpx.TransportError):
            raise answer
        return answer if isinstance(answer, httpx.Response) else httpx.Response(200, json=answer)
