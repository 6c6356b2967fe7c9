"""Routes of the contract that this release does not serve: each answers 501.

A caller can tell "not yet" from "no such thing".  `docs/compatibility.md` has the same
list; a test compares the two.
"""

from __future__ import annotations

from typing import Final, Never

from apiflask import APIBlueprint

from api.endpoint import needing
from api.errors import NotBuilt
from common.domain.access import Admission

blueprint = APIBlueprint("unbuilt", __name__, url_prefix="/v1", enable_openapi=False)

# Methods and path below /v1, by the contract's section.
UNBUILT: Final[dict[str, tuple[tuple[str, str], ...]]] = {
    "Sessions": (
        ("POST", "/sessions/<session_id>/resume"),
        ("GET", "/sessions/<session_id>/budgets"),
        ("GET", "/sessions/<session_id>/budget-check"),
        ("GET", "/sessions/<session_id>/context-report"),
        ("GET POST", "/sessions/<session_id>/participants"),
        ("DELETE", "/sessions/<session_id>/participants/<participant_id>"),
        ("GET", "/sessions/<session_id>/resources"),
        ("GET", "/sessions/<session_id>/tasks"),
        ("GET", "/sessions/<session_id>/tasks/<task_id>"),
        ("POST", "/sessions/<session_id>/tasks/<task_id>/messages"),
        ("POST", "/sessions/<session_id>/tasks/<task_id>/cancel"),
        ("GET", "/tasks"),
    ),
    "Agents": (
        ("GET POST", "/agents/<agent>/health-checks"),
        ("GET", "/agents/<agent>/health-checks/latest"),
        ("GET", "/agents/<agent>/health-checks/<run_id>"),
    ),
    "Capabilities": (
        ("POST", "/capabilities"),
        ("POST", "/capabilities/guardrails/dry-run"),
        ("GET", "/capabilities/declarative"),
        ("GET PATCH DELETE", "/capabilities/declarative/<capability_id>"),
        ("POST", "/capabilities/declarative/<capability_id>/delete"),
    ),
    "MCP servers and skills": (
        ("GET POST", "/skills"),
        ("GET", "/skills/config"),
        ("POST", "/skills/upload"),
        ("POST", "/skills/validate"),
        ("GET", "/skills/usage"),
        ("GET PATCH DELETE", "/skills/<skill_id>"),
        ("GET", "/skills/<skill_id>/content"),
    ),
    "Memories": (
        ("GET POST", "/memories"),
        ("GET PATCH DELETE", "/memories/<memory_id>"),
        ("POST", "/memories/<memory_id>/sync"),
        ("GET", "/memories/<memory_id>/fs"),
        ("GET POST PUT DELETE", "/memories/<memory_id>/fs/<path:file>"),
    ),
    "Session storage and databases": (
        ("GET POST", "/sessions/<session_id>/databases"),
        ("GET DELETE", "/sessions/<session_id>/databases/<database>"),
        ("GET", "/sessions/<session_id>/databases/<database>/schema"),
    ),
    "Budgets": (
        ("GET POST", "/budgets"),
        ("GET PATCH DELETE", "/budgets/<budget_id>"),
        ("POST", "/budgets/<budget_id>/top-up"),
        ("GET", "/budgets/<budget_id>/ledger"),
        ("GET", "/budgets/<budget_id>/check"),
    ),
    "Connections, organizations, users": (
        ("GET", "/user/connections"),
        ("POST DELETE", "/user/connections/<provider>"),
        ("GET", "/auth/oauth/<provider>"),
        ("GET", "/auth/callback/<provider>"),
        ("GET PATCH", "/orgs/<organization>/feature-flags"),
        ("GET", "/resolve-org"),
    ),
    "Durable administration": (
        ("POST", "/durable/workflows/<workflow_id>/signal"),
        ("POST", "/durable/tasks"),
        ("GET POST", "/durable/schedules"),
        ("GET PATCH DELETE", "/durable/schedules/<schedule_id>"),
        ("POST", "/durable/schedules/<schedule_id>/pause"),
        ("POST", "/durable/schedules/<schedule_id>/resume"),
        ("POST", "/durable/schedules/<schedule_id>/trigger"),
        ("GET", "/durable/schedules/<schedule_id>/stats"),
        ("GET", "/durable/schedules/<schedule_id>/executions"),
        ("GET", "/durable/executions/<execution_id>"),
        ("GET", "/durable/metrics/timeseries"),
    ),
    "Apps, knowledge, payments, plugins, reports": (
        ("GET POST", "/apps"),
        ("GET POST PUT PATCH DELETE", "/apps/<path:rest>"),
        ("GET POST", "/knowledge-bases"),
        ("GET POST PUT PATCH DELETE", "/knowledge-bases/<path:rest>"),
        ("GET POST", "/knowledge-indexes"),
        ("GET POST PUT PATCH DELETE", "/knowledge-indexes/<path:rest>"),
        ("GET POST", "/payments"),
        ("GET POST PUT PATCH DELETE", "/payments/<path:rest>"),
        ("GET POST", "/plugins"),
        ("GET POST PUT PATCH DELETE", "/plugins/<path:rest>"),
        ("GET POST", "/plugin_marketplaces"),
        ("GET POST PUT PATCH DELETE", "/plugin_marketplaces/<path:rest>"),
        ("GET POST", "/reports"),
        ("GET POST PUT PATCH DELETE", "/reports/<path:rest>"),
    ),
}


@needing(Admission.ANYONE)
def _refuse(**_arguments: str) -> Never:
    """Say that the route is known and not served."""
    raise NotBuilt("This route is not built yet")


for _routes in UNBUILT.values():
    for _methods, _path in _routes:
        blueprint.add_url_rule(_path, "not_built", _refuse, methods=_methods.split())
