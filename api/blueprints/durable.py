"""Running it: the service's health, its workers, and the breakers of providers (contract 3.13)."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from apiflask import APIBlueprint

from api.endpoint import Answer, Call, Contract, endpoint
from api.errors import Misdirected
from api.schemas.agents import PoliciesSchema
from api.schemas.circuit_breakers import (
    CircuitBreakerListSchema,
    CircuitBreakerSchema,
    show_breaker,
)
from api.schemas.workers import (
    GROUP,
    ServiceHealthSchema,
    WorkerListQuery,
    WorkerListSchema,
    WorkerSchema,
    show_worker,
    summarize,
)
from api.use_cases.operate import find_breaker, is_operator, set_breaker, want_of_worker
from common.domain.access import Scope
from common.domain.ids import Kind, show_id
from common.domain.worker import WorkerStatus
from common.storage import providers, service_health, workers

blueprint = APIBlueprint("durable", __name__, url_prefix="/v1/durable")


@blueprint.get("/health")
@endpoint(
    Contract(
        summary="Do turns get done?",
        scope=Scope.OPERATIONS_READ,
        description="Counts of the whole installation: `unhealthy` when no worker takes turns,"
        " `degraded` when turns wait longer than they should.",
        returns=ServiceHealthSchema(),
        fails=(404, 503),
    )
)
def show_health(call: Call[None, None]) -> Answer:
    """Count workers and turns."""
    # Counts of the whole installation, and nothing else.
    with call.deps.database.across_organizations().reading() as tx:
        found = service_health.look(tx, silent_after=call.deps.settings.lease_seconds)
    return found.to_json()


@blueprint.get("/config")
@endpoint(
    Contract(
        summary="What may be done",
        scope=Scope.OPERATIONS_READ,
        returns=PoliciesSchema(),
        fails=(404, 503),
    )
)
def show_durable_policies(call: Call[None, None]) -> Answer:
    """Tell what the caller may do here."""
    shared = is_operator(call.caller)
    policies = {
        "drain_workers": shared,
        "cancel_workflows": True,
        "retry_dead_letters": True,
        "set_circuit_breakers": True,
        "set_built_in_circuit_breakers": shared,
    }
    return {"policies": policies}


@blueprint.get("/sse")
@endpoint(
    Contract(
        summary="Watch the service",
        scope=Scope.OPERATIONS_READ,
        description="Server-sent events: `connected`, a `snapshot` of health and workers every few"
        " seconds, `disconnecting` after ten minutes. Served by the stream process.",
        content_type="text/event-stream",
        fails=(404, 429, 503),
    )
)
def stream_health(_call: Call[None, None]) -> Answer:
    """Watch; this process is never asked when the proxy is set up rightly."""
    raise Misdirected("Event streams are served by the stream process, not by this one")


# --- workers -----------------------------------------------------------------------


@blueprint.get("/workers")
@endpoint(
    Contract(
        summary="List workers",
        scope=Scope.OPERATIONS_READ,
        description="Those that have been gone for an hour are forgotten.",
        query=WorkerListQuery(),
        returns=WorkerListSchema(),
        fails=(404, 503),
    )
)
def list_workers(call: Call[None, dict[str, Any]]) -> Answer:
    """List worker processes, oldest first."""
    silent_after = call.deps.settings.lease_seconds
    with call.deps.database.reading() as tx:
        found = workers.find_all(tx)
    shown = [show_worker(each, silent_after=silent_after) for each in found]
    status, group = call.query["status"], call.query["worker_group"]
    chosen = [each for each in shown if status in (None, each["status"]) and group in (None, GROUP)]
    summary = summarize(found, silent_after=silent_after)
    return {"data": chosen, "summary": summary, "total": len(chosen)}


@blueprint.post("/workers/<worker_id>/drain")
@endpoint(
    Contract(
        summary="Drain a worker",
        scope=Scope.OPERATIONS_WRITE,
        description="It takes no more turns and finishes those that it has.",
        returns=WorkerSchema(),
        fails=(403, 404, 503),
    )
)
def drain_worker(call: Call[None, None], worker_id: UUID) -> Answer:
    """Let a worker take no more turns."""
    found = want_of_worker(call.deps, call.caller, worker_id, WorkerStatus.DRAINING)
    return show_worker(found, silent_after=call.deps.settings.lease_seconds)


@blueprint.post("/workers/<worker_id>/resume")
@endpoint(
    Contract(
        summary="Resume a worker",
        scope=Scope.OPERATIONS_WRITE,
        returns=WorkerSchema(),
        fails=(403, 404, 503),
    )
)
def resume_worker(call: Call[None, None], worker_id: UUID) -> Answer:
    """Let a drained worker take turns again."""
    found = want_of_worker(call.deps, call.caller, worker_id, WorkerStatus.ACTIVE)
    return show_worker(found, silent_after=call.deps.settings.lease_seconds)


# --- circuit breakers --------------------------------------------------------------


@blueprint.get("/circuit-breakers")
@endpoint(
    Contract(
        summary="List circuit breakers",
        scope=Scope.OPERATIONS_READ,
        description="One for each provider that the caller may use.",
        returns=CircuitBreakerListSchema(),
        fails=(404, 503),
    )
)
def list_circuit_breakers(call: Call[None, None]) -> Answer:
    """List the breakers of all providers, also of those that never failed."""
    with call.deps.database.reading() as tx:
        found = providers.find_all(tx, call.caller.organization_id)
    keys = [show_id(Kind.PROVIDER, each.id) for each in found]
    breakers = call.deps.examiner.breakers.read(keys)
    return {"data": [show_breaker(each) for each in breakers], "total": len(breakers)}


@blueprint.get("/circuit-breakers/<key>")
@endpoint(
    Contract(
        summary="Get a circuit breaker",
        scope=Scope.OPERATIONS_READ,
        returns=CircuitBreakerSchema(),
        fails=(404, 503),
    )
)
def get_circuit_breaker(call: Call[None, None], key: UUID) -> Answer:
    """Get the breaker of one provider."""
    return show_breaker(find_breaker(call.deps, call.caller, key))


@blueprint.post("/circuit-breakers/<key>/open")
@endpoint(
    Contract(
        summary="Open a circuit breaker",
        scope=Scope.OPERATIONS_WRITE,
        description="No call goes to the provider for a day, or until it is closed.",
        returns=CircuitBreakerSchema(),
        fails=(403, 404, 503),
    )
)
def open_circuit_breaker(call: Call[None, None], key: UUID) -> Answer:
    """Keep all calls from a provider."""
    return show_breaker(set_breaker(call.deps, call.caller, key, is_open=True))


@blueprint.post("/circuit-breakers/<key>/close")
@endpoint(
    Contract(
        summary="Close a circuit breaker",
        scope=Scope.OPERATIONS_WRITE,
        returns=CircuitBreakerSchema(),
        fails=(403, 404, 503),
    )
)
def close_circuit_breaker(call: Call[None, None], key: UUID) -> Answer:
    """Let calls through again, and forget all failures."""
    return show_breaker(set_breaker(call.deps, call.caller, key, is_open=False))


@blueprint.delete("/circuit-breakers/<key>")
@endpoint(
    Contract(
        summary="Reset a circuit breaker",
        scope=Scope.OPERATIONS_WRITE,
        status=204,
        fails=(403, 404, 503),
    )
)
def delete_circuit_breaker(call: Call[None, None], key: UUID) -> Answer:
    """Forget what is known of a provider's failures: it is closed."""
    set_breaker(call.deps, call.caller, key, is_open=False)
    return None
