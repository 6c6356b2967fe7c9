"""Health, at the root: whether the process lives, and whether it can work."""

from __future__ import annotations

from collections.abc import Callable

import structlog
from apiflask import APIBlueprint
from flask import Response
from redis.exceptions import RedisError

from api.deps import Deps, current_deps
from api.endpoint import Contract, json_response, uncalled
from api.schemas.health import HealthSchema, ReadinessSchema
from common.domain.access import Admission
from common.storage.engine import DatabaseError

blueprint = APIBlueprint("health", __name__)

_log = structlog.get_logger()


@blueprint.get("/health")
@uncalled(Contract(summary="Is the process alive?", scope=Admission.PUBLIC, returns=HealthSchema()))
def health() -> Response:
    """Answer without asking anything else."""
    return _alive()


@blueprint.get("/health/live")
@uncalled(Contract(summary="Is the process alive?", scope=Admission.PUBLIC, returns=HealthSchema()))
def live() -> Response:
    """Answer as /health does."""
    return _alive()


def _alive() -> Response:
    deps = current_deps()
    return json_response(
        {"status": "ok", "version": deps.version, "auth_mode": deps.settings.auth_mode}
    )


@blueprint.get("/health/ready")
@uncalled(
    Contract(
        summary="Can the process work?",
        scope=Admission.PUBLIC,
        returns=ReadinessSchema(),
        also={503: "A dependency is down; the answer says which"},
    )
)
def ready() -> Response:
    """Ask the database and Redis."""
    found = _dependencies(current_deps())
    is_ready = all(state == "up" for state in found.values())
    return json_response(
        {"status": "ok" if is_ready else "unavailable", "dependencies": found},
        200 if is_ready else 503,
    )


def _dependencies(deps: Deps) -> dict[str, str]:
    return {
        "database": _state("database", deps.database.ping),
        "redis": _state("redis", deps.reach_redis),
    }


def _state(name: str, reach: Callable[[], object]) -> str:
    try:
        reach()
    except (DatabaseError, RedisError, OSError) as failure:
        _log.warning("dependency_down", dependency=name, error=type(failure).__name__)
        return "down"
    return "up"
