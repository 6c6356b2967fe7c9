"""Files below a workspace and below a session: one store, every rule of contract 3.10."""

import base64

import pytest
from sqlalchemy import text

from common.domain.file import FILE_BYTES, WORKSPACE_BYTES, WORKSPACE_FILES
from common.domain.ids import Kind, parse_id
from common.storage.engine import Database
from tests.contract.api.client import Api, Json, paths

BINARY = b"\x00\x01\xfe\xff"


def test_a_file_is_made_read_changed_and_deleted(api: Api, fs: str) -> None:
    made = api.post(f"{fs}/notes/plan.md", {"content": "one\n", "encoding": "text"})
    assert made.status == 201
    assert made.body["path"] == "/notes/plan.md"
    assert made.body["name"] == "plan.md"
    assert made.body["content"] == "one\n"
    assert made.body["encoding"] == "text"
    assert made.body["size_bytes"] == 4
    assert made.body["session_id"]
    assert not made.body["is_directory"]
    assert not made.body["is_readonly"]

    assert api.get(f"{fs}/notes/plan.md").body == made.body
    changed = api.put(f"{fs}/notes/plan.md", {"content": "two"})
    assert (changed.status, changed.body["content"]) == (200, "two")
    assert changed.body["id"] == made.body["id"]
    assert api.get(f"{fs}/notes").body["total"] == 1
    assert paths(api, fs) == ["/notes"]
    assert paths(api, f"{fs}?recursive=true") == ["/notes", "/notes/plan.md"]

    gone = api.delete(f"{fs}/notes/plan.md")
    assert (gone.status, gone.body) == (200, {"deleted": True})
    assert api.get(f"{fs}/notes/plan.md").status == 404
    assert api.delete(f"{fs}/notes/plan.md").status == 404
    assert paths(api, fs) == ["/notes"]


def test_a_put_makes_what_is_missing(api: Api, fs: str) -> None:
    assert api.put(f"{fs}/a/b/c.txt", {"content": "x"}).status == 200
    assert paths(api, f"{fs}?recursive=true") == ["/a", "/a/b", "/a/b/c.txt"]


def test_bytes_come_back_as_they_went_in(api: Api, fs: str) -> None:
    body = {"content": base64.b64encode(BINARY).decode(), "encoding": "base64"}
    made = api.post(f"{fs}/data.bin", body).body
    assert (made["content"], made["encoding"], made["size_bytes"]) == (body["content"], "base64", 4)
    text_as_bytes = base64.b64encode("é".encode()).decode()
    told = api.put(f"{fs}/data.bin", {"content": text_as_bytes, "encoding": "base64"}).body
    assert (told["content"], told["encoding"]) == ("é", "text")


def test_a_directory_has_no_content(api: Api, fs: str) -> None:
    made = api.post(f"{fs}/docs", {"is_directory": True})
    assert made.status == 201
    assert (made.body["is_directory"], made.body["content"]) == (True, None)
    assert api.get(f"{fs}/docs/").body == {"data": [], "total": 0}
    assert api.post(f"{fs}/docs", {"is_directory": True}).status == 409
    assert api.put(f"{fs}/docs", {"content": "x"}).status == 409
    assert api.post(f"{fs}/other", {"is_directory": True, "content": "x"}).status == 400


def test_what_is_there_is_not_made_again(api: Api, fs: str) -> None:
    assert api.post(f"{fs}/a.txt", {"content": "x"}).status == 201
    assert api.post(f"{fs}/a.txt", {"content": "y"}).status == 409
    assert api.post(f"{fs}/a.txt/b.txt", {"content": "y"}).status == 409
    assert api.put(f"{fs}/a.txt/b.txt", {"content": "y"}).status == 409
    assert api.get(f"{fs}/a.txt").body["content"] == "x"


def test_a_read_only_file_stays_as_it_is(api: Api, fs: str) -> None:
    made = api.post(f"{fs}/d/fixed.txt", {"content": "x", "is_readonly": True})
    assert made.body["is_readonly"]
    for refused in (
        api.put(f"{fs}/d/fixed.txt", {"content": "y"}),
        api.put(f"{fs}/d/fixed.txt", {"content": "x", "is_readonly": False}),
        api.delete(f"{fs}/d/fixed.txt"),
        api.delete(f"{fs}/d?recursive=true"),
        api.post(f"{fs}/_/move", {"src_path": "/d/fixed.txt", "dst_path": "/m.txt"}),
        api.post(f"{fs}/_/move", {"src_path": "/d", "dst_path": "/m"}),
    ):
        assert refused.status == 403
        assert "/d/fixed.txt" in refused.body["error"]
    copied = api.post(f"{fs}/_/copy", {"src_path": "/d/fixed.txt", "dst_path": "/c.txt"})
    assert copied.status == 201
    assert api.put(f"{fs}/c.txt", {"content": "y"}).status == 200


