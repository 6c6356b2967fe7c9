"""The second wall (I9): PostgreSQL itself shows a request its organization's rows alone.

The api runs as an owner of the tables that is no superuser, as in production.
"""

from collections.abc import Iterator
from dataclasses import replace
from typing import Any, cast
from uuid import UUID

import pytest
from apiflask import APIFlask
from flask import Response
from sqlalchemy import text
from sqlalchemy.exc import ProgrammingError
from structlog.testing import capture_logs

from api import second_wall
from api.app import create_app
from api.deps import Deps
from api.endpoint import Call, Contract, endpoint, json_response
from common.clock import new_id
from common.domain.access import Scope
from common.settings import Settings
from common.storage.engine import Database
from common.storage.prepared import Prepared
from common.storage.schema import metadata
from tests.contract.api.client import Api, Document
from tests.contract.api.conftest import Holder, gate_of, guarded_deps, make_organization
from tests.contract.api.tenants import Things
from tests.contract.api.test_cross_tenant import (
    test_what_the_owner_finds_is_not_found_by_another_who_says_the_same as walk,
)
from tests.servers import Servers
from tests.statements import sent

# Nothing of the walk puts a row there.
UNUSED = {"turn_configs"}
OWNED = {name for name, table in metadata.tables.items() if "organization_id" in table.columns}


@pytest.fixture(scope="module")
def bound(shared_database_url: str, servers: Servers) -> Iterator[Database]:
    database = Database(servers.bind(shared_database_url), pool_size=16, application="bound")
    yield database
    database.close()


@pytest.fixture(scope="module")
def bound_app(deps: Deps, bound: Database) -> Iterator[APIFlask]:
    app = create_app(replace(guarded_deps(deps), database=bound))
    app.add_url_rule("/v1/forgetful", view_func=cast(Any, forgetful))
    yield app
    gate_of(app).close()


@endpoint(Contract(summary="Without a predicate", scope=Scope.AGENTS_READ))
def forgetful(call: Call[None, None]) -> Response:
    """What no query of ours does."""
    with call.deps.database.reading() as tx:
        names = tx.execute(text("SELECT name FROM agents ORDER BY name")).scalars().all()
    return json_response({"names": list(names)})


@pytest.fixture
def tenants(
    holder: Holder, bound_app: APIFlask, database: Database, document: Document
) -> list[Things]:
    made = []
    for mark in ("one", "other"):
        key = holder(organization_id=make_organization(database), principal_id=new_id())
        made.append(Things(Api(bound_app, key.headers, document), database, mark))
    return made


def organizations_of(tenants: list[Things]) -> list[UUID]:
    return [UUID(each.api.session()["organization_id"].removeprefix("org_")) for each in tenants]


def test_every_table_with_an_organization_has_the_wall(bound: Database) -> None:
    """A new one fails here until a migration puts it behind the wall."""
    with bound.reading() as tx:
        walled = tx.execute(
            text(
                "SELECT c.relname FROM pg_class c JOIN pg_policy p ON p.polrelid = c.oid"
                " WHERE c.relrowsecurity AND c.relforcerowsecurity AND p.polname = 'own_rows'"
            )
        )
        assert set(walled.scalars()) == OWNED


def test_nothing_in_the_catalog_leads_past_the_wall(bound: Database) -> None:
    """Whatever made it: a table that no model tells of, a view, a function, another policy."""
    with bound.reading() as tx:
        owned = tx.execute(
            text(
                "SELECT relname FROM pg_class c JOIN pg_attribute a ON a.attrelid = c.oid"
                " WHERE relnamespace = 'public'::regnamespace AND relkind IN ('r', 'p')"
                " AND attname = 'organization_id'"
            )
        )
        assert set(owned.scalars()) == OWNED
        views = text(
            "SELECT relname FROM pg_class"
            " WHERE relnamespace = 'public'::regnamespace AND relkind IN ('v', 'm', 'f')"
        )
        assert tx.execute(views).scalars().all() == []
        raised = text(
            "SELECT proname FROM pg_proc WHERE pronamespace = 'public'::regnamespace AND prosecdef"
        )
        assert tx.execute(raised).scalars().all() == []
        policies = tx.execute(
            text(
                "SELECT tablename, policyname, cmd FROM pg_policies"
                " WHERE permissive = 'PERMISSIVE' AND roles = '{public}'"
            )
        ).all()
        every = tx.execute(text("SELECT count(*) FROM pg_policies")).scalar_one()
    assert len(policies) == every
    assert {(policy, deed) for _, policy, deed in policies} == {
        ("own_rows", "ALL"),
        ("shared_rows", "SELECT"),
    }


