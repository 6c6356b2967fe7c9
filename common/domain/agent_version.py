"""A version of an agent: what it was when it was changed, and how versions are counted.

A version holds the configuration without the agent's name, which is its identity: renaming
makes no version, and rolling back does not rename.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, fields
from datetime import datetime
from enum import StrEnum
from hashlib import blake2b
from itertools import zip_longest
from typing import Any, Final
from uuid import UUID

import orjson

from common.domain.agent import AgentConfig
from common.domain.harness import MergedHarness

Json = dict[str, Any]
Semver = tuple[int, int, int]

FIRST: Final[Semver] = (1, 0, 0)
_IDENTITY: Final = ("name", "harness_name")
_ABSENT: Final = object()


class ChangeKind(StrEnum):
    """What made a version."""

    AUTO = "auto"
    MANUAL = "manual"
    PATCH = "patch"
    MINOR = "minor"
    MAJOR = "major"
    IMPORT = "import"
    ROLLBACK = "rollback"
    FORK = "fork"


# What a caller may ask for by name; the others say what else was done.
ASKED_FOR: Final = (ChangeKind.MANUAL, ChangeKind.PATCH, ChangeKind.MINOR, ChangeKind.MAJOR)


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """What is said of a version when it is made.

    Attributes:
        summary: the caller's reason, None when none was given.
        source: the version that the configuration was taken from.
    """

    kind: ChangeKind = ChangeKind.AUTO
    summary: str | None = None
    source: UUID | None = None
    principal_id: UUID | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class AgentVersion:
    """A stored version.

    Attributes:
        number: 1, 2, 3 … of its agent.
        authored: what was written, by column name.
        resolved: the same with its harness merged in, as of then.
    """

    id: UUID
    agent_id: UUID
    number: int
    semver: Semver
    change: Change
    config_hash: str
    authored: Json
    resolved: Json
    created_at: datetime


def authored(config: AgentConfig) -> Json:
    """What a version keeps of a configuration, as JSON."""
    found = {
        each.name: getattr(config, each.name)
        for each in fields(AgentConfig)
        if each.name not in _IDENTITY
    }
    return {**found, "harness_id": None if config.harness_id is None else str(config.harness_id)}


def config_from(kept: Mapping[str, Any], *, name: str) -> AgentConfig:
    """The configuration of a version, for an agent of that name."""
    known = {each.name for each in fields(AgentConfig)} - set(_IDENTITY)
    given = {key: value for key, value in kept.items() if key in known}
    harness_id = given.pop("harness_id", None)
    return AgentConfig(name=name, harness_id=harness_id and UUID(harness_id), **given)


def hash_of(kept: Mapping[str, Any]) -> str:
    """A stable name for a configuration."""
    body = orjson.dumps(dict(kept), option=orjson.OPT_SORT_KEYS)
    return blake2b(body, digest_size=16).hexdigest()


def resolved(config: AgentConfig, harness: MergedHarness) -> Json:
    """The configuration with its harness: what a session with nothing of its own runs on."""
    prompts = (harness.system_prompt, config.system_prompt)
    return {
        "system_prompt": "\n\n".join(prompt for prompt in prompts if prompt),
        "default_model_id": config.default_model_id or harness.default_model_id,
        "fallback_models": config.fallback_models,
        "capabilities": _by("ref", harness.capabilities, config.capabilities),
        "tools": _by("name", harness.tools, config.tools),
        "initial_files": _by("path", harness.initial_files, config.initial_files),
        "mcp_servers": {**harness.mcp_servers, **config.mcp_servers},
        "network_access": _first(config.network_access, harness.network_access),
        "max_iterations": config.max_iterations,
        "parallel_tool_calls": _first(config.parallel_tool_calls, harness.parallel_tool_calls),
    }


def next_semver(before: Semver, kind: ChangeKind) -> Semver:
    """The number after `before`: major and minor when asked for, else the patch counts."""
    major, minor, patch = before
    if kind is ChangeKind.MAJOR:
        return major + 1, 0, 0
    if kind is ChangeKind.MINOR:
        return major, minor + 1, 0
    return major, minor, patch + 1


def differences(before: object, after: object, path: str = "") -> Iterator[Json]:
    """Each place where two JSON values differ, as `{path, from, to}`; null for an absent one."""
    if isinstance(before, dict) and isinstance(after, dict):
        for key in sorted({*before, *after}):
            inner = f"{path}.{key}" if path else key
            yield from differences(before.get(key, _ABSENT), after.get(key, _ABSENT), inner)
    elif isinstance(before, list) and isinstance(after, list):
        for place, (one, other) in enumerate(zip_longest(before, after, fillvalue=_ABSENT)):
            yield from differences(one, other, f"{path}[{place}]")
    elif type(before) is not type(after) or before != after:
        yield {"path": path, "from": _shown(before), "to": _shown(after)}


def _shown(value: object) -> object:
    return None if value is _ABSENT else value


def _by(key: str, *lists: list[Json]) -> list[Json]:
    """All of them, of two with one name the later one."""
    return list({item[key]: item for items in lists for item in items}.values())


def _first(*values: object) -> object:
    return next((value for value in values if value is not None), None)
