"""Requests are repeated while the server is away, and have their effect once."""

import httpx
import pytest

from common.terminal.server import Refused, Unreachable
from tests.unit.terminal.stage import Answer, Stage, refusal


def test_a_post_is_repeated_under_one_key() -> None:
    answers: list[Answer] = [
        httpx.ReadTimeout("late"),
        refusal(503, "starting"),
        httpx.Response(200, json={}),
    ]
    stage = Stage(messages=answers)
    stage.server.post("/sessions/s/messages", {"message": {}})
    keys = {request.headers["idempotency-key"] for request in stage.requests}
    assert (len(stage.requests), len(keys)) == (3, 1)
    assert len(stage.pauses) == 2


def test_what_the_server_will_not_do_is_said_in_its_words() -> None:
    stage = Stage(messages=[refusal(422, "Content is empty")])
    with pytest.raises(Refused, match=r"^Content is empty \(422\)$"):
        stage.server.post("/sessions/s/messages")
    assert len(stage.requests) == 1


def test_what_is_not_ours_is_not_taken_for_an_answer() -> None:
    with pytest.raises(Unreachable, match="not everturn"):
        Stage(x=[httpx.Response(200, html="<p>")]).server.get("/x")
    with pytest.raises(Refused, match=r"^404 Not Found$"):
        Stage(x=[httpx.Response(404, html="<p>")]).server.get("/x")


def test_it_gives_up_in_the_end_without_naming_an_address() -> None:
    stage = Stage(x=[httpx.ConnectError("http://secret@there") for _ in range(9)])
    with pytest.raises(Unreachable, match=r"^the server does not answer \(ConnectError\)$"):
        stage.server.get("/x")
    assert len(stage.requests) == 4
