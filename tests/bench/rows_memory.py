"""Rows of memory: what a stream that is quiet costs, and a turn that waits for its provider."""

from __future__ import annotations

import asyncio
import time
from contextlib import closing
from typing import Any, Final

import redis

from common.domain.ids import Kind, parse_id
from common.live import live_channel
from tests.bench.data import multiply_sessions
from tests.bench.figures import Figure, Row, Target
from tests.bench.http_client import Connection, request_bytes
from tests.bench.rows_relay import in_slices
from tests.bench.site import Site
from tests.bench.sse_client import Arrivals, Counter, stream_request
from tests.bench.talking import CREATED, Speaker, close_all, message, speakers

_KILOBYTE: Final = 1024
_SUBSCRIBERS: Final = 10_000
_WARM_STREAMS: Final = 200
_WAITING: Final = 1_000
_PROVIDER_SECONDS: Final = 30
_ANSWER_BYTES: Final = 100 * _KILOBYTE
_PACED_TOKENS: Final = 12_500
_BYTES_ROUNDS: Final = 3


async def measure_idle_streams(site: Site, costs: dict[str, Any]) -> list[Row]:
    """Quiet subscribers, each of a session of its own, in one stream process."""
    number = int(_SUBSCRIBERS * site.scale)
    with site.only("api", "stream"):
        (template,) = await site.open_sessions(1)
        ids = multiply_sessions(site, template, number + _WARM_STREAMS)
        arrivals = Arrivals()
        counters = [Counter(stream_request(each, start="live"), arrivals) for each in ids]
        port = site.parts["stream"].port
        await in_slices([lambda c=c: Counter.open(port, c) for c in counters[:_WARM_STREAMS]])  # type: ignore[misc]  # bound now
        await asyncio.sleep(2)
        before, began = site.memory("stream"), time.monotonic()
        await in_slices([lambda c=c: Counter.open(port, c) for c in counters[_WARM_STREAMS:]])  # type: ignore[misc]  # bound now
        opened = time.monotonic() - began
        await asyncio.sleep(5)
        each = (site.memory("stream") - before) / number / _KILOBYTE
        used, began = site.cpu()["stream"], time.monotonic()
        await asyncio.sleep(10)
        share = (site.cpu()["stream"] - used) / (time.monotonic() - began) * 100
        lost = sum(counter.is_lost for counter in counters)
        for counter in counters:
            counter.close()
    costs["quiet streams"] = {
        "opened a second": round(number / opened),
        "share of a core, %": round(share, 1),
    }
    return [
        Row(
            "quiet subscribers in one stream process",
            Figure.of("", [len(counters) - lost]),
            target=Target.at_least(number),
            note=f"of {len(counters)}",
        ),
        Row(
            "memory of a quiet subscriber",
            Figure.of("KB", [each]),
            target=Target.at_most(15),
        ),
    ]


async def measure_waiting_turns(site: Site, costs: dict[str, Any]) -> list[Row]:
    """Turns whose model says nothing for half a minute, in one worker process."""
    number = int(_WAITING * site.scale)
    body = message(first_token_delay_ms=_PROVIDER_SECONDS * 1000)
    with site.only("api", "stream", "worker", WORKER_THREADS=str(_WAITING + 100)):
        users = await speakers(site, 4, message())
        ids = await site.open_sessions(number)
        await asyncio.sleep(1)
        before, began = site.memory("worker"), time.monotonic()
        await _post_to(site, ids, body)
        most = await _most_running(site, number, until=began + _PROVIDER_SECONDS)
        took = time.monotonic() - began
        each = (site.memory("worker") - before) / max(most, 1) / _KILOBYTE
        alone = await users[0].turn(time.monotonic())
        await site.settled(_PROVIDER_SECONDS * 3)
        close_all(users)
    costs["waiting turns"] = {
        "all waiting after, s": round(took, 1),
        "another turn meanwhile, ms": round(alone.idled * 1000, 1),
    }
    return [
        Row(
            "turns waiting on a provider in one worker process",
            Figure.of("", [most]),
            target=Target.at_least(number),
        ),
        Row("memory of a waiting turn", Figure.of("KB", [each]), target=Target.at_most(100)),
    ]


async def _post_to(site: Site, ids: list[str], body: object) -> None:
    connection = await Connection.open(site.parts["api"].port)
    with closing(connection):
        for each in ids:
            path = f"/v1/sessions/{each}/messages"
            answer = await connection.ask(request_bytes("POST", path, body))
            if answer.status != CREATED:
                raise ConnectionError(str(answer.status))


async def _most_running(site: Site, number: int, *, until: float) -> int:
    """How many turns were seen running at once."""
    most = 0
    while most < number and time.monotonic() < until:
        found = site.execute("SELECT count(*) FROM turns WHERE status = 'running'")
        most = max(most, int(found[0][0]))
        await asyncio.sleep(0.2)
    return most


async def measure_bytes(site: Site, costs: dict[str, Any]) -> list[Row]:
    """What Redis takes in and gives out for the text of a long answer as it is written."""
    lorem = {"type": "fixed", "text": "word " * (_ANSWER_BYTES // 5)}
    short = message(response={"type": "fixed", "text": "word"})
    long = message(response=lorem, tokens_per_second=_PACED_TOKENS)
    ids = await site.open_sessions(2)
    taken_in, given_out = [], []
    with closing(redis.Redis.from_url(site.cache.url, protocol=2)) as client:
        for _ in range(_BYTES_ROUNDS):
            quiet = await _bytes_of_turn(site, client, ids[0], short)
            loud = await _bytes_of_turn(site, client, ids[1], long)
            # What is left when events and all that goes on anyway are taken away.
            taken_in.append((loud.taken - loud.events - quiet.taken + quiet.events) / _ANSWER_BYTES)
            given_out.append(loud.deltas / _ANSWER_BYTES)
            costs["frames of text of a 100 KB answer"] = loud.frames
    return [
        Row(
            "delta bytes into Redis for an answer of 100 KB",
            Figure.of("of the answer", taken_in),
            target=Target.at_most(1.5),
        ),
        Row(
            "delta bytes from Redis to each stream process",
            Figure.of("of the answer", given_out),
            target=Target.at_most(1.5),
        ),
    ]


class _Bytes:
    """Of one turn: taken in by Redis, and of what was published the events and the text."""

    def __init__(self) -> None:
        self.taken = self.events = self.deltas = self.frames = 0


async def _bytes_of_turn(site: Site, client: redis.Redis, session_id: str, body: object) -> _Bytes:
    found = _Bytes()
    pubsub = client.pubsub()  # type: ignore[no-untyped-call]  # redis-py's
    pubsub.ssubscribe(live_channel(parse_id(Kind.SESSION, session_id)))
    pubsub.get_message(timeout=1)
    user = await Speaker.open(site, session_id, body)
    before = int(client.info("stats")["total_net_input_bytes"])
    await user.turn(time.monotonic())
    found.taken = int(client.info("stats")["total_net_input_bytes"]) - before
    user.close()
    while (published := pubsub.get_sharded_message(timeout=0.3)) is not None:
        data = published["data"]
        if published["type"] != "smessage":
            continue
        if data.startswith(b"D"):
            found.deltas += len(data)
            found.frames += 1
        else:
            found.events += len(data)
    pubsub.close()
    return found
