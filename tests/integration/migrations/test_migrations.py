import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from pathlib import Path

import psycopg2
import pytest
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import NullPool, create_engine
from sqlalchemy.exc import OperationalError

from common.migrate import upgrade
from common.storage.engine import driver_url, sqlstate
from common.storage.schema import metadata
from dev.paths import ROOT
from tests.conditions import wait_until
from tests.integration.migrations.conftest import Databases, structure
from tests.servers import execute

_RELEASES = sorted(Path(__file__).parent.glob("schema-*.sql"))
# What migrations make and the tables' description has no words for.
_BESIDE_TABLES = (
    "CREATE FUNCTION",
    "CREATE OR REPLACE FUNCTION",
    "CREATE TRIGGER",
    "policy",
    "row security",
)


def _scripts() -> ScriptDirectory:
    config = Config()
    config.set_main_option("script_location", str(ROOT / "migrations"))
    config.set_main_option("path_separator", "os")
    return ScriptDirectory.from_config(config)


def _revision(url: str) -> list[tuple[object, ...]]:
    return execute(url, "SELECT version_num FROM alembic_version")


def _tables_only(lines: list[str]) -> list[str]:
    return [
        line
        for line in lines
        if not line.startswith(_BESIDE_TABLES) and "alembic_version" not in line
    ]


def test_an_empty_database_is_brought_to_head(databases: Databases) -> None:
    url = databases.empty()
    upgrade(url)
    assert _revision(url) == [(_scripts().get_current_head(),)]
    assert {str(name) for (name,) in execute(url, "SELECT name FROM harnesses")} == {
        "base",
        "generic",
    }
    simulated = "SELECT m.model_id FROM models m JOIN providers p ON p.id = m.provider_id"
    assert execute(url, f"{simulated} WHERE p.name = 'Simulated'") == [("llmsim-model",)]
    assert execute(url, "SELECT count(*) FROM models WHERE provider_id IS NULL") == [(0,)]
    assert execute(url, "SELECT name FROM providers ORDER BY id") == [
        ("OpenAI",),
        ("Anthropic",),
        ("Simulated",),
    ]
    assert execute(url, "SELECT count(*) FROM organizations") == [(1,)]


def test_bringing_it_there_again_changes_nothing(database_url: str) -> None:
    before = structure(database_url)
    upgrade(database_url)
    assert structure(database_url) == before


def test_there_is_one_line_of_migrations() -> None:
    scripts = _scripts()
    assert len(scripts.get_heads()) == len(scripts.get_bases()) == 1


def test_alembic_finds_nothing_to_migrate(database_url: str) -> None:
    engine = create_engine(driver_url(database_url), poolclass=NullPool)
    with engine.connect() as connection:
        context = MigrationContext.configure(
            connection, opts={"compare_type": True, "compare_server_default": True}
        )
        assert compare_metadata(context, metadata) == []


def test_migrations_make_exactly_the_tables_that_the_code_describes(
    databases: Databases, database_url: str
) -> None:
    # Beyond what Alembic compares: conditions of indexes, checks, fill factors, names.
    url = databases.empty()
    engine = create_engine(driver_url(url), poolclass=NullPool)
    metadata.create_all(engine)
    assert _tables_only(structure(database_url)) == _tables_only(structure(url))


def test_every_revision_s_schema_was_kept() -> None:
    kept = {path.stem.removeprefix("schema-") for path in _RELEASES}
    made = {script.revision for script in _scripts().walk_revisions()}
    assert kept <= made
    assert "0001" in kept


@pytest.mark.parametrize("release", _RELEASES, ids=lambda path: path.stem)
def test_a_database_of_an_earlier_release_becomes_what_a_new_one_is(
    databases: Databases, database_url: str, release: Path
) -> None:
    url = databases.empty()
    execute(url, release.read_text(encoding="utf-8"))
    assert _revision(url) == [(release.stem.removeprefix("schema-"),)]
    upgrade(url)
    assert structure(url) == structure(database_url)
    rows = "SELECT id, name, capabilities FROM harnesses ORDER BY id"
    assert execute(url, rows) == execute(database_url, rows)


def _start_upgrade(url: str) -> subprocess.Popen[str]:
    # Alembic keeps its state in the module: only processes can run it side by side.
    program = "import sys; from common.migrate import upgrade; upgrade(sys.argv[1])"
    return subprocess.Popen(  # noqa: S603 - our own program
        [sys.executable, "-c", program, url], cwd=ROOT, stderr=subprocess.PIPE, text=True
    )


def _waiting(url: str, wait_event: str) -> int:
    waiting = execute(
        url,
        "SELECT wait_event FROM pg_stat_activity WHERE datname = current_database()"
        " AND wait_event_type = 'Lock'",
    )
    return waiting.count((wait_event,))


def test_two_upgrades_at_once_do_not_collide(databases: Databases, database_url: str) -> None:
    url = databases.empty()
    with closing(psycopg2.connect(url)) as in_the_way, ThreadPoolExecutor(1) as thread:
        in_the_way.cursor().execute("CREATE TABLE events ()")
        first = _start_upgrade(url)
        wait_until(lambda: _waiting(url, "transactionid"), description="one is in the middle")
        second = thread.submit(upgrade, url)
        wait_until(lambda: _waiting(url, "advisory"), description="the other waits for it")
        in_the_way.rollback()
        fault = first.communicate(timeout=60)[1]
        assert first.returncode == 0, fault
        second.result(timeout=60)
    assert structure(url) == structure(database_url)
    assert len(_revision(url)) == 1


def test_an_upgrade_gives_up_on_a_lock_before_it_holds_everybody_up(database_url: str) -> None:
    with closing(psycopg2.connect(database_url)) as busy:
        busy.cursor().execute("LOCK TABLE alembic_version IN ACCESS EXCLUSIVE MODE")
        began = time.monotonic()
        with pytest.raises(OperationalError) as given_up:
            upgrade(database_url)
        assert sqlstate(given_up.value) == "55P03"
        assert time.monotonic() - began < 10
    # It let go of everything: the next attempt, in another process, finds the way free.
    held = (
        "SELECT count(*) FROM pg_locks l JOIN pg_database d ON d.oid = l.database"
        " WHERE l.locktype = 'advisory' AND d.datname = current_database()"
    )
    assert execute(database_url, held) == [(0,)]
    upgrade(database_url)
