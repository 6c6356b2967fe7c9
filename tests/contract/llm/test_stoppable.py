"""Reading in slices loses nothing, also where a TLS record arrives in parts."""

import datetime as dt
import ipaddress
import socket
import ssl
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import httpx2
import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from worker.llm.stoppable import SLICE_SECONDS, CallStopped, make_stoppable, watching

_BODY = bytes(range(256)) * 40


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Path:
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "127.0.0.1")])
    now = dt.datetime(2020, 1, 1, tzinfo=dt.UTC)
    address = x509.IPAddress(ipaddress.ip_address("127.0.0.1"))
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now)
        .not_valid_after(now + dt.timedelta(days=365 * 80))
        .add_extension(x509.SubjectAlternativeName([address]), critical=False)
        .sign(key, hashes.SHA256())
    )
    path = tmp_path_factory.mktemp("tls") / "server.pem"
    path.write_bytes(
        key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )
        + made.public_bytes(serialization.Encoding.PEM)
    )
    return path


def _encrypted(tls: ssl.SSLObject, outgoing: ssl.MemoryBIO, data: bytes) -> bytes:
    tls.write(data)
    return outgoing.read()


def _serve_slowly(listener: socket.socket, certificate: Path, *, ends: bool) -> None:
    """Answer one request, each TLS record in two parts with more than a slice between."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate)
    incoming, outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
    tls = context.wrap_bio(incoming, outgoing, server_side=True)
    connection, _ = listener.accept()
    with connection:
        request = b""
        while not request:
            incoming.write(connection.recv(65536))
            try:
                tls.do_handshake()
                request = tls.read(65536)
            except ssl.SSLWantReadError:
                pass
            connection.sendall(outgoing.read())
        head = f"HTTP/1.1 200 OK\r\ncontent-length: {len(_BODY)}\r\n\r\n".encode()
        for part in (head, _BODY):
            record = _encrypted(tls, outgoing, part)
            half = len(record) // 2
            connection.sendall(record[:half])
            if not ends:
                connection.recv(1)  # until the client goes
                return
            time.sleep(SLICE_SECONDS * 1.6)
            connection.sendall(record[half:])


@pytest.fixture
def serve(certificate: Path) -> Iterator[Callable[[bool], httpx2.Client]]:
    opened: list[threading.Thread] = []
    closing: list[httpx2.Client] = []
    with socket.create_server(("127.0.0.1", 0)) as listener:

        def start(ends: bool) -> httpx2.Client:  # noqa: FBT001
            thread = threading.Thread(
                target=_serve_slowly, args=(listener, certificate), kwargs={"ends": ends}
            )
            thread.start()
            opened.append(thread)
            url = f"https://127.0.0.1:{listener.getsockname()[1]}"
            trusted = ssl.create_default_context(cafile=str(certificate))
            client = httpx2.Client(base_url=url, verify=trusted, timeout=10, trust_env=False)
            make_stoppable(client)
            closing.append(client)
            return client

        yield start
        for client in closing:
            client.close()
        for thread in opened:
            thread.join()


def test_tls_records_in_parts_are_put_together(
    serve: Callable[[bool], httpx2.Client],
) -> None:
    client = serve(True)  # noqa: FBT003
    with watching(threading.Event()):
        assert client.get("/").content == _BODY


def test_a_stop_ends_the_wait_for_the_rest_of_a_record(
    serve: Callable[[bool], httpx2.Client],
) -> None:
    client = serve(False)  # noqa: FBT003
    stop = threading.Event()
    timer = threading.Timer(0.1, stop.set)
    timer.start()
    began = time.monotonic()
    with watching(stop), pytest.raises(CallStopped):
        client.get("/")
    assert time.monotonic() - began < 4 * SLICE_SECONDS
    timer.join()


def test_connections_through_a_proxy_are_stoppable_too(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("HTTPS_PROXY", "http://127.0.0.1:1")
    with httpx2.Client() as client:
        make_stoppable(client)
        transports = [client._transport, *filter(None, client._mounts.values())]
        assert len(transports) > 1
        for transport in transports:
            assert isinstance(transport, httpx2.HTTPTransport)
            assert type(transport._pool._network_backend).__name__ == "_SlicedBackend"
