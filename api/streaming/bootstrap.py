"""The stream process's composition root: the one place that builds its clients."""

from __future__ import annotations

import asyncio
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import Final

from api.audit_trail import AuditTrail
from api.gate import open_gate
from api.rate_counts import RateCounts
from api.streaming.delivery import DeliveryMemory
from api.streaming.deps import Deps
from api.streaming.drain import Drain
from api.streaming.hub import POLL_SECONDS, Hub
from api.streaming.limits import StreamCounts, StreamLimits
from api.streaming.log_reader import LogReader
from api.streaming.metrics import StreamMetrics
from api.streaming.monitor import Monitor, Unanswered
from api.streaming.redis_link import RedisLink
from api.streaming.streamed_text import StreamedText
from api.throttle import Throttle
from common.clock import new_id
from common.domain.service_health import ServiceHealth
from common.redis_client import Breaker, make_client
from common.settings import Settings
from common.storage import relay, service_health
from common.storage.engine import Database

# Reads are short: more connections would not make them faster, only the database busier.
_READERS: Final = 4
# Some lanes stay free for streams that open while many catch up.
_LOG_LANES: Final = 3
_LOOK_SECONDS: Final = 5.0


def build(
    settings: Settings,
    *,
    poll_seconds: float = POLL_SECONDS,
    metrics: StreamMetrics | None = None,
) -> Deps:
    """Build what this process needs; call it within the event loop.

    `poll_seconds` is between two looks at PostgreSQL for what Redis did not tell.
    """
    counted, drain = metrics or StreamMetrics(), Drain()
    counted.count_open(lambda: drain.open_count)
    # One for the poll besides, and one for the keyring where there is one: they have to go on
    # while readers are busy.
    connections = _READERS + (1 if settings.auth_mode == "none" else 2)
    database = Database(settings.database_url, pool_size=connections, application="everturn stream")
    counted.pool.follow(connections, database.in_use)
    hearing = make_client(settings.pubsub_url, timeout_seconds=settings.redis_timeout_seconds)
    gate = open_gate(settings, database, hearing)
    counting = make_client(settings.redis_url, timeout_seconds=settings.redis_timeout_seconds)
    readers = ThreadPoolExecutor(_READERS, thread_name_prefix="reader")
    poller = ThreadPoolExecutor(1, thread_name_prefix="poller")
    links = {
        url: RedisLink(url, Breaker(), timeout_seconds=settings.redis_timeout_seconds)
        for url in {settings.redis_url, settings.live_text_url}
    }
    counts_and_memory = links[settings.redis_url]
    limits = StreamLimits(
        per_session=settings.sse_per_session_max,
        per_organization=settings.sse_per_org_max,
        per_process=settings.sse_global_max,
    )

    trail = AuditTrail(
        Database(settings.database_url, pool_size=1, application="everturn audit"),
        lost=counted.audit_entries_lost,
    )

    async def close() -> None:
        gate.close()
        for executor in (readers, poller):
            executor.shutdown(wait=False, cancel_futures=True)
        for link in links.values():
            await link.close()
        counting.close()
        database.close()
        await asyncio.to_thread(trail.close)

    return Deps(
        settings=settings,
        database=database,
        executor=readers,
        hub=Hub(
            pubsub_url=settings.pubsub_url,
            texts=StreamedText(links[settings.live_text_url]),
            database=database,
            executor=poller,
            poll_seconds=poll_seconds,
            note_lag=counted.relayed,
        ),
        reader=LogReader(database, readers, lanes=_LOG_LANES),
        memory=DeliveryMemory(counts_and_memory),
        counts=StreamCounts(counts_and_memory, limits, process=new_id().hex),
        drain=drain,
        gate=gate,
        metrics=counted,
        trail=trail,
        throttle=Throttle(settings, RateCounts(counting, Breaker())),
        monitor=Monitor(
            partial(_look, database, readers, settings),
            cycle_seconds=settings.sse_monitoring_cycle_secs,
        ),
        reach_redis=counts_and_memory.client.ping,
        close=close,
    )


async def _look(
    database: Database, readers: ThreadPoolExecutor, settings: Settings
) -> ServiceHealth:
    """Ask how the service does, on one of the readers."""
    question = partial(service_health.look, silent_after=settings.lease_seconds)
    loop = asyncio.get_running_loop()
    try:
        async with asyncio.timeout(_LOOK_SECONDS):
            return await loop.run_in_executor(readers, relay.ask, database, question)
    except (relay.DatabaseUnavailable, TimeoutError) as away:
        raise Unanswered from away
