"""What a worker does before it takes its first turn."""

from pathlib import Path

from tests.system import running


def test_no_thread_of_a_worker_sees_the_environment_change(
    database_url: str, redis_url: str, tmp_path: Path
) -> None:
    """A C library that reads it meanwhile would end the process."""
    with running(database_url, redis_url, tmp_path, parts=("auditedworker",)) as system:
        (worker,) = system.parts
        assert worker.said("environment_changed_beside_threads") == 0
