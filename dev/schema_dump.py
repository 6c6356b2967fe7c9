"""`make schema`: keep what the newest revision makes, for the tests of later upgrades.

One file a revision beside the tests of migrations.  Written once, at the end of the work
that brought the revision: a later upgrade starts from what was released, not from what
the code makes of it today.
"""

import re
import sys
from urllib.parse import unquote, urlsplit

from alembic.config import Config
from alembic.script import ScriptDirectory

from common.migrate import upgrade
from dev.children import run_as, unprivileged_account
from dev.paths import PYPROJECT, ROOT
from dev.postgres_binaries import find_binaries
from dev.services import remove, start_and_wait, throw_away_directory, throw_away_postgres

_KEPT_IN = ROOT / "tests" / "integration" / "migrations"
_HEADING = """\
-- What revision {revision} makes, built-in rows included: the start of an upgrade test.
-- Taken with pg_dump --inserts; settings of the session are left out.

"""
# Comments, settings, and the marks of newer versions of pg_dump.
_LEFT_OUT = re.compile(
    r"^(--.*|SET .*|SELECT pg_catalog\.set_config.*|\\(un)?restrict .*)\n", re.MULTILINE
)


def main() -> int:
    """Write `schema-<revision>.sql`; one that is there stays as it is."""
    revision = ScriptDirectory.from_config(Config(toml_file=PYPROJECT)).get_current_head()
    kept = _KEPT_IN / f"schema-{revision}.sql"
    if kept.exists():
        print(f"{kept.name} is there already", file=sys.stderr)
        return 1
    directory = throw_away_directory(unprivileged_account())
    server = throw_away_postgres(directory)
    try:
        start_and_wait(server, log=directory / "log")
        upgrade(server.url)
        dumped = _LEFT_OUT.sub("", _dump(server.url))
    finally:
        server.stop()
        remove(directory)
    tidied = re.sub(r"\n{3,}", "\n\n", dumped).strip() + "\n"
    kept.write_text(_HEADING.format(revision=revision) + tidied, encoding="utf-8")
    print(kept.relative_to(ROOT))
    return 0


def _dump(url: str) -> str:
    account = unprivileged_account()
    program = find_binaries(account).directory / "pg_dump"
    at = urlsplit(url)
    database = at.path.lstrip("/")
    answer = run_as(
        account,
        [program, "--inserts", "--no-owner", "--no-privileges", "--dbname", database],
        environment={
            "PGHOST": at.hostname or "",
            "PGPORT": str(at.port),
            "PGUSER": at.username or "",
            "PGPASSWORD": unquote(at.password or ""),
        },
    )
    if answer.returncode != 0:
        raise SystemExit(answer.stdout)
    return answer.stdout


if __name__ == "__main__":
    sys.exit(main())
