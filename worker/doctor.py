"""`everturn doctor`: what is wrong with this installation, in sentences, and safe repairs.

It looks at the database, its schema, Redis, workers and every turn that should have gone on
by now.  `--fix` does what the sweeper does, by the sweeper's own functions, and at once.
Exits with 0 when all is well, 1 when something is not, 2 when it cannot look.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any, Final, TextIO

import orjson
from redis.exceptions import RedisError

from common import logs, stuck_turns
from common.examination import Examiner
from common.live import Live
from common.migrate import revisions
from common.provider_breakers import BreakerBoard
from common.redis_client import Breaker, make_client
from common.settings import Settings
from common.storage import audit_log, row_security, service_health
from common.storage.engine import Database, DatabaseError, sqlstate
from common.stuck_turns import StuckTurn
from common.turn_queue import Backlog, TurnQueue
from worker.sweeper import Repairs, Sweeper

_REDIS_SECONDS: Final = 2.0
_UNREACHABLE: Final = 2


@dataclass(frozen=True, slots=True)
class Check:
    """One thing that was looked at."""

    name: str
    message: str
    is_ok: bool


@dataclass(frozen=True, slots=True)
class Report:
    """All that was found."""

    checks: tuple[Check, ...]
    turns: tuple[StuckTurn, ...] = ()
    repairs: Repairs | None = None

    @property
    def is_well(self) -> bool:
        return all(check.is_ok for check in self.checks) and not self.turns


class Doctor:
    """Looks at one installation."""

    def __init__(self, settings: Settings, database: Database) -> None:
        breaker = Breaker()
        redis = make_client(settings.live_text_url, timeout_seconds=_REDIS_SECONDS)
        self._settings = settings
        self._database = database
        self._backlog = Backlog(settings, breaker).count
        self._examiner = Examiner(settings, BreakerBoard(redis, breaker), self._backlog)
        live = Live(redis, breaker, text_ttl_seconds=settings.live_text_ttl_seconds)
        self._sweeper = Sweeper(settings, database, TurnQueue(settings, breaker), live)

    def look(self, *, repairs: bool = False) -> Report:
        """Look at everything; with `repairs` mend first what can be mended.

        Raises:
            common.storage.engine.DatabaseError: the database cannot be reached.
        """
        schema = self._check_schema()
        answers = Check("database", "The database answers.", is_ok=True)
        checks = [answers, schema, *self._check_redis()]
        if not schema.is_ok:
            return Report(tuple(checks))
        done = self._repair() if repairs else None
        checks += [self._check_role(), *self._check_service()]
        return Report(tuple(checks), stuck_turns.find(self._database, self._examiner), done)

    def _repair(self) -> Repairs:
        with self._database.transaction() as tx:
            audit_log.append_of_cli(tx, "repair")
        return self._sweeper.repair()

    def _check_schema(self) -> Check:
        current, wanted = revisions(self._settings.database_url)
        if current == wanted:
            return Check("schema", f"The schema is this release's ({current}).", is_ok=True)
        said = f"The schema is at {current or 'nothing'}, this release wants {wanted}"
        return Check("schema", f"{said}: run everturn migrate of the newest release.", is_ok=False)

    def _check_role(self) -> Check:
        with self._database.reading() as tx:
            is_bound = row_security.binds(tx)
        said = (
            "Row security binds the database's role."
            if is_bound
            else "The database's role is a superuser or bypasses row security: there is no second"
            " wall between organizations, see docs/security.md."
        )
        # A warning: every query has its own predicate, and everything works.
        return Check("row_security", said, is_ok=True)

    def _check_redis(self) -> list[Check]:
        settings = self._settings
        names_of: dict[str, list[str]] = {}
        for name in ("broker_url", "pubsub_url", "live_text_url"):
            names_of.setdefault(getattr(settings, name), []).append(name.upper())
        return [_check_redis(url, ", ".join(names)) for url, names in names_of.items()]

    def _check_service(self) -> list[Check]:
        with self._database.reading() as tx:
            health = service_health.look(tx, silent_after=self._settings.lease_seconds)
        fleet, turns = health.fleet, health.turns
        free = max(0, fleet.capacity - fleet.load)
        workers = (
            f"{fleet.live} live workers, {fleet.draining} of them draining; {free} of"
            f" {fleet.capacity} places are free."
        )
        queued = (
            f"{turns.queued} turns are queued, the oldest for {turns.oldest_queued_seconds:.0f} s;"
            f" {turns.running} run, {turns.waiting} wait for somebody outside."
        )
        dead = f"{turns.dead_letters} dead letters: see GET /v1/durable/dlq."
        return [
            Check("workers", workers, is_ok=health.verdict != "unhealthy"),
            Check("queue", queued, is_ok=health.verdict != "degraded"),
            # They are an operator's to decide on, and hold up nothing else.
            Check("dead_letters", dead, is_ok=True),
        ]


def _check_redis(url: str, names: str) -> Check:
    try:
        make_client(url, timeout_seconds=_REDIS_SECONDS).ping()
    except (RedisError, OSError) as failure:
        # Not the address: it may have a password.
        said = f"Redis does not answer ({type(failure).__name__}): see {names}."
        return Check("redis", said, is_ok=False)
    return Check("redis", f"Redis answers ({names}).", is_ok=True)


def write_json(report: Report, out: TextIO) -> None:
    """The whole report, for programs."""
    shown: dict[str, Any] = {"is_well": report.is_well, **asdict(report)}
    out.write(orjson.dumps(shown, option=orjson.OPT_INDENT_2).decode() + "\n")


def write_text(report: Report, out: TextIO) -> None:
    """A line for each thing, for people."""
    out.writelines(
        f"{'ok ' if check.is_ok else 'BAD'}  {check.message}\n" for check in report.checks
    )
    if report.repairs is not None:
        done = report.repairs
        out.write(
            f"fix  {done.taken_back} turns taken back from lost workers, {done.answered} overdue"
            f" waits answered, {done.sent} turns sent again.\n"
        )
    for turn in report.turns:
        out.write(f"BAD  {turn.session_id}: {turn.message}\n")
        out.writelines(f"       {suggestion}\n" for suggestion in turn.suggestions)


def main(arguments: Sequence[str] | None = None) -> int:
    """Look, say what was found, and return the exit status."""
    parser = argparse.ArgumentParser(prog="everturn doctor")
    parser.add_argument("--fix", action="store_true")
    parser.add_argument("--json", action="store_true")
    given = parser.parse_args(arguments)
    settings = Settings.from_env()
    logs.configure(settings, process="doctor")
    database = Database(settings.database_url, pool_size=2, application="everturn doctor")
    try:
        report = Doctor(settings, database).look(repairs=given.fix)
    except DatabaseError as failure:
        kind, code = type(failure).__name__, sqlstate(failure)
        sys.stderr.write(f"everturn doctor: the database failed ({kind}, SQLSTATE {code})\n")
        return _UNREACHABLE
    finally:
        database.close()
    (write_json if given.json else write_text)(report, sys.stdout)
    return 0 if report.is_well else 1


if __name__ == "__main__":
    sys.exit(main())
