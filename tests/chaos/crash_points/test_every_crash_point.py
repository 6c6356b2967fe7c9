"""A turn ends right whatever happens at whichever of its crossings: each is tried, by number."""

import threading
from collections.abc import Iterator

import pytest
from redis import Redis

from api.deps import Deps
from common.blobs.opening import open_blobs
from common.clock import new_id
from common.images.workshop import open_workshop
from common.live import Live
from common.redis_client import Breaker, make_client
from common.settings import Settings
from common.storage.engine import Database
from common.turn_queue import TurnQueue
from tests.chaos.crash_points.edges import Edges
from tests.chaos.crash_points.points import AT_STATEMENTS, Died, Fault, Kind
from tests.chaos.crash_points.scenarios import SCENARIOS, Scenario
from tests.chaos.crash_points.stage import Ground, Stage, Stuck
from tests.chaos.crash_points.verdict import faults_of
from tests.fakes.examiner import examiner_of

pytestmark = pytest.mark.slow


@pytest.fixture(autouse=True)
def _threads_die_with_their_process(monkeypatch: pytest.MonkeyPatch) -> None:
    told = threading.excepthook

    def tell(what: threading.ExceptHookArgs) -> None:
        if not issubclass(what.exc_type, Died):
            told(what)

    monkeypatch.setattr(threading, "excepthook", tell)


@pytest.fixture(scope="module")
def common_ground(
    shared_database_url: str, _redis_database: str, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Ground]:
    settings = Settings.from_env(
        {
            "DATABASE_URL": shared_database_url,
            "REDIS_URL": _redis_database,
            "DEPLOYMENT_GRADE": "dev",
            "DEFAULT_MODEL": "llmsim",
            "STORAGE_DIRECTORY": str(tmp_path_factory.mktemp("storage")),
        }
    )
    database = Database(shared_database_url, pool_size=3, application="tests")
    with make_client(_redis_database, timeout_seconds=5.0) as redis:
        edges = Edges(settings)
        made = Ground(edges, database, redis, an_api(settings, database, redis))
        # Whether a server knows a script already is chance; from here on it does.
        Stage(made, SCENARIOS[0], None).play()
        yield made
        edges.close()
    database.close()


@pytest.fixture
def ground(common_ground: Ground, redis_url: str) -> Ground:  # noqa: ARG001 - which empties it
    return common_ground


def an_api(settings: Settings, database: Database, redis: Redis) -> Deps:
    breaker = Breaker()
    return Deps(
        settings=settings,
        database=database,
        live=Live(redis, breaker, text_ttl_seconds=settings.live_text_ttl_seconds),
        queue=TurnQueue(settings, breaker),
        new_id=new_id,
        reach_redis=lambda: True,
        version="test",
        blobs=open_blobs(settings),
        workshop=open_workshop(settings, threads=1),
        examiner=examiner_of(settings),
    )


def played(ground: Ground, scenario: Scenario, fault: Fault | None) -> tuple[Stage, list[str]]:
    stage = Stage(ground, scenario, fault)
    try:
        stage.play()
    except Stuck as stuck:
        return stage, [f"stuck: {stuck}"]
    return stage, faults_of(stage)


@pytest.mark.parametrize("kind", Kind)
@pytest.mark.parametrize("scenario", SCENARIOS, ids=lambda scenario: scenario.name)
def test_a_turn_ends_right_whatever_happens_at_any_point(
    ground: Ground, scenario: Scenario, kind: Kind
) -> None:
    first, faults = played(ground, scenario, None)
    assert not faults
    points = first.points.met
    wrong = []
    for number, point in enumerate(points, 1):
        is_skipped = point.kinds == AT_STATEMENTS and not scenario.breaks_statements
        if is_skipped or kind not in point.kinds:
            continue
        stage, faults = played(ground, scenario, Fault(number, kind))
        met = stage.points.met[:number]
        assert met == points[:number], "a run without chance meets the same points"
        wrong += [f"point {number} ({point.label}), {kind}: {fault}" for fault in faults]
    assert not wrong, "\n".join(wrong)
