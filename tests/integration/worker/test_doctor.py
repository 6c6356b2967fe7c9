"""The doctor finds what holds up turns of the whole installation, and mends what it can."""

import json
import os
import subprocess
import sys
from dataclasses import replace
from io import StringIO

from redis import Redis
from sqlalchemy import text

from common.turn_queue import TURNS_QUEUE
from dev.paths import ROOT
from tests.integration.worker.conftest import World
from worker.doctor import Doctor, Report, write_json, write_text


def doctor(world: World) -> Doctor:
    return Doctor(world.settings, world.database)


def verdicts(report: Report) -> dict[str, bool]:
    return {check.name: check.is_ok for check in report.checks}


def run(world: World, statement: str) -> None:
    with world.database.transaction() as tx:
        tx.execute(text(statement))


def test_a_healthy_installation(world: World) -> None:
    worker = world.worker()
    worker.presence.beat()
    worker.run(world.post("Hello"))
    report = doctor(world).look()
    assert report.is_well
    assert set(verdicts(report).values()) == {True}
    assert report.turns == ()


def test_without_workers_a_late_turn_is_named(world: World) -> None:
    turn_id = world.post("Hello")
    report = doctor(world).look()
    assert (verdicts(report)["workers"], report.turns) == (False, ())
    run(world, "UPDATE turns SET created_at = now() - interval '60 s', sends = 2")
    report = doctor(world).look()
    (stuck,) = report.turns
    assert (stuck.code, stuck.turn_id) == ("no_live_worker", f"turn_{turn_id.hex}")
    assert stuck.session_id == f"session_{world.session_id.hex}"
    said = StringIO()
    write_text(report, said)
    assert "BAD  0 live workers" in said.getvalue()
    assert stuck.message in said.getvalue()
    assert "everturn worker" in said.getvalue()


def test_a_fix_takes_back_answers_and_sends(world: World) -> None:
    """What nobody sweeps any more goes on."""
    world.worker().presence.beat()
    turn_id = world.post("Hello")
    run(
        world,
        "UPDATE turns SET status = 'running', lease_owner = 'lost', epoch = 1,"
        " created_at = now() - interval '99 s', lease_until = now() - interval '60 s'",
    )
    (stuck,) = doctor(world).look().turns
    assert stuck.code == "no_sweeper"
    report = doctor(world).look(repairs=True)
    assert report.repairs is not None
    assert (report.repairs.taken_back, report.repairs.sent) == (1, 1)
    entered = world.row("SELECT actor_type, action FROM audit_log")
    assert (entered.actor_type, entered.action) == ("cli", "repair")
    assert Redis.from_url(world.settings.broker_url).llen(TURNS_QUEUE) == 1
    world.worker().run(turn_id)
    assert doctor(world).look().is_well
    assert world.answers() == ["Echo: Hello"]


def test_a_fix_sends_what_would_be_sent_much_later(world: World) -> None:
    world.post("Hello")
    run(world, "UPDATE turns SET available_at = now() + interval '4 min', sends = 6")
    report = doctor(world).look(repairs=True)
    assert report.repairs is not None
    assert report.repairs.sent == 1


def test_a_fix_leaves_a_worker_that_may_be_coming_back_its_turn(world: World) -> None:
    world.post("Hello")
    run(world, "UPDATE turns SET status = 'running', lease_until = now() - interval '5 s'")
    report = doctor(world).look(repairs=True)
    assert report.repairs is not None
    assert report.repairs.taken_back == 0
    assert world.row("SELECT status FROM turns").status == "running"


def test_a_schema_of_another_release_is_all_that_is_told(world: World) -> None:
    run(world, "UPDATE alembic_version SET version_num = '0001'")
    report = doctor(world).look(repairs=True)
    assert verdicts(report)["schema"] is False
    assert "workers" not in verdicts(report)
    assert report.repairs is None


def test_a_redis_that_is_away_is_named_without_its_address(world: World) -> None:
    away = "redis://:hush@127.0.0.1:1/0"
    settings = replace(world.settings, broker_url=away)
    report = Doctor(settings, world.database).look()
    redis = [check for check in report.checks if check.name == "redis"]
    assert [check.is_ok for check in redis] == [False, True]
    said = StringIO()
    write_json(report, said)
    assert "hush" not in said.getvalue()
    assert json.loads(said.getvalue())["is_well"] is False


def test_it_is_a_command(world: World) -> None:
    environment = {
        "PATH": os.defpath,
        "DATABASE_URL": world.settings.database_url,
        "REDIS_URL": world.settings.redis_url,
    }

    def ask(*arguments: str, **settings: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(  # noqa: S603 - our own program
            [sys.executable, "-m", "common.cli", "doctor", *arguments],
            cwd=ROOT,
            env={**environment, **settings},
            capture_output=True,
            text=True,
            check=False,
        )

    unwell = ask("--json", "--fix")
    assert unwell.returncode == 1
    found = json.loads(unwell.stdout)
    assert found["repairs"] == {"taken_back": 0, "answered": 0, "sent": 0}
    assert [check["name"] for check in found["checks"] if not check["is_ok"]] == ["workers"]
    world.worker().presence.beat()
    assert ask().returncode == 0
    assert ask(DATABASE_URL="postgresql://127.0.0.1:1/none").returncode == 2
