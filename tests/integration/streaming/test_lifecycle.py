"""How streams end: by the clock, by deletion, by clients that go or stop reading, by SIGTERM."""

import http.client
import signal
import socket
import time
from pathlib import Path

import psutil
import pytest

from api.streaming import sending
from tests.conditions import wait_until
from tests.integration.streaming.author import Author
from tests.integration.streaming.conftest import ReadStream, World
from tests.integration.streaming.reader import Reader
from tests.system import running


def open_streams(world: World) -> int:
    connection = http.client.HTTPConnection("127.0.0.1", world.servers[0].port, timeout=10)
    connection.request("GET", "/health")
    body = connection.getresponse().read()
    connection.close()
    return int(body.split(b'"open_streams":')[1].split(b"}")[0])


def test_heartbeats_come_whether_or_not_there_is_traffic(world: World) -> None:
    world.serve(SSE_HEARTBEAT_INTERVAL_SECS="0.1")
    author = world.author()
    reader = world.read(author).wait_open()

    def beats(it: Reader) -> int:
        return sum(frame.comment == "heartbeat" for frame in it.frames)

    reader.wait(lambda it: beats(it) >= 3, "three heartbeats in silence")
    before = beats(reader)
    for number in range(40):
        author.title(str(number))
    reader.wait(lambda it: beats(it) >= before + 3, "three more")


def test_a_cycle_ends_with_a_word_and_loses_nothing(world: World) -> None:
    world.serve(SSE_REALTIME_CYCLE_SECS="0.3")
    author = world.author()
    author.post("Hi")
    author.start()
    author.say("abc")
    first = world.read(author).wait_for_text("abc").wait_end()
    last = first.frames[-1]
    assert last.event == "disconnecting"
    assert last.body == {"reason": "connection_cycle", "retry_ms": 100}
    author.complete("def")
    second = world.read(author, since_id=first.events[-1]["id"]).wait_for("session.idled")
    assert first.text + second.text == "abcdef"


@pytest.mark.parametrize("is_telling", [True, False])
def test_a_deleted_session_ends_its_streams(world: World, *, is_telling: bool) -> None:
    world.serve(poll_seconds=0.05)
    author = world.author(is_telling=is_telling)
    reader = world.read(author).wait_open()
    author.delete()
    assert reader.wait_end().frames[-1].event == "disconnecting"
    assert world.read(author).status == 404


def test_a_second_request_on_its_connection_ends_a_stream_and_nothing_else(world: World) -> None:
    """The connection's end must be heard of by the stream that runs on it."""
    world.serve()
    author = world.author()
    author.post("Hi")
    author.start()
    author.say("abc")
    other = world.read(author).wait_for_text("abc")
    request = f"GET /v1/sessions/{author.shown_id}/sse HTTP/1.1\r\nHost: a\r\n\r\n".encode()
    with socket.create_connection(("127.0.0.1", world.servers[0].port)) as impatient:
        impatient.settimeout(10)
        impatient.sendall(request)
        wait_until(lambda: b"abc" in impatient.recv(65536), description="it is streamed to")
        impatient.sendall(request)
        wait_until(lambda: _is_closed(impatient), description="its connection is closed")
    wait_until(lambda: open_streams(world) == 1, description="its stream is gone")
    author.say("def")
    other.wait_for_text("abcdef")


def _is_closed(connection: socket.socket) -> bool:
    try:
        return connection.recv(65536) == b""
    except ConnectionResetError:
        return True


def test_a_client_that_goes_is_noticed_at_once(author: Author, world: World) -> None:
    with world.read(author) as reader:
        reader.wait_open()
        wait_until(lambda: open_streams(world) == 1, description="one stream is open")
    wait_until(lambda: open_streams(world) == 0, description="none is", timeout_seconds=2)