def test_a_full_directory_is_deleted_only_as_a_whole(api: Api, fs: str) -> None:
    api.put(f"{fs}/d/a.txt", {"content": "x"})
    api.put(f"{fs}/d2", {"content": "next to it"})
    assert api.delete(f"{fs}/d").status == 400
    assert api.delete(f"{fs}/d?recursive=true").body == {"deleted": True}
    assert paths(api, f"{fs}?recursive=true") == ["/d2"]


def test_move_takes_everything_along(api: Api, fs: str) -> None:
    for path in ("a/1.txt", "a/sub/2.txt", "ab.txt"):
        api.put(f"{fs}/{path}", {"content": path})
    moved = api.post(f"{fs}/_/move", {"src_path": "/a", "dst_path": "/x/y"})
    assert (moved.status, moved.body["path"], moved.body["is_directory"]) == (200, "/x/y", True)
    assert paths(api, f"{fs}?recursive=true") == [
        *("/ab.txt", "/x", "/x/y", "/x/y/1.txt", "/x/y/sub", "/x/y/sub/2.txt")
    ]
    assert api.get(f"{fs}/x/y").body["total"] == 2
    assert api.get(f"{fs}/x/y/sub/2.txt").body["content"] == "a/sub/2.txt"


def test_copy_leaves_the_original(api: Api, fs: str) -> None:
    api.put(f"{fs}/a/1.txt", {"content": "x"})
    made = api.post(f"{fs}/_/copy", {"src_path": "/a", "dst_path": "/b"})
    assert made.status == 201
    assert paths(api, f"{fs}?recursive=true") == ["/a", "/a/1.txt", "/b", "/b/1.txt"]
    ids = [each["id"] for each in api.get(f"{fs}?recursive=true").body["data"]]
    assert len(set(ids)) == 4


@pytest.mark.parametrize("verb", ["move", "copy"])
def test_transfers_that_cannot_be(api: Api, fs: str, verb: str) -> None:
    api.put(f"{fs}/a/1.txt", {"content": "x"})
    api.put(f"{fs}/b.txt", {"content": "y"})

    def status(source: object, target: object) -> int:
        body = {"src_path": source, "dst_path": target}
        return api.post(f"{fs}/_/{verb}", body).status

    assert status("/a", "/a/inner") == 400
    assert status("/a", "/a") == 409
    assert status("/a", "/b.txt") == 409
    assert status("/a", "/b.txt/c") == 409
    assert status("/none", "/c") == 404
    assert status("/", "/c") == 400
    assert status("/a", "/") == 400
    assert status("/a", "c") == 400
    assert status("/a", "/_c") == 400
    assert status("/a", 1) == 400
    assert status("/a", f"/{'x' * 1020}") == 400  # the child's path would be too long
    assert api.post(f"{fs}/_/{verb}", {"src_path": "/a"}).status == 400
    assert paths(api, f"{fs}?recursive=true") == ["/a", "/a/1.txt", "/b.txt"]


@pytest.mark.parametrize(
    "path",
    ["a//b", "a/../b", "../b", "a/./b", ".", "..", "_hidden", "_/other", "a%00b", "x" * 1025],
)
def test_bad_paths_are_refused(api: Api, own: str, path: str) -> None:
    assert api.put(f"{own}/{path}", {"content": "x"}).status == 400
    assert api.get(f"{own}/{path}").status == 400
    assert paths(api, own) == []


def test_names_may_be_odd(api: Api, own: str) -> None:
    for path in ("a/_b", "sp%20ace", "%C3%A9", "...", "a:b", "%25", "%F0%9F%98%80"):
        assert api.put(f"{own}/{path}", {"content": path}).status == 200
        assert api.get(f"{own}/{path}").body["content"] == path
    assert "/é" in paths(api, own)


