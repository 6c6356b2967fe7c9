"""What uploads cost: memory of each process under many at once, and their rate against a limit.

Run it with `python3 dev.py test tests/bench`; it prints what it measures.
"""

import hashlib
import os
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from pathlib import Path

import httpx
import psutil
import pytest

from tests.corpus import noise_png
from tests.system import running

_UPLOADS, _SIDE = 50, 2_600
_MEGABYTE = 1024 * 1024
_MOST_GROWTH_MB = 150
_SAMPLE_SECONDS = 0.02


class Memory:
    """The largest size of each process of a tree, by what it runs."""

    def __init__(self, root_pid: int) -> None:
        self._root = psutil.Process(root_pid)
        self.idle = self._sizes()
        self.peaks = dict(self.idle)
        self.children_peak = 0

    @contextmanager
    def watched(self) -> Iterator[None]:
        stop = threading.Event()
        thread = threading.Thread(target=self._watch, args=(stop,))
        thread.start()
        yield
        stop.set()
        thread.join()

    def _watch(self, stop: threading.Event) -> None:
        while not stop.wait(_SAMPLE_SECONDS):
            for pid, size in self._sizes().items():
                if pid in self.idle:
                    self.peaks[pid] = max(self.peaks[pid], size)
                else:
                    self.children_peak = max(self.children_peak, size)

    def _sizes(self) -> dict[int, int]:
        sizes = {}
        for process in (self._root, *self._root.children(recursive=True)):
            with suppress(psutil.NoSuchProcess):
                sizes[process.pid] = process.memory_info().rss
        return sizes

    @property
    def growth_mb(self) -> dict[int, float]:
        return {pid: (self.peaks[pid] - self.idle[pid]) / _MEGABYTE for pid in self.idle}


def _written_at_best(data: bytes, directory: Path) -> float:
    """Bytes a second that one thread hashes, writes and makes durable."""
    began = time.perf_counter()
    for number in range(5):
        hashlib.sha256(data).hexdigest()
        with (directory / str(number)).open("wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
    return 5 * len(data) / (time.perf_counter() - began)


@pytest.mark.timeout(600)
def test_many_large_uploads_at_once(database_url: str, redis_url: str, tmp_path: Path) -> None:
    picture = noise_png(_SIDE)
    limit = _written_at_best(picture, tmp_path)
    settings = {"API_WORKERS": "2", "IMAGE_DEADLINE_SECONDS": "60"}
    with running(database_url, redis_url, tmp_path, parts=("api",), settings=settings) as system:
        (api,) = system.parts
        url = f"http://127.0.0.1:{api.port}/v1/images"
        httpx.post(url, files={"file": ("warm.png", noise_png(20))}).raise_for_status()
        memory = Memory(api.process.pid)

        def upload(number: int) -> int:
            # Padding makes each of them another file.
            data = picture + bytes(number)
            with httpx.Client(timeout=500) as client:
                return client.post(url, files={"file": ("a.png", data)}).status_code

        began = time.perf_counter()
        with memory.watched(), ThreadPoolExecutor(_UPLOADS) as pool:
            statuses = list(pool.map(upload, range(_UPLOADS)))
        took = time.perf_counter() - began

    rate = _UPLOADS * len(picture) / took
    print(f"\n{_UPLOADS} uploads of {len(picture) / 1e6:.1f} MB at once: {took:.1f} s")
    print(
        f"rate {rate / 1e6:.0f} MB/s; hashing and writing alone {limit / 1e6:.0f} MB/s;"
        f" ratio {rate / limit:.2f}"
    )
    for pid, growth in memory.growth_mb.items():
        print(f"process {pid}: idle {memory.idle[pid] / _MEGABYTE:.0f} MB, grew by {growth:.0f} MB")
    print(f"largest child that looked into an image: {memory.children_peak / _MEGABYTE:.0f} MB")
    assert statuses == [201] * _UPLOADS
    assert max(memory.growth_mb.values()) < _MOST_GROWTH_MB
    assert memory.children_peak / _MEGABYTE < _MOST_GROWTH_MB