@pytest.mark.slow
def test_a_client_that_does_not_read_is_dropped_and_its_socket_freed(
    author: Author, world: World, read: ReadStream
) -> None:
    """The kernel holds little for it, and gives even that up (I11)."""
    sane = read(author).wait_open()
    stalled = socket.socket()
    stalled.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    stalled.connect(("127.0.0.1", world.servers[0].port))
    stalled.sendall(
        f"GET /v1/sessions/{author.session_id.hex}/sse HTTP/1.1\r\nHost: x\r\n\r\n".encode()
    )
    wait_until(lambda: open_streams(world) == 2, description="both streams are open")
    client_port = stalled.getsockname()[1]
    for number in range(60):
        author.title(f"{number} " + "x" * 20_000)
    sane.wait(lambda it: len(it.sequences) == 61, "the other reader has it all")
    # Before TCP_USER_TIMEOUT: the time a send may take is shorter.
    wait_until(lambda: open_streams(world) == 1, description="it is dropped", timeout_seconds=8)
    wait_until(
        lambda: not _server_side(world, client_port),
        description="its socket is gone",
        timeout_seconds=30,
    )
    assert sane.sequences == [event.sequence for event in author.log()]
    stalled.close()


def _server_side(world: World, client_port: int) -> bool:
    """Whether the kernel still has the server's end of the connection."""
    ends = (world.servers[0].port, client_port)
    return any(
        (each.laddr.port, each.raddr.port) == ends
        for each in psutil.net_connections("tcp4")
        if each.laddr and each.raddr
    )


def test_sockets_are_small(author: Author, read: ReadStream, world: World) -> None:
    read(author).wait_open()
    listening = world.servers[0].listening
    assert listening.getsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF) <= 2 * 64 * 1024


def test_a_reader_that_falls_behind_is_served_from_the_log(
    author: Author, world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    # However long it takes here to write the events, it is not to be given up meanwhile.
    monkeypatch.setattr(sending, "_SEND_SECONDS", 60.0)
    slow = socket.create_connection(("127.0.0.1", world.servers[0].port))
    path = f"/v1/sessions/{author.session_id.hex}/sse"
    slow.sendall(f"GET {path} HTTP/1.0\r\n\r\n".encode())
    wait_until(lambda: open_streams(world) == 1, description="it is open")
    for number in range(400):
        author.title(f"{number} " + "y" * 4000)
    received = b""
    slow.settimeout(10)
    while received.count(b"\nevent: session.title.updated") < 400:
        piece = slow.recv(65536)
        assert piece, "it was given up"
        received += piece
    slow.close()
    sequences = [int(part.split(b",")[0]) for part in received.split(b'"sequence":')[1:]]
    assert sequences == list(range(1, 402))


def test_sigterm_says_goodbye_and_ends_the_process(
    shared_database_url: str, redis_url: str, tmp_path: Path, world: World
) -> None:
    author = world.author()
    with running(shared_database_url, redis_url, tmp_path, parts=("stream",)) as system:
        part = system.parts[0]
        path = f"/v1/sessions/{author.shown_id}/sse"
        readers = [Reader(part.port, path).wait_open() for _ in range(5)]
        world.readers += readers
        began = time.monotonic()
        part.signal(signal.SIGTERM)
        for reader in readers:
            reader.wait_end()
            assert reader.frames[-1].event == "disconnecting"
            assert reader.frames[-1].body["reason"] == "server_maintenance"
        assert len({reader.frames[-1].body["retry_ms"] for reader in readers}) > 1
        assert part.process.wait(5) == 0
        assert time.monotonic() - began < 2.5


def test_sigterm_does_not_wait_for_a_client_that_does_not_read(
    shared_database_url: str, redis_url: str, tmp_path: Path, world: World
) -> None:
    author = world.author()
    with running(shared_database_url, redis_url, tmp_path, parts=("stream",)) as system:
        part = system.parts[0]
        stalled = socket.socket()
        stalled.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        stalled.connect(("127.0.0.1", part.port))
        path = f"/v1/sessions/{author.session_id.hex}/sse"
        stalled.sendall(f"GET {path} HTTP/1.1\r\nHost: x\r\n\r\n".encode())
        reader = Reader(part.port, path).wait_open()
        world.readers.append(reader)
        for number in range(60):
            author.title(f"{number} " + "x" * 20_000)
        reader.wait(lambda it: len(it.sequences) == 61, "all was sent")
        part.signal(signal.SIGTERM)
        assert part.process.wait(5) == 0
        stalled.close()
