"""`make migration m="..."`: write the next migration from what the tables differ in.

Against a throw-away database that is brought to the newest revision first, so
that the state of nobody's own database gets into it.
"""

import sys

from alembic import command
from alembic.config import Config
from alembic.script import ScriptDirectory

from common.migrate import upgrade
from dev.children import unprivileged_account
from dev.paths import PYPROJECT
from dev.services import remove, start_and_wait, throw_away_directory, throw_away_postgres


def main(message: str) -> int:
    """Write one file into migrations/versions; reading it over is the author's part."""
    if not message:
        print('say what it does: make migration m="..."', file=sys.stderr)
        return 2
    directory = throw_away_directory(unprivileged_account())
    server = throw_away_postgres(directory)
    try:
        start_and_wait(server, log=directory / "log")
        upgrade(server.url)
        config = Config(toml_file=PYPROJECT)
        config.attributes["database_url"] = server.url
        newest = ScriptDirectory.from_config(config).get_current_head() or "0"
        number = int(newest) + 1
        command.revision(config, message=message, autogenerate=True, rev_id=f"{number:04}")
    finally:
        server.stop()
        remove(directory)
    return 0


if __name__ == "__main__":
    sys.exit(main(" ".join(sys.argv[1:])))
