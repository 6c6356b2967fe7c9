"""Values and secrets that an agent keeps with its session.

A secret is encrypted where it is stored, and `get` gives it to the model: from then on it is
part of the conversation, in its events and in what the model's provider is sent.  So a secret
set through the API is safe from everybody but the agent that was granted this capability.
"""

from __future__ import annotations

import re
from typing import Any, Final

from common.domain.capability_catalog.session_storage import SESSION_STORAGE as INFO
from common.domain.errors import BadRequest
from common.domain.session_storage import NAME_FORM, VALUE_BYTES
from common.storage import session_storage
from common.storage.engine import Tx
from worker.capabilities.capability import Capability, SideEffect, Tool, ToolContext
from worker.capabilities.file_tools import Arguments, answering
from worker.capabilities.services import Services

_NAME: Final = re.compile(NAME_FORM)
_CHANGES: Final = "session_storage"

Json = dict[str, Any]


def capability(services: Services) -> Capability:
    """The capability."""

    def kv_store(arguments: Arguments, context: ToolContext) -> Json:
        operation = arguments["operation"]
        ids = context.organization_id, context.session_id
        key = _key(arguments, "key")
        with services.database.of(context.organization_id).transaction() as tx:
            match operation:
                case "set":
                    _lock(tx, context)
                    session_storage.set_value(tx, *ids, key, _value(arguments))
                    return {"key": key, "stored": True}
                case "get":
                    value = session_storage.get_value(tx, *ids, key)
                    return {"key": key, "value": value, "exists": value is not None}
                case "delete":
                    _lock(tx, context)
                    session_storage.delete_value(tx, *ids, key)
                    return {"key": key, "deleted": True}
                case _:
                    keys = session_storage.keys(tx, *ids)
                    return {"keys": keys, "count": len(keys)}

    def secret_store(arguments: Arguments, context: ToolContext) -> Json:
        operation = arguments["operation"]
        ids = context.organization_id, context.session_id
        name = _key(arguments, "name")
        if operation == "set" and not _NAME.fullmatch(name):
            raise BadRequest("name must be letters, digits and _, and not begin with a digit")
        with services.database.of(context.organization_id).transaction() as tx:
            match operation:
                case "set":
                    _lock(tx, context)
                    secrets = {name: _value(arguments)}
                    session_storage.set_secrets(tx, services.secrets, *ids, secrets)
                    return {"name": name, "stored": True}
                case "get":
                    value = session_storage.get_secret(tx, services.secrets, *ids, name)
                    return {"name": name, "value": value, "exists": value is not None}
                case "delete":
                    _lock(tx, context)
                    session_storage.delete_secret(tx, *ids, name)
                    return {"name": name, "deleted": True}
                case _:
                    names = [each.name for each in session_storage.secret_names(tx, *ids)]
                    return {"names": names, "count": len(names)}

    # Setting or deleting again leaves what was left before.
    tools = tuple(
        Tool.declared(
            INFO.tool(name),
            side_effect=SideEffect.IDEMPOTENT,
            run=answering(run),
            concurrency_class=_CHANGES,
        )
        for name, run in (("kv_store", kv_store), ("secret_store", secret_store))
    )
    return Capability(id=INFO.id, tools=tools)


def _lock(tx: Tx, context: ToolContext) -> None:
    session_storage.lock(tx, context.organization_id, context.session_id, epoch=context.epoch)


def _key(arguments: Arguments, name: str) -> str:
    key: str | None = arguments.get(name)
    if key is None and arguments["operation"] != "list":
        raise BadRequest(f"{name} is missing")
    return key or ""


def _value(arguments: Arguments) -> str:
    value: str | None = arguments.get("value")
    if value is None:
        raise BadRequest("value is missing")
    if len(value.encode()) > VALUE_BYTES:
        raise BadRequest(f"value must not be longer than {VALUE_BYTES} bytes")
    return value
