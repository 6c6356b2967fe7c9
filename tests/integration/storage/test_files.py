from collections.abc import Callable
from concurrent.futures import Future
from typing import Any
from uuid import UUID

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from common.domain.errors import (
    BadRequest,
    Conflict,
    DomainError,
    EncryptionMissing,
    Forbidden,
    NotFound,
)
from common.domain.file import ancestors_of
from common.domain.file_pattern import Pattern
from common.domain.ids import DEFAULT_ORGANIZATION
from common.encryption import MasterKey, SecretBox
from common.storage import (
    file_queries,
    file_search,
    files,
    purge,
    secrets_at_rest,
    session_storage,
)
from common.storage.engine import Tx
from common.storage.files import Place
from common.storage.secrets_at_rest import SECRET_COLUMNS
from tests.integration.storage.conftest import Rows


@pytest.fixture
def place(rows: Rows) -> Place:
    rows.run("TRUNCATE workspace_files, workspace_usage, workspaces CASCADE")
    return Place(DEFAULT_ORGANIZATION, rows.session())


def write(rows: Rows, place: Place, path: str, content: bytes = b"x", **more: Any) -> None:
    with rows.database.transaction() as tx:
        files.write(tx, place, path, content, **more)


def listed(rows: Rows, place: Place) -> list[str]:
    found = file_queries.entries(
        rows.database, place.organization_id, place.workspace_id, "/", recursive=True
    )
    return [entry.path for entry in found]


def check_totals(rows: Rows, place: Place) -> None:
    """What is counted is what is there."""
    (row,) = rows.all(
        "SELECT files, bytes, (SELECT count(*) FROM workspace_files f"
        " WHERE f.workspace_id = u.workspace_id) AS actual_files,"
        " (SELECT coalesce(sum(length(content)), 0) FROM workspace_files f"
        " WHERE f.workspace_id = u.workspace_id) AS actual_bytes"
        " FROM workspace_usage u WHERE workspace_id = :w",
        w=place.workspace_id,
    )
    assert (row["files"], row["bytes"]) == (row["actual_files"], row["actual_bytes"])


def outcomes(futures: list[Future[None]]) -> list[type[BaseException] | None]:
    errors = [future.exception(timeout=10) for future in futures]
    return [None if error is None else type(error) for error in errors]


def test_two_writers_of_one_path_come_one_after_the_other(rows: Rows, place: Place) -> None:
    def writer(content: bytes) -> Callable[[], None]:
        return lambda: write(rows, place, "/d/a.txt", content)

    done = rows.at_once(*(writer(b"%d" % number * 1000) for number in range(10)))
    assert outcomes(done) == [None] * 10
    assert listed(rows, place) == ["/d", "/d/a.txt"]
    check_totals(rows, place)


def test_of_two_creators_one_is_refused(rows: Rows, place: Place) -> None:
    def create() -> None:
        with rows.database.transaction() as tx:
            files.create(tx, place, "/a", b"x", is_readonly=False)

    assert sorted(map(str, outcomes(rows.at_once(create, create)))) == [
        *sorted([str(Conflict), str(None)])
    ]


def test_nothing_comes_below_a_file_that_is_just_being_made(rows: Rows, place: Place) -> None:
    with rows.database.transaction() as tx:
        files.write(tx, place, "/a", b"x")
        (below,) = rows.at_once(lambda: write(rows, place, "/a/b"))
        rows.wait_for_blocked()
    assert outcomes([below]) == [Conflict]
    assert listed(rows, place) == ["/a"]


def test_a_write_meets_the_move_that_went_before(rows: Rows, place: Place) -> None:
    write(rows, place, "/a/1")
    with rows.database.transaction() as tx:
        files.move(tx, place, "/a", "/b")
        (late,) = rows.at_once(lambda: write(rows, place, "/a/2"))
        rows.wait_for_blocked()
    assert outcomes([late]) == [None]
    assert listed(rows, place) == ["/a", "/a/2", "/b", "/b/1"]


def test_a_refused_change_leaves_no_trace(rows: Rows, place: Place) -> None:
    write(rows, place, "/d/fixed", is_readonly=True)
    write(rows, place, "/f")

    def write_and_fail(tx: Tx) -> None:
        files.write(tx, place, "/new/deep", b"x")
        files.delete(tx, place, "/none", recursive=False)

    refused: list[Callable[[Tx], object]] = [
        write_and_fail,
        lambda tx: files.move(tx, place, "/f", "/f/g"),
        lambda tx: files.copy(tx, place, "/d", "/f/g"),
    ]
    for change in refused:
        with pytest.raises(DomainError), rows.database.transaction() as tx:
            change(tx)
    with pytest.raises(Forbidden), rows.database.transaction() as tx:
        files.delete(tx, place, "/d", recursive=True)
    assert listed(rows, place) == ["/d", "/d/fixed", "/f"]
    check_totals(rows, place)