def test_stat_tells_of_files_and_directories(api: Api, fs: str) -> None:
    api.put(f"{fs}/d/a.txt", {"content": "four"})
    found = api.post(f"{fs}/_/stat", {"path": "/d/a.txt"}).body
    assert (found["name"], found["size_bytes"], found["is_directory"]) == ("a.txt", 4, False)
    assert api.post(f"{fs}/_/stat", {"path": "/d/"}).body["is_directory"]
    assert api.post(f"{fs}/_/stat", {"path": "/none"}).status == 404
    assert api.post(f"{fs}/_/stat", {"path": "d"}).status == 400
    assert api.post(f"{fs}/_/stat", {}).status == 400


def test_the_root_is_there_before_anything_in_it(api: Api, fs: str) -> None:
    empty = api.post(f"{fs}/_/stat", {"path": "/"})
    assert empty.status == 200
    made = api.put(f"{fs}/a.txt", {"content": "four"}).body
    root = api.post(f"{fs}/_/stat", {"path": "/"}).body
    assert root == {**empty.body, "updated_at": made["updated_at"]}
    assert root["created_at"] <= empty.body["updated_at"] <= root["updated_at"]
    assert {name: root[name] for name in root if not name.endswith("_at")} == {
        "path": "/",
        "name": "/",
        "is_directory": True,
        "is_readonly": False,
        "size_bytes": 0,
        "content_hash": None,
    }


def test_grep_finds_lines(api: Api, fs: str) -> None:
    api.put(f"{fs}/src/a.py", {"content": "import os\n\nprint('x')\n"})
    api.put(f"{fs}/src/b.md", {"content": "import nothing"})
    binary = base64.b64encode(b"\0import").decode()
    api.put(f"{fs}/c.bin", {"content": binary, "encoding": "base64"})
    found = api.post(f"{fs}/_/grep", {"pattern": r"^import\s"}).body
    assert found["data"] == [
        {
            "path": "/src/a.py",
            "matches": [{"path": "/src/a.py", "line_number": 1, "line": "import os"}],
        },
        {
            "path": "/src/b.md",
            "matches": [{"path": "/src/b.md", "line_number": 1, "line": "import nothing"}],
        },
    ]
    assert not found["truncated"]
    for glob in ("*.py", "/src/*.py", "src/**", "**/a.*"):
        only = api.post(f"{fs}/_/grep", {"pattern": "import os", "path_pattern": glob}).body
        assert [each["path"] for each in only["data"]] == ["/src/a.py"], glob
    for glob in ("/*.py", "*.txt", "sr?"):
        assert (
            api.post(f"{fs}/_/grep", {"pattern": "import", "path_pattern": glob}).body["data"] == []
        ), glob


@pytest.mark.parametrize("pattern", ["(", "a{2000}", "(?=a)", r"(a)\1", "x" * 1001, "", 1])
def test_bad_patterns_are_refused(api: Api, own: str, pattern: object) -> None:
    assert api.post(f"{own}/_/grep", {"pattern": pattern}).status == 400


def test_an_evil_pattern_costs_linear_time(api: Api, own: str) -> None:
    api.put(f"{own}/a.txt", {"content": "a" * 200_000})
    found = api.post(f"{own}/_/grep", {"pattern": "^(a+)+$|(a|a)*b"})
    assert found.status == 200
    assert len(found.body["data"][0]["matches"][0]["line"]) == 500


def test_matches_are_bounded(api: Api, own: str) -> None:
    api.put(f"{own}/a.txt", {"content": "x\n" * 1500})
    found = api.post(f"{own}/_/grep", {"pattern": "x"}).body
    assert (len(found["data"][0]["matches"]), found["truncated"]) == (1000, True)


def test_download_gives_the_bytes_as_an_attachment(api: Api, fs: str) -> None:
    body = {"content": base64.b64encode(BINARY).decode(), "encoding": "base64"}
    api.put(f"{fs}/d/%22q%22%20%C3%A9.bin", body)
    got = api.get(f"{fs}/_/download/d/%22q%22%20%C3%A9.bin")
    assert got.raw == BINARY
    assert got.headers["Content-Type"] == "application/octet-stream"
    assert got.headers["X-Content-Type-Options"] == "nosniff"
    assert got.headers["Content-Disposition"] == (
        "attachment; filename=\"_q_ _.bin\"; filename*=UTF-8''%22q%22%20%C3%A9.bin"
    )
    assert api.get(f"{fs}/_/download/d").status == 400
    assert api.get(f"{fs}/_/download/none").status == 404


