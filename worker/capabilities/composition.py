"""How the capabilities that are granted to a turn come together."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from functools import partial
from types import MappingProxyType
from typing import Any

import structlog

from common.domain.capability_catalog import canonical_id
from common.installed_capabilities import find_capability
from common.logs import place_of
from worker.capabilities.capability import Capability, Contribution, Scope, Tool
from worker.capabilities.preparation import Preparation

# Makes the scope of one capability of the turn's session.
ScopeFor = Callable[[str], Scope]

_log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class CapabilityGrant:
    """A capability that a harness, an agent or a session asks for."""

    ref: str
    config: Mapping[str, Any] = field(default_factory=dict)

    @classmethod
    def from_json(cls, raw: Mapping[str, Any]) -> CapabilityGrant:
        """From `{ref, config}`, as it is stored."""
        return cls(raw["ref"], raw.get("config") or {})


@dataclass(frozen=True, slots=True)
class Composition:
    """What all grants of a turn come to.

    Attributes:
        grants: those that contribute, each id once, what others depend on before them.
        prompts: their additions to the system prompt, in the same order.
        tools: by name, in the order in which a model is offered them.
        owners: by name of a tool, the id of the capability that brought it.
        is_prepared: whether any of it was made for this turn, so that another time the same
            grants may come to something else.
    """

    grants: tuple[CapabilityGrant, ...]
    prompts: tuple[str, ...]
    tools: Mapping[str, Tool]
    owners: Mapping[str, str]
    is_prepared: bool = False

    def config_of(self, capability_id: str) -> Mapping[str, Any] | None:
        """The config that counts for a capability; None when it does not contribute."""
        return next((each.config for each in self.grants if each.ref == capability_id), None)


def compose(
    grants: Iterable[CapabilityGrant],
    *,
    built: Mapping[str, Capability],
    scope_for: ScopeFor,
    preparation: Preparation | None = None,
) -> Composition:
    """Combine grants, given in order: harness, agent, session.

    A repeated id keeps its first place and its last config.  What a capability depends
    on is granted with it.  An id that is not built contributes nothing: it is announced
    only, or a newer version stored it.  Of two tools of one name the first stays.

    Raises:
        worker.capabilities.preparation.Stopped: the preparation was stopped.
    """
    effective = _effective(list(grants), built)
    made = _prepared(effective, built, scope_for, preparation or Preparation())
    prompts: list[str] = []
    tools: dict[str, Tool] = {}
    owners: dict[str, str] = {}
    for grant in effective:
        contribution = _contribution(grant, built, made)
        if contribution.system_prompt:
            prompts.append(contribution.system_prompt)
        for tool in contribution.tools:
            if tool.name in tools:
                _log.warning("tool_name_taken", tool=tool.name, capability=grant.ref)
            else:
                tools[tool.name], owners[tool.name] = tool, grant.ref
    return Composition(
        effective,
        tuple(prompts),
        MappingProxyType(tools),
        MappingProxyType(owners),
        is_prepared=bool(made),
    )


def _effective(
    grants: list[CapabilityGrant], built: Mapping[str, Capability]
) -> tuple[CapabilityGrant, ...]:
    configs = {canonical_id(grant.ref): grant.config for grant in grants}
    places: dict[str, None] = {}
    for grant in grants:
        for capability_id in _with_dependencies(canonical_id(grant.ref), frozenset()):
            places.setdefault(capability_id)
    return tuple(
        CapabilityGrant(capability_id, configs.get(capability_id, {}))
        for capability_id in places
        if _implementation(capability_id, built) is not None
    )


def _with_dependencies(capability_id: str, above: frozenset[str]) -> Iterator[str]:
    """What it needs and then itself; a circle ends where it closes."""
    entry = find_capability(capability_id)
    for needed in entry.dependencies if entry is not None else ():
        needed_id = canonical_id(needed)
        if needed_id not in above and needed_id != capability_id:
            yield from _with_dependencies(needed_id, above | {capability_id})
    yield capability_id


def _implementation(capability_id: str, built: Mapping[str, Capability]) -> Capability | None:
    """The capability itself, or the family that it belongs to."""
    prefix, mark, _ = capability_id.partition(":")
    return built.get(prefix + mark if mark else capability_id)


def _prepared(
    grants: tuple[CapabilityGrant, ...],
    built: Mapping[str, Capability],
    scope_for: ScopeFor,
    preparation: Preparation,
) -> dict[str, Contribution | Exception]:
    """By id, what those with a `prepare` made, or why they did not."""
    work: dict[str, Callable[[], Contribution]] = {}
    for grant in grants:
        capability = _implementation(grant.ref, built)
        if capability is not None and capability.prepare is not None:
            scope = replace(scope_for(grant.ref), is_stopped=preparation.is_over)
            work[grant.ref] = partial(capability.prepare, grant.config, scope)
    return dict(zip(work, preparation.results(list(work.values())), strict=True))


def _contribution(
    grant: CapabilityGrant,
    built: Mapping[str, Capability],
    prepared: Mapping[str, Contribution | Exception],
) -> Contribution:
    capability = _implementation(grant.ref, built)
    if capability is None:
        return Contribution()
    fixed = Contribution(tools=capability.tools, system_prompt=capability.system_prompt)
    made = prepared.get(grant.ref)
    if made is None:
        return fixed
    # The capability's border: a turn is worth more than one capability of it.
    if isinstance(made, Exception):
        _log.error(
            "capability_not_prepared",
            capability=grant.ref,
            error=type(made).__name__,
            at=place_of(made),
        )
        return Contribution()
    prompts = [each for each in (fixed.system_prompt, made.system_prompt) if each]
    return Contribution(tools=(*fixed.tools, *made.tools), system_prompt="\n\n".join(prompts))