def test_another_organization_sees_and_changes_nothing(rows: Rows, place: Place) -> None:
    write(rows, place, "/a")
    other = Place(rows.organization(), place.workspace_id)
    with rows.database.transaction() as tx:
        assert file_queries.find(tx, other.organization_id, other.workspace_id, "/a") is None
    assert listed(rows, other) == []
    for change in (
        lambda tx: files.write(tx, other, "/a", b"y"),
        lambda tx: files.delete(tx, other, "/a", recursive=True),
        lambda tx: files.move(tx, other, "/a", "/b"),
    ):
        with pytest.raises(NotFound), rows.database.transaction() as tx:
            change(tx)


def test_a_workspace_is_copied_as_it_is(rows: Rows, place: Place) -> None:
    write(rows, place, "/d/fixed", b"four", is_readonly=True)
    target = Place(DEFAULT_ORGANIZATION, rows.session())
    with rows.database.transaction() as tx:
        files.copy_workspace(tx, DEFAULT_ORGANIZATION, place.workspace_id, target.workspace_id)
    assert listed(rows, target) == listed(rows, place) == ["/d", "/d/fixed"]
    check_totals(rows, target)
    with pytest.raises(Forbidden):
        write(rows, target, "/d/fixed", b"other")
    write(rows, target, "/new")
    assert listed(rows, place) == ["/d", "/d/fixed"]


names = st.sampled_from(["a", "b", "ab"])
some_paths = st.lists(names, min_size=1, max_size=3).map(lambda each: "/" + "/".join(each))
changes = st.one_of(
    st.tuples(st.just("write"), some_paths, st.binary(max_size=3)),
    st.tuples(st.just("mkdir"), some_paths),
    st.tuples(st.just("delete"), some_paths, st.booleans()),
    st.tuples(st.just("move"), some_paths, some_paths),
    st.tuples(st.just("copy"), some_paths, some_paths),
)


def perform(tx: Tx, place: Place, change: Any) -> None:
    match change:
        case ("write", path, content):
            files.write(tx, place, path, content)
        case ("mkdir", path):
            files.create_directory(tx, place, path)
        case ("delete", path, recursive):
            files.delete(tx, place, path, recursive=recursive)
        case ("move", path, to):
            files.move(tx, place, path, to)
        case ("copy", path, to):
            files.copy(tx, place, path, to)
        case _:
            raise AssertionError(change)


