"""Certificates, and TLS in front of a server that was built without it.

The embedded servers speak no TLS.  What is behind here is the real server, what is before it
a real TLS handshake, for PostgreSQL after the request for it that its protocol has.
"""

from __future__ import annotations

import asyncio
import ssl
import threading
from collections.abc import Coroutine, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, TypeVar

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

_BEGIN = datetime(2020, 1, 1, tzinfo=UTC)
_LIFE = timedelta(days=36500)
_SSL_REQUEST = (80877103).to_bytes(4, "big")
_GSS_REQUEST = (80877104).to_bytes(4, "big")
_PIECE = 65536

T = TypeVar("T")


@dataclass(frozen=True)
class Authority:
    """A certificate authority of one test, in files."""

    certificate: Path
    server_chain: Path

    @property
    def server_context(self) -> ssl.SSLContext:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(self.server_chain)
        return context


def make_authority(directory: Path) -> Authority:
    """An authority, and a certificate of it for `localhost` (and not for 127.0.0.1)."""
    directory.mkdir(exist_ok=True)
    root_key, server_key = (ec.generate_private_key(ec.SECP256R1()) for _ in range(2))
    root_name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "A test's authority")])
    root = (
        _certificate(root_name, root_name, root_key.public_key())
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .add_extension(
            x509.SubjectKeyIdentifier.from_public_key(root_key.public_key()), critical=False
        )
        .sign(root_key, hashes.SHA256())
    )
    server_name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "localhost")])
    names = [x509.DNSName("localhost")]
    server = (
        _certificate(server_name, root_name, server_key.public_key())
        .add_extension(x509.SubjectAlternativeName(names), critical=False)
        .add_extension(
            x509.AuthorityKeyIdentifier.from_issuer_public_key(root_key.public_key()),
            critical=False,
        )
        .sign(root_key, hashes.SHA256())
    )
    authority = Authority(directory / "authority.pem", directory / "server.pem")
    pem = serialization.Encoding.PEM
    authority.certificate.write_bytes(root.public_bytes(pem))
    private = server_key.private_bytes(
        pem, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    authority.server_chain.write_bytes(private + server.public_bytes(pem))
    return authority


def _certificate(
    subject: x509.Name, issuer: x509.Name, key: ec.EllipticCurvePublicKey
) -> x509.CertificateBuilder:
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(key)
        .serial_number(x509.random_serial_number())
        .not_valid_before(_BEGIN)
        .not_valid_after(_BEGIN + _LIFE)
    )


@dataclass
class TlsFront:
    """Takes TLS and passes on what was in it; what comes without is hung up on."""

    authority: Authority
    target_port: int
    is_postgres: bool = False
    port: int = 0
    served: int = 0

    async def serve(self) -> asyncio.Server:
        context = None if self.is_postgres else self.authority.server_context
        server = await asyncio.start_server(self._meet, "127.0.0.1", 0, ssl=context)
        self.port = server.sockets[0].getsockname()[1]
        return server

    async def _meet(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            with suppress(OSError, asyncio.IncompleteReadError):
                if not self.is_postgres or await self._agree(reader, writer):
                    self.served += 1
                    await self._pass_on(reader, writer)
        finally:
            writer.transport.abort()

    async def _agree(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> bool:
        while True:
            asked = (await reader.readexactly(8))[4:]
            if asked == _GSS_REQUEST:
                writer.write(b"N")
            elif asked == _SSL_REQUEST:
                writer.write(b"S")
                await writer.drain()
                await writer.start_tls(self.authority.server_context)
                return True
            else:
                return False

    async def _pass_on(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        inner_reader, inner_writer = await asyncio.open_connection("127.0.0.1", self.target_port)
        ways = [
            asyncio.create_task(_copy(reader, inner_writer)),
            asyncio.create_task(_copy(inner_reader, writer)),
        ]
        try:
            await asyncio.wait(ways, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for way in ways:
                way.cancel()
            inner_writer.transport.abort()
            await asyncio.gather(*ways, return_exceptions=True)


async def _copy(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    while data := await reader.read(_PIECE):
        writer.write(data)
        await writer.drain()


@contextmanager
def tls_front(
    authority: Authority, target_port: int, *, is_postgres: bool = False
) -> Iterator[TlsFront]:
    """The front, on a loop in a thread of its own."""
    front = TlsFront(authority, target_port, is_postgres)
    loop = asyncio.new_event_loop()
    # Clients hang up whenever they like, and some in the middle of a handshake.
    loop.set_exception_handler(lambda *_: None)
    thread = threading.Thread(target=loop.run_forever, daemon=True)
    thread.start()
    server = _on(loop, front.serve())
    try:
        yield front
    finally:
        loop.call_soon_threadsafe(server.close)
        _on(loop, _cancel_all())
        loop.call_soon_threadsafe(loop.stop)
        thread.join(10)
        loop.close()


def _on(loop: asyncio.AbstractEventLoop, work: Coroutine[Any, Any, T]) -> T:
    return asyncio.run_coroutine_threadsafe(work, loop).result(10)


async def _cancel_all() -> None:
    others = asyncio.all_tasks() - {asyncio.current_task()}
    for task in others:
        task.cancel()
    await asyncio.gather(*others, return_exceptions=True)
    # What was aborted is closed by the loop a moment later.
    await asyncio.sleep(0.05)
