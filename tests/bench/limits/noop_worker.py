"""The least that a task costs: Celery as ours is configured, and a task that does nothing.

And the worker's part of the least turn: see `floor`.

Loaded as `celery -A tests.bench.limits.noop_worker`.
"""

import json
import sys
import time
from collections import deque
from pathlib import Path
from typing import Any
from uuid import UUID

from celery import Celery
from celery.signals import worker_ready

from common.settings import Settings
from common.turn_queue import RUN_TURN, celery_config
from tests.bench.limits.celery_names import NOOP, TELL
from tests.bench.limits.floor import END, Floor, frame
from worker.task_events import TaskEvents

app = Celery("noop")
_settings = Settings.from_env()
app.conf.update(celery_config(_settings, socket_timeout_seconds=5.0))
app.steps["consumer"].add(TaskEvents)
_started: deque[tuple[float, float]] = deque()
_floor = Floor(_settings)
_BEGUN, _TEXT, _ENDED = frame(2000), frame(100), frame(2500) + END


@app.task(name=NOOP, ignore_result=True)
def noop(sent: float) -> None:
    """Note when it was sent and when it began, on the machine's monotonic clock."""
    _started.append((sent, time.monotonic()))


@app.task(name=TELL, ignore_result=True)
def tell(path: str) -> None:
    """Write what was noted, and forget it."""
    # One by one: others are noted meanwhile.
    told = [_started.popleft() for _ in range(len(_started))]
    whole = Path(f"{path}.part")
    whole.write_text(json.dumps(told))
    whole.rename(path)


@app.task(name=RUN_TURN, ignore_result=True)
def turn(turn_id: str) -> None:
    """Commit the beginning, say something, commit the end; see `Floor` and docs/performance.md."""
    known = UUID(turn_id)
    _floor.transaction(asks=2)
    _floor.publish(known, _BEGUN)
    _floor.publish(known, _TEXT)
    _floor.transaction(asks=0)
    _floor.publish(known, _ENDED)


@worker_ready.connect(weak=False)
def announce(**_: Any) -> None:
    sys.stdout.write("worker_ready\n")
    sys.stdout.flush()