@settings(
    max_examples=60,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(st.lists(changes, min_size=1, max_size=12))
def test_whatever_is_done_it_stays_a_tree(rows: Rows, wanted: list[Any]) -> None:
    place = Place(DEFAULT_ORGANIZATION, rows.session())
    for change in wanted:
        try:
            with rows.database.transaction() as tx:
                perform(tx, place, change)
        except (BadRequest, Conflict, NotFound):
            continue
        check_totals(rows, place)
    found = rows.all(
        "SELECT path, parent, is_directory FROM workspace_files WHERE workspace_id = :w",
        w=place.workspace_id,
    )
    directories = {row["path"] for row in found if row["is_directory"]}
    for row in found:
        assert set(ancestors_of(row["path"])) <= directories
        assert row["parent"] == (row["path"].rpartition("/")[0] or "/")


def delete_session(rows: Rows, session_id: UUID) -> None:
    rows.run("UPDATE sessions SET deleted_at = now() WHERE id = :id", id=session_id)


def purge_all(rows: Rows) -> int:
    slices = 0
    while True:
        with rows.database.transaction() as tx:
            if not (purge.purge_deleted_session(tx, limit=10) or purge.purge_deleted_workspace(tx)):
                return slices
        slices += 1


def fill(rows: Rows, place: Place, count: int) -> None:
    write(rows, place, "/f0")
    rows.run(
        "INSERT INTO workspace_files (organization_id, workspace_id, path, parent, id)"
        " SELECT :o, :w, '/f' || n, '/', gen_random_uuid() FROM generate_series(1, :n) n",
        o=place.organization_id,
        w=place.workspace_id,
        n=count - 1,
    )


def test_files_go_with_their_session_slice_by_slice(rows: Rows, place: Place) -> None:
    fill(rows, place, 450)
    with rows.database.transaction() as tx:
        session_storage.set_value(tx, place.organization_id, place.workspace_id, "k", "v")
    delete_session(rows, place.workspace_id)
    assert purge_all(rows) == 3
    for table in ("workspace_files", "workspace_usage", "session_values", "sessions"):
        assert rows.all(f"SELECT 1 FROM {table}") == []  # noqa: S608 - a constant


def test_files_that_another_session_works_on_stay(rows: Rows, place: Place) -> None:
    write(rows, place, "/a")
    other = rows.session()
    rows.run("UPDATE sessions SET workspace_id = :w WHERE id = :s", w=place.workspace_id, s=other)
    delete_session(rows, place.workspace_id)
    purge_all(rows)
    assert listed(rows, place) == ["/a"]
    delete_session(rows, other)
    purge_all(rows)
    assert rows.all("SELECT 1 FROM workspace_files") == []


def test_a_shared_workspace_outlives_its_sessions(rows: Rows, place: Place) -> None:
    rows.run(
        "INSERT INTO workspaces (id, organization_id, name) VALUES (:w, :o, 'Shared')",
        w=(shared := place.workspace_id),
        o=place.organization_id,
    )
    write(rows, place, "/a")
    delete_session(rows, shared)
    purge_all(rows)
    assert listed(rows, place) == ["/a"]
    rows.run("UPDATE workspaces SET status = 'deleted', deleted_at = now() WHERE id = :w", w=shared)
    purge_all(rows)
    for table in ("workspace_files", "workspace_usage", "workspaces"):
        assert rows.all(f"SELECT 1 FROM {table}") == []  # noqa: S608 - a constant


def test_a_writer_that_waited_for_the_purge_finds_nothing(rows: Rows, place: Place) -> None:
    write(rows, place, "/a")
    delete_session(rows, place.workspace_id)
    with rows.database.transaction() as tx:
        assert purge.purge_deleted_session(tx, limit=10)
        (late,) = rows.at_once(lambda: write(rows, place, "/late"))
        rows.wait_for_blocked()
    assert outcomes([late]) == [NotFound]
    assert rows.all("SELECT 1 FROM workspace_files") == []
    assert rows.all("SELECT 1 FROM workspace_usage") == []


def test_a_search_ends_when_its_time_is_over(rows: Rows, place: Place) -> None:
    for number in range(3):
        write(rows, place, f"/{number}", b"found")
    clock = iter([0.0, 1.0, file_search.SECONDS + 1])
    found = file_search.search(
        rows.database, place, Pattern("found"), None, monotonic=lambda: next(clock)
    )
    assert list(found.matches) == ["/0"]
    assert found.is_partial


def test_a_search_ends_in_the_middle_of_a_file_too(rows: Rows, place: Place) -> None:
    write(rows, place, "/a", b"\n" * 5000 + b"found")
    clock = iter([0.0, 1.0, file_search.SECONDS + 1])
    found = file_search.search(
        rows.database, place, Pattern("found"), None, monotonic=lambda: next(clock)
    )
    assert (found.matches, found.is_partial) == ({}, True)


def test_a_rotation_finds_the_secrets_of_sessions(rows: Rows, place: Place) -> None:
    old, new = (MasterKey(name, name.encode() * 8) for name in ("key1", "key2"))
    session_id = place.workspace_id
    with rows.database.transaction() as tx:
        rows.run("DELETE FROM session_secrets")
        ids = DEFAULT_ORGANIZATION, session_id
        session_storage.set_secrets(tx, SecretBox(old), *ids, {"A": "one", "B": "two"})
    (column,) = (each for each in SECRET_COLUMNS if each.table == "session_secrets")
    both = SecretBox(new, old)
    with rows.database.transaction() as tx:
        for stored in secrets_at_rest.read_slice(tx, column, None, limit=10):
            purpose = column.purpose_of(stored.key)
            secret = both.decrypt(stored.envelope, purpose=purpose)
            envelope = both.encrypt(secret, purpose=purpose)
            assert secrets_at_rest.replace(tx, column, stored, envelope)
    with rows.database.reading() as tx:
        assert session_storage.get_secret(tx, SecretBox(new), *ids, "B") == "two"
        with pytest.raises(EncryptionMissing):
            session_storage.get_secret(tx, SecretBox(old), *ids, "B")
