"""Lets an agent look at its session and give it a title."""

from __future__ import annotations

from typing import Any

from common.domain.capability_catalog.session import SESSION as INFO
from common.domain.errors import NotFound
from common.domain.ids import ANONYMOUS_PRINCIPAL, Kind, show_id
from common.domain.session import SessionPatch
from common.event_codec import show_time
from common.storage import sessions, titles
from worker.capabilities.capability import Capability, SideEffect, Tool, ToolContext
from worker.capabilities.file_tools import Arguments, answering
from worker.capabilities.services import Services


def capability(services: Services) -> Capability:
    """The capability."""

    def get_session_info(_arguments: Arguments, context: ToolContext) -> dict[str, Any]:
        with services.database.of(context.organization_id).reading() as tx:
            # Whether it is pinned is not told, so it is nobody's view in particular.
            found = sessions.find(
                tx,
                context.organization_id,
                context.session_id,
                principal_id=ANONYMOUS_PRINCIPAL,
            )
        if found is None:
            raise NotFound("Session not found")
        agent_id = found.agent_id
        return {
            "session_id": show_id(Kind.SESSION, found.id),
            "title": found.config.title,
            "locale": found.config.locale,
            "tags": found.config.tags,
            "agent_id": None if agent_id is None else show_id(Kind.AGENT, agent_id),
            "workspace_id": show_id(Kind.WORKSPACE, found.workspace_id),
            "status": found.status,
            "created_at": show_time(found.created_at),
        }

    def write_session_title(arguments: Arguments, context: ToolContext) -> dict[str, Any]:
        title = arguments["title"].strip()
        with services.database.of(context.organization_id).transaction() as tx:
            events = titles.change(
                tx,
                context.organization_id,
                context.session_id,
                SessionPatch(given=frozenset({"title"}), title=title),
                epoch=context.epoch,
            )
        if events:
            services.publish(context.session_id, events)
        return {"title": title, "success": True}

    return Capability(
        id=INFO.id,
        tools=(
            Tool.declared(
                INFO.tool("get_session_info"),
                side_effect=SideEffect.PURE,
                run=answering(get_session_info),
            ),
            # The same title again changes nothing and is no event.
            Tool.declared(
                INFO.tool("write_session_title"),
                side_effect=SideEffect.IDEMPOTENT,
                run=answering(write_session_title),
            ),
        ),
    )
