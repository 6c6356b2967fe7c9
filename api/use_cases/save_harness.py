"""Create, change, copy or archive a harness; names are unique by their slug."""

from __future__ import annotations

from dataclasses import replace
from http import HTTPStatus
from itertools import count
from typing import Any
from uuid import UUID

from api.auth import Caller
from api.deps import Deps
from api.use_cases.granted_servers import check_granted
from common.domain.agent import NamedRef, copy_name, slug_of
from common.domain.errors import Conflict, FieldProblem, Forbidden, NotFound, Unprocessable
from common.domain.harness import MAX_PARENTS, Harness, HarnessConfig, HarnessStatus
from common.storage import harnesses, idempotency, organizations
from common.storage.engine import Tx
from common.storage.idempotency import IdempotencyKey


def create_harness(
    deps: Deps, caller: Caller, config: HarnessConfig, key: IdempotencyKey | None
) -> Harness:
    """Create a harness.

    Raises:
        Conflict: another one has the name.
        NotFound: its parent does not exist.
        Unprocessable: its chain of parents would be too long.
    """
    with deps.database.transaction() as tx:
        harness_id, is_repeat = _id_for(tx, deps, key)
        if not is_repeat:
            organizations.lock(tx, caller.organization_id)
            check_granted(tx, caller.organization_id, config.capabilities)
            _insert(tx, caller.organization_id, harness_id, config)
        return find_harness(tx, caller.organization_id, _by_id(harness_id))


def copy_harness(deps: Deps, caller: Caller, ref: NamedRef, key: IdempotencyKey | None) -> Harness:
    """Make a harness of the caller's own of an existing one, under the first free name.

    Raises:
        NotFound: there is no such harness.
    """
    with deps.database.transaction() as tx:
        source = find_harness(tx, caller.organization_id, ref)
        bound = None if key is None else replace(key, scope=str(source.id))
        harness_id, is_repeat = _id_for(tx, deps, bound)
        if not is_repeat:
            organizations.lock(tx, caller.organization_id)
            names = (copy_name(source.config.name, number=number) for number in count(1))
            name = next(name for name in names if _holder(tx, caller.organization_id, name) is None)
            _insert(tx, caller.organization_id, harness_id, replace(source.config, name=name))
        return find_harness(tx, caller.organization_id, _by_id(harness_id))


def patch_harness(deps: Deps, caller: Caller, ref: NamedRef, given: dict[str, Any]) -> Harness:
    """Change the fields that are given; null takes a field back to its default.

    Raises:
        NotFound: the harness or its new parent does not exist.
        Forbidden: it is built in.
        Conflict: another one has the new name.
        Unprocessable: it would stand on itself, or on too many.
    """
    with deps.database.transaction() as tx:
        organizations.lock(tx, caller.organization_id)
        existing = find_harness(tx, caller.organization_id, ref)
        _refuse_built_in(existing)
        cleared = HarnessConfig(name=existing.config.name)
        changes = {
            name: getattr(cleared, name) if value is None else value
            for name, value in given.items()
        }
        config = replace(existing.config, **changes)
        if "capabilities" in changes:
            check_granted(tx, caller.organization_id, config.capabilities)
        holder = _holder(tx, caller.organization_id, config.name)
        if holder is not None and holder.id != existing.id:
            raise Conflict("Another harness has this name")
        if config.parent_harness_id != existing.config.parent_harness_id:
            _check_parent(tx, caller.organization_id, config, of=existing.id)
        harnesses.update(tx, caller.organization_id, existing.id, config, slug=slug_of(config.name))
        return find_harness(tx, caller.organization_id, _by_id(existing.id))


def archive_harness(deps: Deps, caller: Caller, ref: NamedRef) -> None:
    """Archive it: what has it goes on, nothing new can have it.  May be repeated.

    Raises:
        NotFound: there is no such harness.
        Forbidden: it is built in.
    """
    with deps.database.transaction() as tx:
        organizations.lock(tx, caller.organization_id)
        existing = find_harness(tx, caller.organization_id, ref)
        _refuse_built_in(existing)
        harnesses.archive(tx, caller.organization_id, existing.id)


def find_harness(tx: Tx, organization_id: UUID, ref: NamedRef) -> Harness:
    """The harness that is meant.

    Raises:
        NotFound: there is none.
    """
    found = harnesses.find(tx, organization_id, ref)
    if found is None:
        raise NotFound("Harness not found")
    return found


def _id_for(tx: Tx, deps: Deps, key: IdempotencyKey | None) -> tuple[UUID, bool]:
    """The id of the harness that the request makes, and whether it has made it before."""
    harness_id = deps.new_id()
    if key is None:
        return harness_id, False
    first = idempotency.first_answer(
        tx, key, resource_id=harness_id.hex, status_code=HTTPStatus.CREATED
    )
    return (harness_id, False) if first is None else (UUID(first.resource_id), True)


def _insert(tx: Tx, organization_id: UUID, harness_id: UUID, config: HarnessConfig) -> None:
    if _holder(tx, organization_id, config.name) is not None:
        raise Conflict("Another harness has this name")
    _check_parent(tx, organization_id, config, of=None)
    harnesses.insert(tx, organization_id, harness_id, config, slug=slug_of(config.name))


def _check_parent(tx: Tx, organization_id: UUID, config: HarnessConfig, *, of: UUID | None) -> None:
    """Refuse a parent that is not there, stands on the harness itself, or makes too long a line."""
    if config.parent_harness_id is None:
        return
    parent = harnesses.find(tx, organization_id, _by_id(config.parent_harness_id))
    if parent is None or parent.status is not HarnessStatus.ACTIVE:
        raise NotFound("Parent harness not found")
    line = harnesses.line_of(tx, organization_id, parent.id)
    if of in line:
        raise _unacceptable("The harness would be its own parent")
    height = 0 if of is None else harnesses.height_of(tx, organization_id, of)
    if len(line) + height > MAX_PARENTS:
        raise _unacceptable(f"A harness cannot stand on more than {MAX_PARENTS} others")


def _unacceptable(message: str) -> Unprocessable:
    return Unprocessable(message, problems=(FieldProblem("parent_harness_id", message),))


def _refuse_built_in(harness: Harness) -> None:
    if harness.is_built_in:
        raise Forbidden("A built-in harness cannot be changed; copy it")


def _holder(tx: Tx, organization_id: UUID, name: str) -> Harness | None:
    return harnesses.find(tx, organization_id, NamedRef(None, slug_of(name), name))


def _by_id(harness_id: UUID) -> NamedRef:
    return NamedRef(harness_id, None, "")
