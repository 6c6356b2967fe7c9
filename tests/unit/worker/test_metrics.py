"""The numbers of workers and sweepers, and that there are only so many time series."""

from collections.abc import Callable
from datetime import UTC, datetime

from prometheus_client import CollectorRegistry, generate_latest
from sqlalchemy.exc import OperationalError

from common.domain.events import Usage
from common.domain.service_health import ServiceHealth, TurnCounts
from common.domain.worker import Fleet
from common.metrics import OTHER, Bounded
from worker.metrics import WorkerMetrics
from worker.sweep_metrics import Installation, InstallationState, SweepMetrics
from worker.turn.account import Begun, ModelCalled, ToolCalled, TurnEnded

_TS = datetime(2026, 1, 15, 10, 30, tzinfo=UTC)


def _model_called(
    model: str = "m", *, failure: str | None = None, finish_reason: str = "stop", retries: int = 0
) -> ModelCalled:
    return ModelCalled(
        exec_id="exec_1",
        number=0,
        provider="openai",
        model=model,
        ended=_TS,
        seconds=2.0,
        first_token_seconds=0.5,
        finish_reason=None if failure else finish_reason,
        failure=failure,
        response_id=None,
        usage=Usage(10, 2, 4),
        retries=retries,
        waited_seconds=1.0,
    )


def _tool_called(name: str, *, is_known: bool = True) -> ToolCalled:
    return ToolCalled(
        exec_id="exec_2",
        call_id="call_1",
        name=name,
        is_known=is_known,
        status="success",
        ended=_TS,
        seconds=0.1,
    )


def _ended(code: str | None = None) -> TurnEnded:
    return TurnEnded(
        outcome="failed" if code else "completed",
        code=code,
        agent_id=None,
        began=_TS,
        ended=_TS,
        overhead_seconds=0.01,
        first_token_seconds=0.6,
        usage=Usage(),
        iterations=1,
    )


def _value(metrics: WorkerMetrics | SweepMetrics, name: str, **labels: str) -> float | None:
    return metrics.registry.get_sample_value(f"everturn_{name}", labels)


def test_what_was_measured_is_counted() -> None:
    metrics = WorkerMetrics()
    called = {"provider": "openai", "model": "m"}
    metrics.take([Begun(0.2), _model_called(retries=2), _tool_called("look_up"), _ended()])
    metrics.take([_model_called(failure="rate_limited"), _ended("llm_error")])
    assert _value(metrics, "turn_pickup_seconds_sum") == 0.2
    assert _value(metrics, "turn_first_token_seconds_count") == 2
    assert _value(metrics, "turns_total", outcome="failed", code="llm_error") == 1
    assert _value(metrics, "turns_total", outcome="completed", code="") == 1
    assert _value(metrics, "llm_call_seconds_sum", **called) == 4
    assert _value(metrics, "llm_tokens_total", kind="cache_read", **called) == 8
    assert _value(metrics, "llm_finish_reason_total", provider="openai", reason="stop") == 1
    assert _value(metrics, "llm_errors_total", provider="openai", reason="rate_limited") == 1
    assert _value(metrics, "llm_retries_total", provider="openai") == 2
    assert _value(metrics, "llm_retry_wait_seconds_sum", provider="openai") == 1
    assert _value(metrics, "tool_calls_total", tool="look_up", status="success") == 1


def test_a_name_that_a_model_made_up_is_no_label() -> None:
    metrics = WorkerMetrics()
    metrics.take([_tool_called("what the user said", is_known=False)])
    assert "what the user said" not in generate_latest(metrics.registry).decode()
    assert _value(metrics, "tool_calls_total", tool="unknown", status="success") == 1


def test_whatever_callers_choose_there_are_only_so_many_series() -> None:
    def series(count: int) -> int:
        metrics = WorkerMetrics(CollectorRegistry())
        for number in range(count):
            metrics.take(
                [
                    _model_called(f"model-{number}", finish_reason=f"reason-{number}"),
                    _model_called(f"model-{number}", failure=f"failure-{number}"),
                    _tool_called(f"tool-{number}"),
                    _ended(f"code-{number}"),
                ]
            )
        return len(generate_latest(metrics.registry).splitlines())

    most = series(1_000)
    assert most == series(3_000)
    assert most < 6_000


def test_the_first_values_stay_and_the_rest_is_one() -> None:
    bounded = Bounded(2)
    assert [bounded(value) for value in "aabcba"] == ["a", "a", "b", OTHER, "b", "a"]
    assert Bounded()("x" * 1_000) == OTHER


def _installation(*, backlog: int | None = 3) -> Installation:
    fleet = Fleet(total=2, live=2, draining=1, accepting=1, capacity=64, load=5)
    counts = TurnCounts(
        queued=4,
        running=5,
        waiting=6,
        begun=0,
        completed=0,
        failed=0,
        dead_letters=7,
        oldest_queued_seconds=8.5,
    )
    return Installation(ServiceHealth(fleet, counts), backlog, {"provider_1": "open"})


def _state(look: Callable[[], Installation], clock: Callable[[], float]) -> CollectorRegistry:
    registry = CollectorRegistry()
    registry.register(InstallationState(look, monotonic=clock))
    return registry


def test_the_installation_is_looked_at_when_asked_and_not_too_often() -> None:
    looks: list[float] = []
    now = [100.0]

    def look() -> Installation:
        looks.append(now[0])
        return _installation()

    registry = _state(look, lambda: now[0])
    assert looks == []
    for _ in range(3):
        generate_latest(registry)
    assert looks == [100.0]
    now[0] += 5
    value = registry.get_sample_value
    assert value("everturn_oldest_queued_turn_seconds") == 8.5
    assert value("everturn_open_turns", {"status": "waiting"}) == 6
    assert value("everturn_broker_queue_depth") == 3
    assert value("everturn_llm_breaker_state", {"provider_id": "provider_1"}) == 2
    assert value("everturn_installation_readable") == 1
    assert looks == [100.0, 105.0]


def test_what_cannot_be_seen_is_not_shown() -> None:
    def away() -> Installation:
        raise OperationalError("SELECT", {}, Exception("gone"))

    registry = _state(away, lambda: 0.0)
    assert registry.get_sample_value("everturn_installation_readable") == 0
    assert registry.get_sample_value("everturn_oldest_queued_turn_seconds") is None
    quiet = _state(lambda: _installation(backlog=None), lambda: 0.0)
    assert quiet.get_sample_value("everturn_broker_queue_depth") is None


def test_sweeps_are_counted() -> None:
    metrics = SweepMetrics()
    metrics.swept(0.2)
    metrics.failed()
    metrics.taken_back(2)
    metrics.sent(3)
    metrics.answered(1)
    assert _value(metrics, "sweeps_total", outcome="done") == 1
    assert _value(metrics, "sweeps_total", outcome="failed") == 1
    assert _value(metrics, "lease_recoveries_total") == 2
    assert _value(metrics, "turns_resent_total") == 3
    assert _value(metrics, "waits_timed_out_total") == 1
    assert (_value(metrics, "last_sweep_timestamp_seconds") or 0) > 1.7e9