def test_a_query_without_a_predicate_sees_its_own_organization(
    bound: Database, tenants: list[Things]
) -> None:
    for each in tenants:
        each.make_all()
    for own in organizations_of(tenants):
        for table in OWNED - {"idempotency_keys", "session_secrets", "session_values"}:
            with bound.of(own).reading() as tx:
                seen = set(tx.execute(text(f"SELECT organization_id FROM {table}")).scalars())  # noqa: S608
            assert seen - {None} <= {own}, table
            assert own in seen or table in UNUSED, table
    with bound.reading() as tx:
        everybody = set(tx.execute(text("SELECT organization_id FROM agents")).scalars())
    assert everybody >= set(organizations_of(tenants))


def test_a_view_that_forgets_its_predicate_shows_no_others(tenants: list[Things]) -> None:
    one, other = tenants
    names = [one.api.agent(name=one.name())["name"] for _ in range(2)]
    other["agent"]
    assert one.api.get("/v1/forgetful").body == {"names": sorted(names)}


def test_nothing_is_changed_or_made_for_another(bound: Database, tenants: list[Things]) -> None:
    one, other = organizations_of(tenants)
    with bound.of(one).transaction() as tx:
        tx.execute(text("UPDATE sessions SET title = 'mine'"))
        tx.execute(text("DELETE FROM idempotency_keys"))
        tx.execute(text("UPDATE harnesses SET description = 'mine'"))
        tx.execute(text("DELETE FROM models WHERE organization_id IS NULL"))
    with bound.reading() as tx:
        titles = text("SELECT DISTINCT title FROM sessions WHERE organization_id = :o")
        assert tx.execute(titles, {"o": other}).scalars().all() == [None]
        assert tx.execute(titles, {"o": one}).scalars().all() == ["mine"]
        built_in = "organization_id IS NULL"
        kept = tx.execute(text(f"SELECT description FROM harnesses WHERE {built_in}")).scalars()  # noqa: S608
        assert "mine" not in set(kept)
        assert tx.execute(text(f"SELECT 1 FROM models WHERE {built_in}")).first() is not None  # noqa: S608
    for organization in (other, None):
        with pytest.raises(ProgrammingError), bound.of(one).transaction() as tx:
            tx.execute(
                text("INSERT INTO harnesses (id, organization_id, name) VALUES (:id, :o, 'x')"),
                {"id": new_id(), "o": organization},
            )


def test_what_was_said_ends_with_the_transaction(bound: Database, tenants: list[Things]) -> None:
    one, other = organizations_of(tenants)
    asked = text("SELECT DISTINCT organization_id FROM sessions WHERE organization_id = ANY(:ids)")
    both = {"ids": [one, other]}
    url = bound.engine.url.render_as_string(hide_password=False)
    single = Database(url, pool_size=1, application="bound")
    for scope, expected in (
        (single.of(one), {one}),
        (single.of(other), {other}),
        (single, {one, other}),
        (single.of(one).across_organizations(), {one, other}),
    ):
        with scope.transaction() as tx:
            for _ in range(2):
                assert set(tx.execute(asked, both).scalars()) == expected
        with scope.reading() as tx:
            for _ in range(2):
                assert set(tx.execute(asked, both).scalars()) == expected
    single.close()


def test_the_whole_api_works_behind_it(app: APIFlask, tenants: list[Things]) -> None:
    walk(app, *tenants)


def test_the_wall_costs_no_statement(bound: Database, tenants: list[Things]) -> None:
    """It is said in front of the first statement of a transaction, in one round trip."""
    one, _ = organizations_of(tenants)
    hot = Prepared("test_wall", "SELECT :number AS number", number="int")
    with bound.of(one).reading() as tx:
        hot.on(tx, {"number": 1})
    with sent(bound.engine) as trips:
        with bound.of(one).transaction() as tx:
            for _ in range(3):
                tx.execute(text("SELECT 1"))
        with bound.of(one).reading() as tx:
            tx.execute(text("SELECT 1"))
        with bound.of(one).transaction() as tx:
            hot.on(tx, {"number": 1})
            hot.on(tx, {"number": 2})
    said = f"SET LOCAL everturn.organization = '{one}'; "
    assert trips == [
        f"BEGIN; {said}SELECT 1",
        "SELECT 1",
        "SELECT 1",
        f"{said}SELECT 1",
        f"BEGIN; {said}EXECUTE test_wall (1)",
        "EXECUTE test_wall (2)",
    ]


def test_a_role_that_is_not_bound_is_warned_of_at_the_start(
    deps: Deps, database: Database, bound: Database
) -> None:
    guarded = guarded_deps(deps).settings
    away = Database("postgresql://nobody@127.0.0.1:1/nothing", pool_size=1, application="away")
    assert warnings(guarded, database) == ["row_security_off"]
    assert warnings(guarded, bound) == []
    assert warnings(guarded, away) == []
    assert second_wall.look(deps.settings, database) is None


def warnings(settings: Settings, database: Database) -> list[str]:
    with capture_logs() as logs:
        thread = second_wall.look(settings, database)
        assert thread is not None
        thread.join()
    return [each["event"] for each in logs if each["log_level"] == "warning"]
