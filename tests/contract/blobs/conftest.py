"""Each backend on something real: a directory, and an S3-compatible server that others wrote."""

import os
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from common.blobs.filesystem import FilesystemBlobs
from common.blobs.s3 import Bucket, S3Blobs
from common.blobs.store import BlobStore
from dev.services import free_test_port
from tests.conditions import wait_until

BUCKET = "uploads"
KEY, SECRET = "everturn-test-key", "everturn-test-secret"


class S3Server:
    """One server process, its data in a directory."""

    def __init__(self, directory: Path) -> None:
        self.directory = directory
        self.port = free_test_port()
        (directory / BUCKET).mkdir(parents=True)
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def endpoint_url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def bucket(self, **fields: str) -> Bucket:
        given = {"access_key_id": KEY, "secret_access_key": SECRET, **fields}
        return Bucket(name=BUCKET, region="us-east-1", endpoint_url=self.endpoint_url, **given)

    def start(self) -> None:
        program = Path(sys.executable).with_name("nanio")
        self._process = subprocess.Popen(  # noqa: S603 - a server of the test's own
            [
                str(program),
                "serve",
                f"--data-dir={self.directory}",
                "--host=127.0.0.1",
                f"--port={self.port}",
                "--no-access-log",
                "--log-level=error",
            ],
            env={
                "PATH": os.defpath,
                "NANIO_ACCESS_KEY": KEY,
                "NANIO_SECRET_KEY": SECRET,
            },
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        wait_until(self._listens, description="the S3 server listens", timeout_seconds=30)

    def _listens(self) -> bool:
        try:
            socket.create_connection(("127.0.0.1", self.port), 1).close()
        except OSError:
            return False
        return True

    def stop(self) -> None:
        if self._process is not None:
            self._process.kill()
            self._process.wait()
            self._process = None


@pytest.fixture(scope="session")
def s3_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[S3Server]:
    server = S3Server(tmp_path_factory.mktemp("s3"))
    server.start()
    yield server
    server.stop()


@pytest.fixture(params=["filesystem", "s3"])
def blobs(request: pytest.FixtureRequest, tmp_path: Path) -> BlobStore:
    """Each backend in turn."""
    if request.param == "filesystem":
        return FilesystemBlobs(tmp_path / "blobs")
    server: S3Server = request.getfixturevalue("s3_server")
    return S3Blobs(server.bucket())
