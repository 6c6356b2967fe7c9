"""What the calls for traces cost a turn while nobody wants traces: against a worker without them.

Two ways, for the first drowns in the machine's noise: processor time of turns with the calls and
with nothing in their place, in blocks that take turns; and how often a turn makes each call, times
what one takes.  Run it with `python3 dev.py test tests/bench/test_tracing_off_cost.py -s`.
"""

import logging
import statistics
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from pathlib import Path
from typing import Any

import pytest
import structlog

from common import tracing
from common.tracing import Tracer
from tests.integration.worker.conftest import World, make_world, new_session
from worker.bootstrap import Worker

_BLOCKS, _TURNS = 24, 20
_CALLS = 100_000
_MOST_PERCENT = 1.0
_NOTHING: AbstractContextManager[None] = nullcontext()


@pytest.fixture
def world(database_url: str, redis_url: str, tmp_path: Path) -> Iterator[World]:
    with make_world(database_url, redis_url, tmp_path) as made:
        yield made


@pytest.fixture(autouse=True)
def _silence() -> Iterator[None]:
    """Lines are measured elsewhere."""
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.CRITICAL))
    yield
    structlog.reset_defaults()


@contextmanager
def _instead(within: Callable[[Any], Any], current: Callable[[], Any]) -> Iterator[None]:
    """Others in the place of the functions that a turn calls whether there are traces or not."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(tracing, "within", within)
        patch.setattr(tracing, "current", current)
        yield


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


def _calls_of(world: World, worker: Worker) -> Counter[str]:
    """How often a text turn calls each."""
    made: Counter[str] = Counter()
    kept = tracing.within, tracing.current

    def within(place: Any) -> Any:
        made["within"] += 1
        return kept[0](place)

    def current() -> Any:
        made["current"] += 1
        return kept[1]()

    with _instead(within, current):
        worker.run(world.post("Hello"))
    return made


def _microseconds(call: Callable[[], object]) -> float:
    began = time.process_time()
    for _ in range(_CALLS):
        call()
    return 1e6 * (time.process_time() - began) / _CALLS


def _enter_and_leave() -> None:
    with tracing.within(None):
        pass


@pytest.mark.timeout(900)
def test_a_turn_without_traces(world: World) -> None:
    worker, off = world.worker(), Tracer()
    assert not worker.tracer.is_on
    _cpu_of(world, worker)  # warm
    pairs = []
    for block in range(_BLOCKS):
        found = {}
        # Which goes first alternates, so that a drift of the machine favours neither.
        for has_calls in (True, False) if block % 2 else (False, True):
            bare = _instead(lambda _: _NOTHING, lambda: None)
            with nullcontext() if has_calls else bare:
                found[has_calls] = _cpu_of(world, worker)
        pairs.append((found[True], found[False]))
    base = statistics.median(without for _, without in pairs)
    more = statistics.median(with_them - without for with_them, without in pairs)

    calls = _calls_of(world, worker)
    # Beside those two: whether there is a tracer is asked once a turn, and once a request.
    counted = (
        calls["within"] * _microseconds(_enter_and_leave)
        + calls["current"] * _microseconds(tracing.current)
        + 2 * _microseconds(lambda: off.is_on)
    )
    print(f"\na text turn: {base:.2f} ms of processor time in the worker")
    print(f"with the calls for traces, off: {1000 * more:+.0f} µs, {100 * more / base:+.1f} %")
    print(f"these calls alone: {dict(calls)}, {counted:.2f} µs, {counted / base / 10:.3f} %")
    assert counted / base / 10 < _MOST_PERCENT
