"""Versions of agents on the wire: the bodies that come in, the objects that go out."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any
from uuid import UUID

from marshmallow import fields, post_load, validate

from api.schemas.agents import check_name
from api.schemas.fields import Boolean, Id, Text, unacceptable
from api.schemas.shared import Body
from common.domain.agent import DESCRIPTION_BYTES, NAME_CHARACTERS
from common.domain.agent_version import ASKED_FOR, AgentVersion, ChangeKind, differences
from common.domain.ids import Kind, show_id
from common.event_codec import show_time

SUMMARY_CHARACTERS = 1000


@dataclass(frozen=True, slots=True)
class NewVersion:
    """A version that is asked for."""

    kind: ChangeKind
    summary: str | None


@dataclass(frozen=True, slots=True)
class NewFork:
    """The agent that a version is to become."""

    name: str
    display_name: str | None
    description: str | None


@dataclass(frozen=True, slots=True)
class Rollback:
    """A way back.  `saves_current`: keep what there is now as a version of its own."""

    saves_current: bool
    summary: str | None


class Summary(Text):
    """A sentence of a person's."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(
            allow_none=True,
            load_default=None,
            validate=validate.Length(max=SUMMARY_CHARACTERS),
            **kwargs,
        )


def _check_kind(text: str) -> None:
    if text not in ASKED_FOR:
        raise unacceptable(f"Must be one of {', '.join(ASKED_FOR)}")


class NewVersionSchema(Body):
    """Body of POST …/versions."""

    change_kind = Text(allow_none=True, load_default=None, validate=_check_kind)
    summary = Summary()

    @post_load
    def make(self, data: dict[str, Any], **_: object) -> NewVersion:
        """Build the command."""
        return NewVersion(ChangeKind(data["change_kind"] or "manual"), data["summary"])


class DefaultVersionSchema(Body):
    """Body of POST …/versions/default; null goes back to the agent as it is."""

    version_id = Id(Kind.AGENT_VERSION, required=True, allow_none=True)


class NewForkSchema(Body):
    """Body of POST …/fork."""

    name = Text(required=True, validate=[validate.Length(max=NAME_CHARACTERS), check_name])
    display_name = Text(allow_none=True, load_default=None, validate=validate.Length(max=256))
    description = Text(allow_none=True, load_default=None, max_bytes=DESCRIPTION_BYTES)

    @post_load
    def make(self, data: dict[str, Any], **_: object) -> NewFork:
        """Build the command."""
        return NewFork(data["name"], data["display_name"], data["description"])


class RollbackSchema(Body):
    """Body of POST …/rollback."""

    save_version = Boolean(allow_none=True, load_default=None)
    summary = Summary()

    @post_load
    def make(self, data: dict[str, Any], **_: object) -> Rollback:
        """Build the command."""
        return Rollback(data["save_version"] is True, data["summary"])


class AgentVersionSchema(Body):
    """A version of an agent."""

    id = fields.String(required=True)
    agent_id = fields.String(required=True)
    version = fields.String(required=True)
    version_number = fields.Integer(required=True)
    semver_major = fields.Integer(required=True)
    semver_minor = fields.Integer(required=True)
    semver_patch = fields.Integer(required=True)
    change_kind = fields.String(
        required=True, validate=validate.OneOf([str(kind) for kind in ChangeKind])
    )
    summary = fields.String(required=True, allow_none=True)
    config_hash = fields.String(required=True)
    authored_config = fields.Dict(required=True)
    resolved_config = fields.Dict(required=True)
    source_version_id = fields.String(required=True, allow_none=True)
    created_by_principal_id = fields.String(required=True, allow_none=True)
    created_at = fields.DateTime(required=True)


class DiffSchema(Body):
    """What one version has and another has not."""

    from_version_id = fields.String(required=True)
    to_version_id = fields.String(required=True)
    authored_diff = fields.List(fields.Dict(), required=True)
    resolved_diff = fields.List(fields.Dict(), required=True)


def show_version(version: AgentVersion) -> dict[str, Any]:
    """The version as responses carry it."""
    major, minor, patch = version.semver
    change = version.change
    return {
        "id": show_id(Kind.AGENT_VERSION, version.id),
        "agent_id": show_id(Kind.AGENT, version.agent_id),
        "version": f"{major}.{minor}.{patch}",
        "version_number": version.number,
        "semver_major": major,
        "semver_minor": minor,
        "semver_patch": patch,
        "change_kind": change.kind,
        "summary": change.summary,
        "config_hash": version.config_hash,
        "authored_config": _shown(version.authored),
        "resolved_config": _shown(version.resolved),
        "source_version_id": change.source and show_id(Kind.AGENT_VERSION, change.source),
        "created_by_principal_id": change.principal_id and str(change.principal_id),
        "created_at": show_time(version.created_at),
    }


def show_diff(one: AgentVersion, other: AgentVersion) -> dict[str, Any]:
    """Where two versions differ."""
    return {
        "from_version_id": show_id(Kind.AGENT_VERSION, one.id),
        "to_version_id": show_id(Kind.AGENT_VERSION, other.id),
        "authored_diff": list(differences(_shown(one.authored), _shown(other.authored))),
        "resolved_diff": list(differences(_shown(one.resolved), _shown(other.resolved))),
    }


def _shown(config: dict[str, Any]) -> dict[str, Any]:
    """With the wire's spellings."""
    shown = {("mcpServers" if key == "mcp_servers" else key): config[key] for key in config}
    if shown.get("harness_id") is not None:
        shown["harness_id"] = show_id(Kind.HARNESS, UUID(shown["harness_id"]))
    return shown
