"""A socket that gives up on clients that keep it waiting."""

import socket
import threading
import time
from collections.abc import Iterator

import pytest

from api.pace import Pace, PacedSocket, TooSlow

_PACE = Pace(seconds=0.3, pause_seconds=1.0, bytes_per_second=10_000)


@pytest.fixture
def pair() -> Iterator[tuple[PacedSocket, socket.socket]]:
    ours, theirs = socket.socketpair()
    for end in (ours, theirs):
        end.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 4096)
    paced = PacedSocket.take(ours, _PACE)
    yield paced, theirs
    paced.close()
    theirs.close()


def _drip(theirs: socket.socket, piece: bytes, stopped: threading.Event) -> None:
    while not stopped.wait(0.03):
        try:
            theirs.send(piece)
        except OSError:
            return


def _read_on(ours: PacedSocket) -> None:
    while ours.recv(64):
        pass


def test_what_comes_is_read(pair: tuple[PacedSocket, socket.socket]) -> None:
    ours, theirs = pair
    theirs.sendall(b"words")
    assert ours.recv(3) == b"wor"
    assert ours.recv(10) == b"ds"
    theirs.close()
    assert ours.recv(1) == b""


def test_silence_has_an_end(pair: tuple[PacedSocket, socket.socket]) -> None:
    began = time.monotonic()
    with pytest.raises(TooSlow):
        pair[0].recv(1)
    assert 0.2 < time.monotonic() - began < 5


def test_so_has_a_drip(pair: tuple[PacedSocket, socket.socket]) -> None:
    """Each byte comes soon, but all of them earn next to nothing."""
    ours, theirs = pair
    stopped = threading.Event()
    dripping = threading.Thread(target=_drip, args=(theirs, b"x", stopped))
    dripping.start()
    began = time.monotonic()
    with pytest.raises(TooSlow):
        _read_on(ours)
    stopped.set()
    dripping.join()
    assert time.monotonic() - began < 5


def test_who_keeps_the_pace_may_take_longer() -> None:
    generous = Pace(seconds=0.2, pause_seconds=10, bytes_per_second=100)
    kept, theirs = socket.socketpair()
    theirs.send(b"x" * 1000)
    stopped = threading.Event()
    steady = threading.Thread(target=_drip, args=(theirs, b"x" * 1000, stopped))
    with theirs, PacedSocket.take(kept, generous) as ours:
        began, read = time.monotonic(), 0
        read += len(ours.recv(4096))
        steady.start()
        while time.monotonic() - began < 3 * generous.seconds:
            read += len(ours.recv(4096))
        stopped.set()
        steady.join()
    assert read > 1000


def test_much_at_once_buys_one_pause_and_no_more(
    pair: tuple[PacedSocket, socket.socket],
) -> None:
    ours, theirs = pair
    sending = threading.Thread(target=theirs.sendall, args=(b"x" * 1_000_000,))
    sending.start()
    left = 1_000_000
    while left:
        left -= len(ours.recv(65536))
    sending.join()
    began = time.monotonic()
    with pytest.raises(TooSlow):
        ours.recv(1)
    assert time.monotonic() - began < 5


def test_an_answer_that_is_not_read_has_an_end(pair: tuple[PacedSocket, socket.socket]) -> None:
    with pytest.raises(TooSlow):
        pair[0].sendall(b"x" * 1_000_000)


def test_an_answer_that_is_read_arrives_whole(pair: tuple[PacedSocket, socket.socket]) -> None:
    ours, theirs = pair
    sent = bytes(range(256)) * 4000
    sending = threading.Thread(target=ours.sendall, args=(sent,))
    sending.start()
    got = b""
    while len(got) < len(sent):
        got += theirs.recv(65536)
    sending.join()
    assert got == sent


def test_each_request_counts_anew(pair: tuple[PacedSocket, socket.socket]) -> None:
    ours, theirs = pair
    with pytest.raises(TooSlow):
        ours.recv(1)
    ours.begin()
    theirs.send(b"x")
    assert ours.recv(1) == b"x"


def test_a_shorter_time_out_of_the_servers_own_counts(
    pair: tuple[PacedSocket, socket.socket],
) -> None:
    ours, _ = pair
    ours.settimeout(0.01)
    with pytest.raises(TimeoutError) as timed_out:
        ours.recv(1)
    assert not isinstance(timed_out.value, TooSlow)
    ours.setblocking(False)  # noqa: FBT003 - a socket's own
    with pytest.raises(BlockingIOError):
        ours.recv(1)