def test_a_preview_is_plain_text_that_runs_nowhere(api: Api, fs: str) -> None:
    api.put(f"{fs}/a.html", {"content": "<script>alert(1)</script>"})
    got = api.get(f"{fs}/_/preview/a.html")
    assert (got.status, got.text) == (200, "<script>alert(1)</script>")
    assert got.headers["Content-Type"] == "text/plain; charset=utf-8"
    assert "sandbox" in got.headers["Content-Security-Policy"]
    api.put(f"{fs}/b", {"content": base64.b64encode(BINARY).decode(), "encoding": "base64"})
    assert api.get(f"{fs}/_/preview/b").status == 415


@pytest.mark.parametrize(
    "body",
    [
        {"content": 1},
        {"content": "x", "encoding": "hex"},
        {"content": "no base64!", "encoding": "base64"},
        {"content": "x", "is_readonly": "yes"},
        {"content": "a\x00b"},
        {},
        {"content": None},
    ],
)
def test_bad_bodies_are_refused(api: Api, own: str, body: Json) -> None:
    assert api.put(f"{own}/a.txt", body).status == 400
    assert paths(api, own) == []


def test_a_file_has_ten_megabytes_at_most(api: Api, own: str) -> None:
    largest = base64.b64encode(bytes(FILE_BYTES)).decode()
    assert api.put(f"{own}/a", {"content": largest, "encoding": "base64"}).status == 200
    assert api.put(f"{own}/b", {"content": "x" * (FILE_BYTES + 1)}).status == 413
    assert api.put(f"{own}/b", {"content": "x" * (3 * FILE_BYTES)}).status == 413
    assert paths(api, own) == ["/a"]


def set_usage(database: Database, session_id: str, **totals: int) -> None:
    with database.transaction() as tx:
        tx.execute(
            text("UPDATE workspace_usage SET files = :files, bytes = :bytes WHERE workspace_id=:w"),
            {"files": 1, "bytes": 1, **totals, "w": parse_id(Kind.SESSION, session_id)},
        )


def test_a_workspace_has_limits(api: Api, database: Database) -> None:
    session = api.session()
    fs = f"/v1/sessions/{session['id']}/fs"
    api.put(f"{fs}/a", {"content": "x"})
    set_usage(database, session["id"], files=WORKSPACE_FILES)
    assert api.put(f"{fs}/b", {"content": "y"}).status == 409
    assert api.put(f"{fs}/a", {"content": "y"}).status == 200
    set_usage(database, session["id"], bytes=WORKSPACE_BYTES)
    assert api.put(f"{fs}/a", {"content": "yy"}).status == 409
    assert api.post(f"{fs}/_/copy", {"src_path": "/a", "dst_path": "/b"}).status == 409
    assert api.put(f"{fs}/a", {"content": ""}).status == 200
    assert paths(api, fs) == ["/a"]


def test_a_listing_is_complete_however_long(api: Api, database: Database) -> None:
    session = api.session()
    fs = f"/v1/sessions/{session['id']}/fs"
    api.put(f"{fs}/f0", {"content": "x"})
    with database.transaction() as tx:
        tx.execute(
            text(
                "INSERT INTO workspace_files (organization_id, workspace_id, path, parent, id)"
                " SELECT organization_id, workspace_id, '/f' || n, '/', gen_random_uuid()"
                " FROM workspace_files, generate_series(1, 1200) n WHERE workspace_id = :w"
            ),
            {"w": parse_id(Kind.SESSION, session["id"])},
        )
    for query in ("", "?recursive=true"):
        listed = api.get(f"{fs}{query}").body
        assert listed["total"] == len({each["path"] for each in listed["data"]}) == 1201


def test_a_repeated_post_has_one_effect(api: Api, own: str) -> None:
    once = api.with_headers(Idempotency_Key="k")
    first = once.post(f"{own}/a.txt", {"content": "x"})
    assert once.post(f"{own}/a.txt", {"content": "x"}).body == first.body
    assert once.post(f"{own}/a.txt", {"content": "y"}).status == 422
    move = {"src_path": "/a.txt", "dst_path": "/b.txt"}
    moved = once.post(f"{own}/_/move", move)
    assert (moved.status, once.post(f"{own}/_/move", move).body) == (200, moved.body)
