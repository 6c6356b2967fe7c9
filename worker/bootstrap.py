"""Composition root of the worker: the only place that builds its clients."""

from __future__ import annotations

import time
from collections.abc import Mapping
from functools import partial
from uuid import UUID

import structlog

from common import clock
from common.blobs.opening import open_blobs
from common.domain.ids import Kind, show_id
from common.encryption import SecretBox
from common.images.workshop import open_workshop
from common.live import Live
from common.logs import place_of
from common.redis_client import Breaker, make_client
from common.settings import Settings
from common.storage.engine import Database, DatabaseError, sqlstate
from common.tracing import Tracer
from common.turn_queue import ALL_QUEUES, Backlog, TurnQueue
from common.version import installed_version
from worker.capabilities.capability import Capability
from worker.capabilities.registry import available_capabilities
from worker.capabilities.services import Services
from worker.consumption import Consumption
from worker.control import ControlListener
from worker.lease import Leases
from worker.llm_breaker import ProviderBreakers
from worker.metrics import WorkerMetrics
from worker.presence import Condition, Presence
from worker.shutdown import Shutdown
from worker.tally import Tally
from worker.text_stream import TextStreams
from worker.turn.assembly import Surroundings
from worker.turn.endpoints import Endpoints
from worker.turn.entry import Ran, run_turn
from worker.turn.pictures import Pictures
from worker.turn.rota import Rota
from worker.watchdog import Watchdog
from worker.witnessing import TurnWitness

_log = structlog.get_logger()


class Worker:
    """A worker process: its surroundings and its threads."""

    def __init__(
        self, settings: Settings, *, capabilities: Mapping[str, Capability] | None = None
    ) -> None:
        timeout = settings.redis_timeout_seconds
        breaker = Breaker()
        self.id = clock.new_id()
        name = show_id(Kind.WORKER, self.id)
        self.tally = Tally()
        self.metrics = WorkerMetrics()
        self.tracer = Tracer.from_settings(settings, process="worker")
        self.database = Database(
            settings.database_url,
            pool_size=settings.worker_database_pool,
            application="everturn-worker",
        )
        self.metrics.pool.follow(settings.worker_database_pool, self.database.in_use)
        self.metrics.count_load(lambda: self.tally.counts.running)
        # A connection of its own: a busy pool must not cost a lease.
        self._lease_database = Database(
            settings.database_url, pool_size=1, application="everturn-leases"
        )
        self.leases = Leases(
            self._lease_database,
            lease_seconds=settings.lease_seconds,
            renew_seconds=settings.renew_seconds,
        )
        live_redis = make_client(settings.live_text_url, timeout_seconds=timeout)
        live = Live(
            live_redis,
            breaker,
            text_ttl_seconds=settings.live_text_ttl_seconds,
        )
        self._streams = TextStreams(live, flush_seconds=settings.delta_flush_seconds)
        self.shutdown = Shutdown(self.leases, grace_seconds=settings.shutdown_grace_seconds)
        self.consumption = Consumption(ALL_QUEUES)
        self.presence = self._make_presence(settings, breaker)
        self._control = ControlListener(
            make_client(settings.pubsub_url, timeout_seconds=2.0),
            self.leases,
            worker_id=self.id,
            look=self.presence.hurry,
        )
        secrets = SecretBox(
            settings.secrets_encryption_key, settings.secrets_encryption_key_previous
        )
        services = Services(
            now=clock.now,
            settings=settings,
            database=self.database,
            secrets=secrets,
            publish=live.publish,
        )
        self._around = Surroundings(
            settings=settings,
            database=self.database,
            live=live,
            turn_queue=TurnQueue(settings, breaker),
            leases=self.leases,
            streams=self._streams,
            shutdown=self.shutdown,
            secrets=secrets,
            endpoints=Endpoints(self.database, secrets, settings),
            breakers=ProviderBreakers(live_redis, breaker),
            capabilities=capabilities or available_capabilities(services),
            pictures=Pictures(
                self.database,
                open_blobs(settings),
                open_workshop(settings, threads=settings.worker_threads),
                directory=settings.incoming_directory,
            ),
            rota=Rota(),
            worker_name=name,
            witness_of=partial(
                TurnWitness, metrics=self.metrics, tracer=self.tracer, worker_name=name
            ),
            is_traced=self.tracer.is_on,
        )

    def _make_presence(self, settings: Settings, breaker: Breaker) -> Presence:
        return Presence(
            self.database,
            Condition(
                tally=self.tally,
                leases=self.leases,
                shutdown=self.shutdown,
                consumption=self.consumption,
            ),
            Watchdog(
                Backlog(settings, breaker).count,
                self.shutdown.leave,
                deaf_seconds=settings.worker_deaf_seconds,
            ),
            worker_id=self.id,
            version=installed_version(),
            capacity=settings.worker_threads,
            beat_seconds=settings.renew_seconds,
        )

    def start(self) -> None:
        """Start the threads beside the turns'."""
        self.shutdown.start()
        self.leases.start()
        self._streams.start()
        self._control.start()
        self.presence.start()

    def run(self, turn_id: UUID) -> Ran:
        """Run a turn.  Never raises: what goes wrong is logged by class and code (I10)."""
        self.tally.begun()
        began = time.monotonic()
        ran = Ran("not_run", is_fault=True)
        with structlog.contextvars.bound_contextvars(turn_id=str(turn_id)):
            try:
                ran = run_turn(turn_id, self._around)
            except DatabaseError as failure:
                _log.warning(
                    "turn_not_run", error=type(failure).__name__, sqlstate=sqlstate(failure)
                )
            # The task's edge: a bug must not end the worker's thread, nor put content into
            # Celery's log.  The lease runs out and the turn is tried again, or sealed.
            except Exception as bug:  # noqa: BLE001
                ran = Ran("crashed", is_fault=True)
                _log.error("turn_crashed", error=type(bug).__name__, at=place_of(bug))
            finally:
                self.tally.ended(is_run=not ran.is_fault)
                self.metrics.ran(ran.outcome)
            seconds = time.monotonic() - began
            # Of several that wait it may have been another one's turn.
            its_own = {} if ran.claim is None else {"turn_id": str(ran.claim.turn_id)}
            _log.info("turn_ran", outcome=ran.outcome, duration_ms=round(seconds * 1000), **its_own)
        return ran

    def stop(self) -> None:
        """Stop the threads and close what is open."""
        for part in (self.shutdown, self.presence, self._control, self._streams, self.leases):
            part.stop()
        self.database.close()
        self._lease_database.close()
        self.tracer.close()
