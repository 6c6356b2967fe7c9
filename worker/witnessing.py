"""The witness of a turn on this worker: what it measures is counted, and traced."""

from __future__ import annotations

import structlog

from common.domain.turn import Claim
from common.event_codec import LoggedEvent
from common.logs import place_of
from common.tracing import Tracer
from worker.metrics import WorkerMetrics
from worker.spans import TurnSpans
from worker.turn.account import TurnAccount

_log = structlog.get_logger()


class TurnWitness:
    """A `worker.turn.witness.Witness`."""

    def __init__(
        self, claim: Claim, metrics: WorkerMetrics, tracer: Tracer, *, worker_name: str
    ) -> None:
        is_first = claim.attempt == 1
        queued_seconds = claim.age_seconds if is_first else None
        self._account = TurnAccount(claim.turn_id, queued_seconds=queued_seconds)
        self._metrics = metrics
        self._spans = TurnSpans(claim, tracer, worker_name=worker_name) if tracer.is_on else None

    def recall(self, events: list[LoggedEvent]) -> None:
        self._account.recall(events)

    def see(self, events: list[LoggedEvent]) -> None:
        # Whoever counts must not stop what is counted.
        try:
            measures = self._account.see(events)
            self._metrics.take(measures)
            if self._spans is not None:
                self._spans.take(measures, events)
        except Exception as bug:  # noqa: BLE001
            _log.error("turn_not_counted", error=type(bug).__name__, at=place_of(bug))
