"""What a model would be given, and what is noticed about it, before anything is stored."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any
from uuid import UUID

from api.analysis import analyze
from api.analysis.finding import Draft, Finding
from api.auth import Caller
from api.deps import Deps
from common.domain.agent import AgentConfig
from common.domain.agent_version import resolved
from common.domain.capability_catalog import CapabilityInfo, CapabilityStatus, canonical_id
from common.domain.errors import NotFound
from common.domain.harness import MergedHarness
from common.installed_capabilities import known_capabilities
from common.storage import agents, harness_chain

Json = dict[str, Any]

_NOTHING = MergedHarness("", None, None, None, [], [], [], {})


def show_findings(body: Json) -> Json:
    """What is noticed about a draft."""
    return {"findings": [_shown(each) for each in analyze(_draft(body))]}


def show_preview(
    deps: Deps, caller: Caller, body: Json, *, below: UUID | None, name: str | None = None
) -> Json:
    """The draft together with the harness that it stands on, and the findings.

    Raises:
        NotFound: there is no such harness.
    """
    harness = _NOTHING if below is None and name is None else _merged(deps, caller, below, name)
    config = AgentConfig(
        name="", system_prompt=body["system_prompt"] or "", capabilities=body["capabilities"] or []
    )
    whole = resolved(config, harness)
    granted = list(_granted(whole["capabilities"]))
    prompts = [info.system_prompt for info in granted if info.system_prompt]
    offered: dict[str, Json] = {}
    for info in granted:
        for tool in info.tools:
            offered.setdefault(
                tool.name,
                {
                    "type": "builtin",
                    "name": tool.name,
                    "display_name": tool.display_name,
                    "description": tool.description,
                    "parameters": dict(tool.parameters),
                    "capability_id": info.id,
                },
            )
    for own in (*harness.tools, *(body["tools"] or [])):
        offered.setdefault(str(own.get("name")), {"type": "client_side", **own})
    return {
        "system_prompt": "\n\n".join([*prompts, whole["system_prompt"]]).strip("\n"),
        "tools": list(offered.values()),
        **show_findings(body),
    }


def _merged(deps: Deps, caller: Caller, harness_id: UUID | None, name: str | None) -> MergedHarness:
    with deps.database.reading() as tx:
        found = agents.find_harness(tx, caller.organization_id, harness_id=harness_id, name=name)
        if found is None:
            raise NotFound("Harness not found")
        return harness_chain.of_harness(tx, caller.organization_id, found)


def _granted(refs: Sequence[Mapping[str, Any]]) -> Iterator[CapabilityInfo]:
    """What contributes, each once, what others depend on before them."""
    known = known_capabilities()
    seen: set[str] = set()

    def visit(ref: str) -> Iterator[CapabilityInfo]:
        info = known.get(canonical_id(ref))
        if info is None or info.id in seen:
            return
        seen.add(info.id)
        for needed in info.dependencies:
            yield from visit(needed)
        if info.status is not CapabilityStatus.COMING_SOON:
            yield info

    for given in refs:
        yield from visit(str(given["ref"]))


def _draft(body: Json) -> Draft:
    return Draft(
        system_prompt=body["system_prompt"] or "",
        capabilities=body["capabilities"] or [],
        tools=body["tools"] or [],
        known=known_capabilities(),
    )


def _shown(finding: Finding) -> Json:
    shown: Json = {
        "rule_id": finding.rule_id,
        "category": finding.category,
        "severity": finding.severity,
        "source": "builtin",
        "message": finding.message,
    }
    if finding.fix is not None:
        shown["fix"] = finding.fix
    where = finding.location
    if where is not None:
        ends = {"start": where.start, "end": where.end}
        shown["location"] = {"field": where.field} | (ends if where.start is not None else {})
    return shown
