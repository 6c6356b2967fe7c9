"""What Prometheus reads of a worker.

All that is said of turns is read off their committed events (`worker/turn/account.py`), so
that it costs the engine nothing and is counted once, by whoever committed.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Final

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram

from common.metrics import PREFIX, STAGE_BUCKETS, Bounded, PoolMetrics, new_registry
from worker.turn.account import (
    Begun,
    Measure,
    ModelCalled,
    StepEnded,
    ToolCalled,
    TurnEnded,
)

_OVERHEAD_BUCKETS: Final = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 5, 30)
_UNKNOWN: Final = "unknown"
_NONE: Final = ""


@dataclass(frozen=True, slots=True)
class _ModelSeries:
    """What is counted of every call of one model."""

    calls: Histogram
    first_token: Histogram
    input: Counter
    output: Counter


class WorkerMetrics:
    """The metrics of one worker process; thread-safe."""

    def __init__(self, registry: CollectorRegistry | None = None) -> None:
        self.registry = new_registry("worker") if registry is None else registry
        self.pool = PoolMetrics(self.registry)
        self._model, self._tool, self._word = Bounded(), Bounded(100), Bounded()
        # Finding a series by its labels costs as much as counting: those of models are kept.
        self._of_model: dict[tuple[str, str], _ModelSeries] = {}
        self._runs = self._counter(
            "tasks_completed", "Tasks that ended, by what became of the turn here.", "outcome"
        )
        self._capacity = self._gauge("worker_capacity", "Turns that the worker may run at once.")
        self._load = self._gauge("worker_load", "Turns that the worker runs just now.")
        self._make_turn_metrics()
        self._make_call_metrics()

    def _make_turn_metrics(self) -> None:
        self._turns = self._counter(
            "turns", "Turns that ended on this worker, by outcome and error code.",
            "outcome", "code",
        )  # fmt: skip
        self._pickup = self._histogram(
            "turn_pickup_seconds", "From a turn's being queued to its first claim."
        )
        self._first_token = self._histogram(
            "turn_first_token_seconds",
            "From a turn's being queued to its first piece of an answer.",
        )
        self._duration = self._histogram(
            "turn_duration_seconds", "From a turn's first claim to its end.", "outcome"
        )
        self._overhead = self._histogram(
            "turn_overhead_seconds",
            "What of a turn's duration was neither models' nor tools' time.",
            buckets=_OVERHEAD_BUCKETS,
        )
        self._gap = self._histogram(
            "turn_phase_gap_seconds",
            "From the end of a step of a turn to the beginning of the next.",
            buckets=_OVERHEAD_BUCKETS,
        )

    def _make_call_metrics(self) -> None:
        self._calls = self._histogram(
            "llm_call_seconds", "Model calls with their retries.", "provider", "model"
        )
        self._call_first_token = self._histogram(
            "llm_first_token_seconds", "From a model call to the first piece of its answer.",
            "provider", "model",
        )  # fmt: skip
        self._finishes = self._counter(
            "llm_finish_reason", "Answers of models, by why they ended.", "provider", "reason"
        )
        self._errors = self._counter(
            "llm_errors", "Model calls that failed for good, by why.", "provider", "reason"
        )
        self._retries = self._counter(
            "llm_retries", "Tries of model calls that failed and were made again.", "provider"
        )
        self._retry_wait = self._histogram(
            "llm_retry_wait_seconds", "Waits of model calls before they were tried again.",
            "provider",
        )  # fmt: skip
        self._tokens = self._counter(
            "llm_tokens",
            "Tokens that providers counted; cache_read and cache_creation are parts of input.",
            "provider", "model", "kind",
        )  # fmt: skip
        self._tools = self._counter("tool_calls", "Tool calls, by result.", "tool", "status")
        self._tool_seconds = self._histogram("tool_call_seconds", "Tool calls.", "tool")

    # --- what is told ------------------------------------------------------------

    def ran(self, outcome: str) -> None:
        """A task ended; outcomes are ours, so there are few."""
        self._runs.labels(outcome).inc()

    def count_load(self, running: Callable[[], int]) -> None:
        """Ask this for the number of turns that run."""
        self._load.set_function(running)

    def may_run(self, turns: int) -> None:
        """The worker has so many threads for turns."""
        self._capacity.set(turns)

    def take(self, measures: Iterable[Measure]) -> None:
        """Count what was measured of a turn."""
        for measured in measures:
            match measured:
                case Begun():
                    self._pickup.observe(measured.queued_seconds)
                case ModelCalled():
                    self._model_called(measured)
                case ToolCalled():
                    self._tool_called(measured)
                case StepEnded():
                    if measured.gap_seconds is not None:
                        self._gap.observe(measured.gap_seconds)
                case TurnEnded():
                    self._turn_ended(measured)

    def _model_called(self, call: ModelCalled) -> None:
        # Types of providers are a closed set; names of models are anybody's.
        provider, model = call.provider or _UNKNOWN, self._model(call.model or _UNKNOWN)
        series = self._of_model.get((provider, model))
        if series is None:
            series = self._of_model[provider, model] = self._series(provider, model)
        series.calls.observe(call.seconds)
        if call.first_token_seconds is not None:
            series.first_token.observe(call.first_token_seconds)
        if call.failure is None:
            self._finishes.labels(provider, self._word(call.finish_reason or _UNKNOWN)).inc()
        else:
            self._errors.labels(provider, self._word(call.failure)).inc()
        if call.retries:
            self._retries.labels(provider).inc(call.retries)
            self._retry_wait.labels(provider).observe(call.waited_seconds)
        usage = call.usage
        series.input.inc(usage.input_tokens)
        series.output.inc(usage.output_tokens)
        if usage.cache_read_tokens:
            self._tokens.labels(provider, model, "cache_read").inc(usage.cache_read_tokens)
        if usage.cache_creation_tokens:
            self._tokens.labels(provider, model, "cache_creation").inc(usage.cache_creation_tokens)

    def _series(self, provider: str, model: str) -> _ModelSeries:
        return _ModelSeries(
            self._calls.labels(provider, model),
            self._call_first_token.labels(provider, model),
            self._tokens.labels(provider, model, "input"),
            self._tokens.labels(provider, model, "output"),
        )

    def _tool_called(self, call: ToolCalled) -> None:
        # What a model made up is nobody's tool, and may be anything.
        tool = self._tool(call.name) if call.is_known else _UNKNOWN
        self._tools.labels(tool, call.status).inc()
        if call.seconds is not None:
            self._tool_seconds.labels(tool).observe(call.seconds)

    def _turn_ended(self, turn: TurnEnded) -> None:
        code = _NONE if turn.code is None else self._word(turn.code)
        self._turns.labels(turn.outcome, code).inc()
        self._duration.labels(turn.outcome).observe(turn.seconds)
        self._overhead.observe(turn.overhead_seconds)
        if turn.first_token_seconds is not None:
            self._first_token.observe(turn.first_token_seconds)

    # --- definitions -------------------------------------------------------------

    def _counter(self, name: str, doc: str, *labels: str) -> Counter:
        return Counter(f"{PREFIX}_{name}", doc, labels, registry=self.registry)

    def _gauge(self, name: str, doc: str) -> Gauge:
        return Gauge(f"{PREFIX}_{name}", doc, registry=self.registry)

    def _histogram(
        self, name: str, doc: str, *labels: str, buckets: Iterable[float] = STAGE_BUCKETS
    ) -> Histogram:
        return Histogram(
            f"{PREFIX}_{name}", doc, labels, buckets=tuple(buckets), registry=self.registry
        )
