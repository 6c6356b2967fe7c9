"""The least that a task costs: Celery as ours is configured, and a task that does nothing.

Loaded as `celery -A tests.bench.limits.noop_worker`.
"""

import json
import sys
import time
from pathlib import Path
from typing import Any

from celery import Celery
from celery.signals import worker_ready

from common.settings import Settings
from common.turn_queue import celery_config
from tests.bench.limits.celery_names import NOOP, TELL

app = Celery("noop")
app.conf.update(celery_config(Settings.from_env(), socket_timeout_seconds=5.0))
_started: list[tuple[float, float]] = []


@app.task(name=NOOP, ignore_result=True)
def noop(sent: float) -> None:
    """Note when it was sent and when it began, on the machine's monotonic clock."""
    _started.append((sent, time.monotonic()))


@app.task(name=TELL, ignore_result=True)
def tell(path: str) -> None:
    """Write what was noted, and forget it."""
    told = sorted(_started)
    _started.clear()
    whole = Path(f"{path}.part")
    whole.write_text(json.dumps(told))
    whole.rename(path)


@worker_ready.connect(weak=False)
def announce(**_: Any) -> None:
    sys.stdout.write("worker_ready\n")
    sys.stdout.flush()
