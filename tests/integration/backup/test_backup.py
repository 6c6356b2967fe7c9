"""Save a running system by the commands of docs/operations.md, lose it, and go on elsewhere."""

import os
import signal
import subprocess
import sys
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from dev.children import unprivileged_account
from dev.postgres import Postgres
from dev.postgres_binaries import find_binaries
from dev.valkey import Valkey
from tests import documented
from tests.corpus import saved, two_halves
from tests.system import FAST_RECOVERY, System, running
from tests.talk import Talk, streamed_text, text_of, until

Json = dict[str, Any]
PHOTO = saved(two_halves(), "PNG")
SLOW = {"tokens_per_second": 8}
WORDS = "A long answer that is being written while somebody saves all there is"


@pytest.mark.slow
def test_a_system_goes_on_from_its_backup_on_an_empty_server(
    database_url: str,
    redis_url: str,
    own_postgres: Postgres,
    own_redis: Valkey,
    tmp_path: Path,
) -> None:
    old, new, place = tmp_path / "old", tmp_path / "new", tmp_path / "backup"
    for directory in (old, new, place):
        directory.mkdir()

    with running(database_url, redis_url, old, settings=FAST_RECOVERY) as system:
        with closing(Talk(system.base_url)) as talk:
            seen = lived_in(talk)
            # However long the commands take, they find the turn under way.
            next(part for part in system.parts if part.name == "worker-1").signal(signal.SIGSTOP)
            run(documented.block("docs/operations.md", "Backup and restore"), system, place)
        # The worst day: nobody gets a chance to leave.
        for part in system.parts:
            part.kill()

    settings = {**FAST_RECOVERY, "STORAGE_DIRECTORY": str(new / "uploads")}
    parts = ("api", "stream", "front", "worker", "sweeper")
    restore = documented.block("docs/operations.md", "Backup and restore", 2)
    # The commands come before the processes: a system of which nothing is started yet.
    with running(own_postgres.url, own_redis.url, new, parts=(), settings=settings) as system:
        run(restore, system, place)
        for name in parts:
            system.start(name)
        system.wait_ready()
        with closing(Talk(system.base_url)) as talk:
            goes_on(talk, seen)


def run(script: str, system: System, directory: Path) -> None:
    binaries = find_binaries(unprivileged_account()).directory
    path = f"{binaries}:{Path(sys.executable).parent}:{os.defpath}"
    environment = {**system.environment, "PATH": path}
    done = subprocess.run(  # noqa: S603 - what the page says
        ["/bin/sh", "-e", "-c", script],
        cwd=directory,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr


def lived_in(talk: Talk) -> Json:
    """A session that is over, one whose turn runs, a cursor into each, and an image."""
    done = talk.open_session()
    talk.say(done, "Hello")
    log = talk.settle(done)
    reply = talk.http.post("/v1/images", files={"file": ("photo.png", PHOTO)})
    running_one = talk.open_session()
    talk.say(running_one, WORDS, llmsim=SLOW)
    with talk.watch(running_one) as events:
        beginning = until(events, "output.message.delta")
    return {
        "done": done,
        "log": log,
        "image": reply.raise_for_status().json()["id"],
        "running": running_one,
        "beginning": beginning,
    }


def goes_on(talk: Talk, seen: Json) -> None:
    done = seen["done"]
    assert talk.log(done) == seen["log"]
    image = talk.http.get(f"/v1/images/{seen['image']}")
    assert image.raise_for_status().content == PHOTO

    # An old cursor, and numbers that go on from where they were.
    talk.say(done, "Are you there?")
    with talk.watch(done, since_id=seen["log"][2]["id"]) as events:
        rest = [*until(events, "session.idled"), *until(events, "session.idled")]
    stored = [event for event in rest if "sequence" in event]
    assert stored == talk.log(done)[3:]
    assert [event["sequence"] for event in stored] == list(range(4, 4 + len(stored)))
    assert text_of(talk.log(done)[-5]) == "Echo: Are you there?"
    ids = [event["id"] for event in talk.log(done)]
    assert len(set(ids)) == len(ids)

    # The turn whose worker is no more is taken over, and watched from where it was lost.
    cursor = seen["beginning"][-1]["id"]
    with talk.watch(seen["running"], since_id=cursor) as events:
        end = until(events, "session.idled")
    assert "reason.recovered" in [event["type"] for event in end]
    answer = next(event for event in end if event["type"] == "output.message.completed")
    assert text_of(answer) == f"Echo: {WORDS}"
    assert streamed_text(end).endswith(text_of(answer))
    stored = [event for event in [*seen["beginning"], *end] if "sequence" in event]
    assert stored == talk.log(seen["running"])[1:]
