"""An upload whose process is killed leaves nothing that anybody can see."""

import os
import socket
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, closing, suppress
from pathlib import Path

import httpx
import psycopg2
import pytest

from tests import plain_http
from tests.conditions import wait_until
from tests.corpus import noise_png
from tests.system import System, running

pytestmark = pytest.mark.slow

_COLLECTS_AT_ONCE = {"BLOB_ORPHAN_SECONDS": "60", "BLOB_COLLECT_SECONDS": "0.2"}


@pytest.fixture
def system(database_url: str, redis_url: str, tmp_path: Path) -> Iterator[System]:
    with running(database_url, redis_url, tmp_path, parts=("api",)) as started:
        yield started


def _upload(base_url: str, data: bytes) -> httpx.Response:
    return plain_http.post(f"{base_url}/v1/images", files={"file": ("a.png", data)}, timeout=30)


def test_a_process_killed_between_bytes_and_row_leaves_garbage_that_is_collected(
    system: System, database_url: str, tmp_path: Path
) -> None:
    (api,) = system.parts
    base_url = f"http://127.0.0.1:{api.port}"
    kept = _upload(base_url, noise_png(30)).json()["id"]
    root = tmp_path / "storage" / "blobs"
    before = _files(root)
    data = noise_png(50)

    # The row cannot be written as long as somebody holds the table.
    with psycopg2.connect(database_url) as holder, ThreadPoolExecutor() as pool:
        with holder.cursor() as cursor:
            cursor.execute("LOCK TABLE images IN EXCLUSIVE MODE")
        upload = pool.submit(_upload, base_url, data)
        wait_until(lambda: len(_files(root)) == len(before) + 2, description="the bytes are put")
        api.kill()
        with suppress(httpx.HTTPError):
            upload.result()
        holder.rollback()
    orphans = _files(root) - before
    assert any(path.read_bytes() == data for path in orphans)

    system.parts.remove(api)
    api = system.start("api")
    system.wait_ready(api)
    base_url = f"http://127.0.0.1:{api.port}"
    listed = plain_http.get(f"{base_url}/v1/images").json()
    assert [each["id"] for each in listed["data"]] == [kept]
    assert _files(tmp_path / "storage" / "incoming") == set()

    for path in orphans:
        os.utime(path, (1, 1))
    system.start("sweeper", **_COLLECTS_AT_ONCE)
    wait_until(lambda: _files(root) == before, description="the orphans are removed")
    assert plain_http.get(f"{base_url}/v1/images/{kept}").content == noise_png(30)
    again = _upload(base_url, data)
    assert again.status_code == 201
    assert plain_http.get(f"{base_url}/v1/images/{again.json()['id']}").content == data


def test_a_process_killed_in_mid_upload_leaves_nothing(system: System, tmp_path: Path) -> None:
    (api,) = system.parts
    begun = []

    def body() -> Iterator[bytes]:
        yield b'--x\r\nContent-Disposition: form-data; name="file"; filename="a.png"\r\n\r\n'
        yield noise_png(400)
        begun.append(True)
        wait_until(lambda: not api.is_alive, description="the api is killed")

    with ThreadPoolExecutor() as pool:
        upload = pool.submit(
            plain_http.post,
            f"http://127.0.0.1:{api.port}/v1/images",
            content=body(),
            headers={"Content-Type": "multipart/form-data; boundary=x"},
        )
        wait_until(lambda: begun, description="half of it was sent")
        api.kill()
        with suppress(httpx.HTTPError):
            upload.result()
    assert _files(tmp_path / "storage") == set()
    system.parts.remove(api)


def _files(root: Path) -> set[Path]:
    return {path for path in root.rglob("*") if path.is_file()}


def test_who_announces_too_much_hears_of_it_at_once_and_keeps_nobody_waiting(
    system: System,
) -> None:
    (api,) = system.parts
    head = (
        b"POST /v1/images HTTP/1.1\r\nHost: localhost\r\nContent-Length: 1000000000000\r\n"
        b"Content-Type: multipart/form-data; boundary=x\r\n\r\n--x\r\n"
    )
    with ExitStack() as opened:
        for _ in range(40):
            connection = socket.create_connection(("127.0.0.1", api.port), timeout=60)
            opened.enter_context(closing(connection))
            connection.sendall(head)
            # It sends nothing more and goes on reading.
            assert connection.recv(12) == b"HTTP/1.1 413"
        listed = plain_http.get(f"http://127.0.0.1:{api.port}/v1/images", timeout=60)
        assert listed.json()["data"] == []
