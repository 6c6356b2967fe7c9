"""`everturn turns`: what is under way, and what does not go on."""

import argparse
import json

import pytest

from common import turn_commands
from tests.integration.worker.conftest import World, new_session
from tests.integration.worker.test_doctor import run


def listed(world: World, capsys: pytest.CaptureFixture[str], **given: object) -> tuple[int, int]:
    """The exit code, and how many turns were told."""
    asked = argparse.Namespace(**{"stuck": False, "limit": 100, "json": True, **given})
    code = turn_commands.run(world.settings, asked)
    return code, len(json.loads(capsys.readouterr().out))


def test_no_more_turns_are_told_than_were_asked_for(
    world: World, capsys: pytest.CaptureFixture[str]
) -> None:
    for _ in range(3):
        world.session_id = new_session(world.database)
        world.post("Hello")
    assert listed(world, capsys) == (0, 3)
    assert listed(world, capsys, limit=2) == (0, 2)
    assert listed(world, capsys, stuck=True) == (0, 0)
    run(world, "UPDATE turns SET created_at = now() - interval '60 s', sends = 2")
    assert listed(world, capsys, stuck=True) == (1, 3)
    assert listed(world, capsys, stuck=True, limit=1) == (1, 1)
