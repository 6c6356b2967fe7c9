"""A role that row security binds saves every organization's rows, if it says how."""

import os
import subprocess
from pathlib import Path

from sqlalchemy import text

from common.clock import new_id
from common.storage.engine import Database
from dev.children import unprivileged_account
from dev.postgres_binaries import find_binaries
from tests import documented
from tests.servers import Servers


def test_a_bound_role_saves_everything_as_the_page_says(
    database_url: str, servers: Servers, tmp_path: Path
) -> None:
    ids = [new_id() for _ in range(4)]
    database = Database(database_url, pool_size=1, application="test")
    with database.transaction() as tx:
        for organization_id, agent_id in (ids[:2], ids[2:]):
            tx.execute(
                text("INSERT INTO organizations (id, name) VALUES (:id, 'A test')"),
                {"id": organization_id},
            )
            tx.execute(
                text("INSERT INTO harnesses (id, organization_id, name) VALUES (:id, :o, 'x')"),
                {"id": agent_id, "o": organization_id},
            )
    database.close()
    saving = documented.block("docs/operations.md", "Backup and restore").splitlines()[0]
    bound = servers.bind(database_url)

    assert run(saving.replace("--enable-row-security ", ""), bound, tmp_path).returncode == 1
    saved = run(saving, bound, tmp_path)
    assert saved.returncode == 0, saved.stderr

    told = run("pg_restore --data-only --table=harnesses --file=- everturn.dump", bound, tmp_path)
    assert all(str(each) in told.stdout for each in ids)


def run(script: str, url: str, directory: Path) -> subprocess.CompletedProcess[str]:
    binaries = find_binaries(unprivileged_account()).directory
    return subprocess.run(  # noqa: S603 - what the page says
        ["/bin/sh", "-e", "-c", script],
        cwd=directory,
        env={"PATH": f"{binaries}:{os.defpath}", "DATABASE_URL": url},
        capture_output=True,
        text=True,
        check=False,
    )
