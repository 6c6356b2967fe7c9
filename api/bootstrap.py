"""The api's composition root: the one place that builds its clients from settings."""

from __future__ import annotations

import atexit

from api import second_wall
from api.audit_trail import AuditTrail
from api.deps import Deps
from api.login_limits import LoginLimits
from api.metrics import ApiMetrics
from api.pressure import Pressure, TurnLimits
from api.rate_counts import RateCounts
from common import logs
from common.blobs.opening import open_blobs
from common.clock import new_id
from common.encryption import SecretBox
from common.examination import Examiner
from common.images.workshop import open_workshop
from common.live import Live
from common.provider_breakers import BreakerBoard
from common.redis_client import Breaker, make_client
from common.settings import Settings
from common.storage.engine import Database
from common.tracing import Tracer
from common.turn_queue import Backlog, TurnQueue
from common.version import installed_version


def build(settings: Settings) -> Deps:
    """Build what this process needs; call it after any fork."""
    breaker = Breaker()
    redis = make_client(settings.pubsub_url, timeout_seconds=settings.redis_timeout_seconds)
    # One for the keyring besides, where there is one.
    metrics, connections = ApiMetrics(), settings.api_threads + (settings.auth_mode != "none")
    database = Database(settings.database_url, pool_size=connections, application="everturn api")
    metrics.pool.begin(connections)
    database.watch(metrics.pool.changed)
    tracer = Tracer.from_settings(settings, process="api")
    atexit.register(tracer.close)
    trail = AuditTrail(
        Database(settings.database_url, pool_size=1, application="everturn audit"),
        lost=metrics.audit_entries_lost,
    )
    # Whatever waits when the process is told to end is written then.
    atexit.register(trail.close)
    return Deps(
        settings=settings,
        database=database,
        metrics=metrics,
        tracer=tracer,
        live=Live(redis, breaker, text_ttl_seconds=settings.live_text_ttl_seconds),
        queue=TurnQueue(settings, breaker),
        new_id=new_id,
        reach_redis=redis.ping,
        redis=redis,
        pressure=Pressure(
            Database(settings.database_url, pool_size=1, application="everturn pressure"),
            TurnLimits.of(settings),
        ),
        rates=RateCounts(
            make_client(settings.redis_url, timeout_seconds=settings.redis_timeout_seconds), breaker
        ),
        login_limits=LoginLimits(redis, breaker),
        trail=trail,
        version=installed_version(),
        blobs=open_blobs(settings),
        workshop=open_workshop(settings, threads=settings.api_threads),
        examiner=Examiner(settings, BreakerBoard(redis, breaker), Backlog(settings, breaker).count),
        secrets=SecretBox(
            settings.secrets_encryption_key, settings.secrets_encryption_key_previous
        ),
    )


def build_from_environment() -> Deps:
    """As `build`, with logging set up: what a server process calls.

    Raises:
        common.settings.InvalidSettings: naming all that is wrong.
    """
    settings = Settings.from_env()
    logs.configure(settings, process="api")
    deps = build(settings)
    second_wall.look(settings, deps.database)
    return deps
