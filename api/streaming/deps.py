"""What a stream is given, built once a process by `api.streaming.bootstrap`."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Coroutine
from concurrent.futures import Executor
from dataclasses import dataclass

from api.audit_trail import AuditTrail
from api.gate import Gate
from api.streaming.delivery import DeliveryMemory
from api.streaming.drain import Drain
from api.streaming.hub import Hub
from api.streaming.limits import StreamCounts
from api.streaming.log_reader import LogReader
from api.streaming.metrics import StreamMetrics
from api.streaming.monitor import Monitor
from api.throttle import Throttle
from common.settings import Settings
from common.storage.engine import Database


@dataclass(frozen=True, slots=True, kw_only=True)
class Deps:
    """Everything that reaches outside the process, and what streams share.

    Attributes:
        executor: runs reads of the database; as many threads as it may have connections.
        reach_redis: returns when Redis answers, raises OSError or RedisError when not.
    """

    settings: Settings
    database: Database
    executor: Executor
    hub: Hub
    reader: LogReader
    memory: DeliveryMemory
    counts: StreamCounts
    drain: Drain
    gate: Gate
    throttle: Throttle
    monitor: Monitor
    metrics: StreamMetrics
    trail: AuditTrail
    reach_redis: Callable[[], Awaitable[object]]
    close: Callable[[], Coroutine[None, None, None]]
