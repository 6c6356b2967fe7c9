"""What metrics, logs and traces cost a turn in processor time, in blocks that take turns.

Run it with `python3 dev.py test tests/bench`; it prints what it measures.
"""

import logging
import statistics
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import TextIO

import pytest
import structlog
from prometheus_client import CollectorRegistry
from structlog.typing import EventDict

from api.metrics import ApiMetrics
from tests.fakes.otlp import collecting
from tests.integration.worker.conftest import World, make_world, new_session
from worker.bootstrap import Worker
from worker.turn.witness import NoWitness

_BLOCKS, _TURNS = 24, 20
_MOST_PERCENT = 5.0
_CALLS = 20_000


@pytest.fixture
def world(database_url: str, redis_url: str, tmp_path: Path) -> Iterator[World]:
    with make_world(database_url, redis_url, tmp_path) as made:
        yield made


class Logs:
    """Lines as in production, written to nowhere while `is_on`; configured once, as there."""

    def __init__(self, sink: TextIO) -> None:
        self.is_on = True
        structlog.configure(
            processors=[
                self._gate,
                structlog.contextvars.merge_contextvars,
                structlog.processors.add_log_level,
                structlog.processors.TimeStamper(fmt="iso", utc=True),
                structlog.processors.JSONRenderer(),
            ],
            wrapper_class=structlog.make_filtering_bound_logger(logging.INFO),
            logger_factory=structlog.PrintLoggerFactory(sink),
            cache_logger_on_first_use=True,
        )

    def _gate(self, _logger: object, _method: str, event: EventDict) -> EventDict:
        if not self.is_on:
            raise structlog.DropEvent
        return event


@pytest.fixture(scope="module")
def logs() -> Iterator[Logs]:
    with Path("/dev/null").open("w") as sink:
        made = Logs(sink)
        yield made
        made.is_on = False  # loggers that were kept outlive the file


def _blind(world: World) -> Worker:
    """A worker that counts nothing of its turns."""
    worker = world.worker()
    worker._around = replace(worker._around, witness_of=lambda _claim: NoWitness())
    return worker


def _cpu_of(world: World, worker: Worker) -> float:
    """Processor time of a text turn, in milliseconds; posting its message is not in it."""
    spent = 0.0
    world.session_id = new_session(world.database)  # what has been said costs too
    for _ in range(_TURNS):
        turn_id = world.post("Hello")
        began = time.process_time()
        worker.run(turn_id)
        spent += time.process_time() - began
    return 1000 * spent / _TURNS


def _compared(
    world: World, logs: Logs, with_it: Worker, without: Worker, *, is_about_logs: bool
) -> tuple[float, float]:
    """Medians of both, and of what one costs more than the other in blocks side by side."""
    pairs = []
    for block in range(_BLOCKS):
        found = {}
        # Who goes first alternates, so that a drift of the machine favours nobody.
        order = [(True, with_it), (False, without)]
        for is_on, worker in order if block % 2 else reversed(order):
            logs.is_on = is_on or not is_about_logs
            found[is_on] = _cpu_of(world, worker)
        pairs.append((found[True], found[False]))
    base = statistics.median(off for _, off in pairs)
    return base, statistics.median(on - off for on, off in pairs)


@pytest.mark.timeout(900)
def test_metrics_and_logs(logs: Logs, world: World) -> None:
    seeing, blind = world.worker(), _blind(world)
    for worker in (seeing, blind):
        _cpu_of(world, worker)  # warm
    base, more = _compared(world, logs, seeing, blind, is_about_logs=True)
    percent = 100 * more / base
    print(f"\na text turn: {base:.2f} ms of processor time in the worker")
    print(f"metrics and logs: {1000 * more:.0f} µs more, {percent:.1f} %")
    assert percent < _MOST_PERCENT


@pytest.mark.timeout(900)
def test_traces(logs: Logs, world: World) -> None:
    off = world.worker()
    with collecting() as collector:
        world.settings = replace(world.settings, otel_exporter_otlp_endpoint=collector.url)
        on = world.worker()
        base, more = _compared(world, logs, on, off, is_about_logs=False)
        print(f"\ntraces with a collector: {1000 * more:.0f} µs more, {100 * more / base:.1f} %")


def test_a_request() -> None:
    metrics = ApiMetrics(CollectorRegistry())
    began = time.process_time()
    for _ in range(_CALLS):
        metrics.answered("POST", "/v1/sessions/<session_id>/messages", 201, seconds=0.01)
    spent = (time.process_time() - began) / _CALLS
    print(f"\na request's metrics: {1e6 * spent:.1f} µs")
