"""Rules about capabilities and tools, and what the prompt says of them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator
from typing import Final

import re2
from jsonschema import Draft202012Validator
from jsonschema.exceptions import SchemaError

from api.analysis.finding import Draft, Finding, Location
from common.domain.capability_catalog import CapabilityStatus, RiskLevel, canonical_id, family_of

_MANY_TOOLS: Final = 40
_SHORT_DESCRIPTION: Final = 10
# A word with an underscore is how tools are called; whole words, so `read_file` is not in
# `read_files`.
_TOOL_WORD: Final = re2.compile(r"\b[a-z][a-z0-9]*(?:_[a-z0-9]+)+\b")


def check_capabilities(draft: Draft) -> Iterator[Finding]:
    """Every reference must mean something, and something that is there."""
    for place, given in enumerate(draft.capabilities):
        ref = str(given.get("ref"))
        location = Location(f"capabilities[{place}]")
        info = draft.known.get(canonical_id(ref))
        if info is None:
            if family_of(ref) is None:
                yield Finding(
                    rule_id="capability_unknown",
                    category="structure",
                    severity="warning",
                    message=f"There is no capability {ref[:100]!r}; an agent cannot have it.",
                    fix="See GET /v1/capabilities.",
                    location=location,
                )
        elif info.status is CapabilityStatus.COMING_SOON:
            yield Finding(
                rule_id="capability_not_built",
                category="completeness",
                severity="warning",
                message=f"The capability {info.id!r} is not built yet and contributes nothing.",
                location=location,
            )
        elif info.status is CapabilityStatus.DEPRECATED:
            yield Finding(
                rule_id="capability_deprecated",
                category="structure",
                severity="info",
                message=f"The capability {info.id!r} is deprecated.",
                location=location,
            )


def check_risk(draft: Draft) -> Iterator[Finding]:
    """Reaching outside together with secrets is how secrets get out."""
    infos = [draft.known.get(canonical_id(str(given.get("ref")))) for given in draft.capabilities]
    ids = {info.id for info in infos if info is not None}
    risky = [info.id for info in infos if info is not None and info.risk_level is RiskLevel.HIGH]
    if risky and "session_storage" in ids:
        yield Finding(
            rule_id="capability_secrets_and_network",
            category="safety",
            severity="warning",
            message=f"The agent can read secrets and reach outside ({', '.join(risky[:5])}).",
            fix="Restrict `network_access` to the hosts it needs.",
            location=Location("capabilities"),
        )


def check_repeated_tools(draft: Draft) -> Iterator[Finding]:
    """Of two tools of one name, only one is ever called."""
    granted = _granted(draft)
    named = Counter(str(tool.get("name")) for tool in draft.tools)
    for name, number in named.items():
        if number > 1 or name in granted:
            yield Finding(
                rule_id="tool_name_repeated",
                category="structure",
                severity="warning",
                message=f"There are two tools called {name[:100]!r}.",
                fix="Rename one of them.",
                location=Location("tools"),
            )


def check_descriptions(draft: Draft) -> Iterator[Finding]:
    """The description is all that a model has to choose a tool by."""
    for place, tool in enumerate(draft.tools):
        description = str(tool.get("description") or "").strip()
        if len(description) < _SHORT_DESCRIPTION:
            yield Finding(
                rule_id="tool_no_description",
                category="effectiveness",
                severity="warning",
                message=f"The tool {str(tool.get('name'))[:100]!r} is hardly described.",
                fix="Say what it does, when to use it, and what it returns.",
                location=Location(f"tools[{place}].description"),
            )


def check_schemas(draft: Draft) -> Iterator[Finding]:
    """Providers refuse the whole request for one bad schema."""
    for place, tool in enumerate(draft.tools):
        parameters = tool.get("parameters")
        location = Location(f"tools[{place}].parameters")
        if not isinstance(parameters, dict) or parameters.get("type", "object") != "object":
            message = "must be a JSON Schema of an object"
        else:
            try:
                Draft202012Validator.check_schema(parameters)
            except SchemaError:
                message = "are no valid JSON Schema"
            else:
                continue
        yield Finding(
            rule_id="tool_invalid_schema",
            category="structure",
            severity="warning",
            message=f"The parameters of {str(tool.get('name'))[:100]!r} {message}.",
            location=location,
        )


def check_named_tools(draft: Draft) -> Iterator[Finding]:
    """The prompt tells the model to use a tool that it does not have."""
    own = {str(tool.get("name")) for tool in draft.tools} | _granted(draft)
    builtin = {name: info.id for info in draft.known.values() for name in info.tool_names}
    reported: set[str] = set()
    for found in _TOOL_WORD.finditer(draft.system_prompt):
        name = found.group(0)
        if name in own or name not in builtin or name in reported:
            continue
        reported.add(name)
        yield Finding(
            rule_id="tool_not_granted",
            category="completeness",
            severity="warning",
            message=f"The system prompt names the tool {name!r}, which the agent does not have.",
            fix=f"Grant the capability {builtin[name]!r}, or take the name out.",
            location=Location("system_prompt", *found.span()),
        )


def check_number(draft: Draft) -> Iterator[Finding]:
    """Every tool's schema is sent with every call, and models choose worse among many."""
    number = len(draft.tools) + len(_granted(draft))
    if number > _MANY_TOOLS:
        yield Finding(
            rule_id="tools_many",
            category="cost",
            severity="info",
            message=f"The agent has {number} tools, whose schemas every call of the model sends.",
            fix="Split the work over agents with fewer tools each.",
            location=Location("tools"),
        )


def _granted(draft: Draft) -> set[str]:
    infos = (draft.known.get(canonical_id(str(given.get("ref")))) for given in draft.capabilities)
    return {name for info in infos if info is not None for name in info.tool_names}


RULES: Final[tuple[Callable[[Draft], Iterator[Finding]], ...]] = (
    check_capabilities,
    check_risk,
    check_repeated_tools,
    check_descriptions,
    check_schemas,
    check_named_tools,
    check_number,
)
