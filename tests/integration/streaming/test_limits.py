"""How many streams may be open, over all processes, with and without Redis."""

import pytest
import redis

from common.domain.ids import DEFAULT_ORGANIZATION
from common.live import organization_streams_key, streams_key
from tests.conditions import wait_until
from tests.integration.streaming.author import Author
from tests.integration.streaming.conftest import StreamServer, World

NOWHERE = "redis://127.0.0.1:1/0"


def opens(world: World, author: Author, server: StreamServer | None = None) -> bool:
    return world.read(author, server=server).status == 200


@pytest.mark.parametrize("is_redis_up", [True, False])
def test_a_session_has_a_limit_with_and_without_redis(world: World, *, is_redis_up: bool) -> None:
    world.serve(SSE_PER_SESSION_MAX="2", REDIS_URL=world.redis_url if is_redis_up else NOWHERE)
    author = world.author()
    assert [opens(world, author) for _ in range(3)] == [True, True, False]
    assert opens(world, world.author())


def test_the_refusal_says_when_to_come_back(world: World) -> None:
    world.serve(SSE_PER_SESSION_MAX="1")
    author = world.author()
    opens(world, author)
    refused = world.read(author)
    assert refused.status == 429
    assert refused.error["code"] == "too_many_streams"
    assert refused.error["retry_after_seconds"] == int(refused.response.headers["Retry-After"])


def test_a_stream_that_closes_makes_room(world: World) -> None:
    world.serve(SSE_PER_SESSION_MAX="1")
    author = world.author()
    for _ in range(5):
        with world.read(author) as reader:
            assert reader.status == 200
        wait_until(lambda: not _counted(world, author), description="it is not counted any more")


def test_the_session_limit_counts_all_processes(world: World) -> None:
    servers = [world.serve(SSE_PER_SESSION_MAX="2") for _ in range(2)]
    author = world.author()
    assert [opens(world, author, server) for server in servers] == [True, True]
    assert [opens(world, author, server) for server in servers] == [False, False]


def test_an_organization_has_a_limit_over_its_sessions(world: World) -> None:
    servers = [world.serve(SSE_PER_ORG_MAX="2") for _ in range(2)]
    assert [opens(world, world.author(), server) for server in [*servers, servers[0]]] == [
        True,
        True,
        False,
    ]


def test_a_refused_stream_is_counted_nowhere(world: World) -> None:
    world.serve(SSE_PER_ORG_MAX="1")
    opens(world, world.author())
    refused = world.author()
    assert not opens(world, refused)
    assert not _counted(world, refused)


def test_a_process_has_a_limit(world: World) -> None:
    world.serve(SSE_GLOBAL_MAX="2")
    assert [opens(world, world.author()) for _ in range(3)] == [True, True, False]


def test_a_limit_of_zero_is_none(world: World) -> None:
    world.serve(SSE_PER_SESSION_MAX="0", SSE_PER_ORG_MAX="0")
    author = world.author()
    assert all(opens(world, author) for _ in range(15))
    assert not _counted(world, author)


def test_what_a_dead_process_left_expires(world: World) -> None:
    world.serve(SSE_PER_SESSION_MAX="1")
    author = world.author()
    key = streams_key(author.session_id)
    with redis.Redis.from_url(world.redis_url) as client:
        client.hset(key, "dead", "7 1000")  # until long ago
        assert opens(world, author)
        assert client.hget(key, "dead") is None
        assert 0 < client.ttl(key) <= 60


def test_the_counts_have_a_time_to_live(world: World) -> None:
    world.serve()
    author = world.author()
    opens(world, author)
    with redis.Redis.from_url(world.redis_url) as client:
        for key in (streams_key(author.session_id), organization_streams_key(DEFAULT_ORGANIZATION)):
            assert 0 < client.ttl(key) <= 60


def _counted(world: World, author: Author) -> object:
    with redis.Redis.from_url(world.redis_url) as client:
        return client.hgetall(streams_key(author.session_id))


def test_streams_that_are_asked_for_too_often_are_refused(world: World) -> None:
    """As the api does it: by the address that the proxy vouches for."""
    world.serve(RATE_LIMIT_API_REQUESTS_PER_MINUTE="2")
    author = world.author()
    there = {"X-Forwarded-For": "203.0.113.20"}

    answers = [world.read(author, headers=there) for _ in range(3)]

    assert [answer.status for answer in answers] == [200, 200, 429]
    assert answers[0].response.headers["RateLimit-Policy"] == '"address";q=2;w=60'
    assert answers[0].response.headers["RateLimit"].startswith('"address";r=1;t=')
    refused = answers[-1]
    assert refused.error["code"] == "rate_limited"
    assert refused.error["retry_after_seconds"] == int(refused.response.headers["Retry-After"])
    # This machine is not limited.
    assert world.read(author).status == 200
