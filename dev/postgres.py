"""A PostgreSQL server of our own, from an empty folder to a URL.

Only 127.0.0.1 and only with a password: on a machine with other users, who
could otherwise become this one through the database.
"""

import contextlib
import os
import secrets
import shutil
import signal
import subprocess
from dataclasses import dataclass
from pathlib import Path

import psycopg2

from dev.children import Account, Output, run_as, spawn, stop
from dev.postgres_binaries import PostgresBinaries

DATABASE = USER = "everturn"
_BUILTIN_LOCALE_SINCE = 17
_OPTIONS_SINCE = 16  # of initdb
_UTF8_LOCALES = ("C.UTF-8", "en_US.UTF-8")
_PLAIN_ENVIRONMENT = {"PATH": os.defpath, "LC_ALL": "C", "TZ": "UTC"}


class PostgresFailed(Exception):
    """The server could not be set up; the text says why."""


@dataclass(slots=True)
class Postgres:
    """One server on one data folder."""

    binaries: PostgresBinaries
    data: Path
    port: int
    account: Account | None = None
    # For throw-away servers: a crash of the machine may then lose everything.
    is_durable: bool = True
    process: subprocess.Popen[bytes] | None = None
    stop_signal: signal.Signals = signal.SIGINT
    name: str = "postgres"

    @property
    def url(self) -> str:
        """What DATABASE_URL becomes."""
        return self.url_of(DATABASE)

    def url_of(self, database: str) -> str:
        """The URL of another database of this server."""
        password = self._password_file.read_text()
        return f"postgresql://{USER}:{password}@127.0.0.1:{self.port}/{database}"

    def prepare(self) -> None:
        """Make the data folder unless it is there; an interrupted attempt leaves none."""
        try:
            if (self.data / "PG_VERSION").exists():
                return
            half_done = self.data.with_name(f"{self.data.name}.new")
            shutil.rmtree(half_done, ignore_errors=True)
            self._write_password()
            self._run_initdb(half_done)
            half_done.rename(self.data)
        except PermissionError as error:
            raise PostgresFailed(
                f"{error.filename} belongs to another user, who made it with an earlier run.  "
                "Run as that user, or remove it with: sudo python3 dev.py reset"
            ) from error

    def start(self, output: Output) -> subprocess.Popen[bytes]:
        """Start the server; `is_ready` tells when it can be used."""
        settings = {
            "listen_addresses": "127.0.0.1",
            "unix_socket_directories": "",  # their path length is limited, and ours is not
            "shared_buffers": "64MB",
            "max_connections": "300",
            "wal_level": "minimal",
            "max_wal_senders": "0",
            "log_checkpoints": "off",
            "timezone": "UTC",
            # Statements and key values hold what users said; the log must not.
            "log_min_error_statement": "panic",
            "log_error_verbosity": "terse",
            "fsync": "on" if self.is_durable else "off",
            "full_page_writes": "on" if self.is_durable else "off",
        }
        command: list[str | Path] = [self.binaries.directory / "postgres", "-D", self.data]
        command += ["-p", str(self.port)]
        for name, value in settings.items():
            command += ["-c", f"{name}={value}"]
        self.process = spawn(
            command,
            environment=_PLAIN_ENVIRONMENT,
            output=output,
            account=self.account,
            death_signal=self.stop_signal,
        )
        return self.process

    def is_ready(self) -> bool:
        """Whether the server answers; makes the database on the way when it is missing."""
        try:
            connection = psycopg2.connect(self.url_of("postgres"), connect_timeout=2)
        except psycopg2.OperationalError:
            return False
        with contextlib.closing(connection), connection.cursor() as cursor:
            connection.autocommit = True
            cursor.execute("SELECT 1 FROM pg_database WHERE datname = %s", (DATABASE,))
            if cursor.fetchone() is None:
                cursor.execute(f'CREATE DATABASE "{DATABASE}"')
        return True

    def stop(self) -> None:
        """Fast shutdown: clients are cut off, everything committed is on disk."""
        if self.process is not None:
            stop(self.process, (self.stop_signal, 10.0), (signal.SIGQUIT, 5.0))

    @property
    def _password_file(self) -> Path:
        return self.data.with_name(f"{self.data.name}.password")

    def _write_password(self) -> None:
        file = self._password_file
        file.unlink(missing_ok=True)
        file.touch(mode=0o600)
        file.write_text(secrets.token_urlsafe(24))
        if self.account is not None:  # initdb reads it, and root can read it all the same
            os.chown(file, self.account.uid, self.account.gid)

    def _run_initdb(self, directory: Path) -> None:
        for locale in self._locale_choices():
            directory.mkdir(mode=0o700)
            if self.account is not None:
                os.chown(directory, self.account.uid, self.account.gid)
            command: list[str | Path] = [self.binaries.directory / "initdb", "-D", directory]
            command += ["-U", USER, "-E", "UTF8", "--auth=scram-sha-256", "--no-instructions"]
            command += [f"--pwfile={self._password_file}", *locale]
            if not self.is_durable:
                command.append("--no-sync")
                if self.binaries.major >= _OPTIONS_SINCE:
                    # The password is as good as its length; each connection is to cost little.
                    command += ["-c", "scram_iterations=1"]
            answer = run_as(self.account, command, environment=_PLAIN_ENVIRONMENT)
            if answer.returncode == 0:
                return
            shutil.rmtree(directory, ignore_errors=True)
        raise PostgresFailed(f"initdb failed:\n{answer.stdout.strip()}")

    def _locale_choices(self) -> list[list[str]]:
        """Order by code point, and letters as Unicode knows them: from best to last resort."""
        if self.binaries.major >= _BUILTIN_LOCALE_SINCE:
            return [["--no-locale", "--locale-provider=builtin", "--builtin-locale=C.UTF-8"]]
        of_this_machine = [["--no-locale", f"--lc-ctype={name}"] for name in _UTF8_LOCALES]
        return [*of_this_machine, ["--no-locale"]]
