"""Carry one HTTP exchange between a client and an upstream, streaming in both directions.

Bytes go on as they come and never faster than the other side takes them.  When
either side goes away the other is cut off at once: a server must learn that
its reader has left, and a client must not take half an answer for a whole one.
"""

import asyncio
import contextlib
import json
from dataclasses import dataclass, field

import h11

_READ_BYTES = 65_536
_HEADER_BYTES = 65_536
_CONNECT_SECONDS = 5.0
# How long a client may go on sending a body after its answer is complete.
_LINGER_SECONDS = 2.0
# Not for the next hop (RFC 9110, 7.6.1); what Connection names comes on top.
_HOP_BY_HOP = frozenset(
    {
        b"connection",
        b"keep-alive",
        b"proxy-authenticate",
        b"proxy-authorization",
        b"proxy-connection",
        b"te",
        b"trailer",
        b"transfer-encoding",
        b"upgrade",
    }
)
_SET_HERE = frozenset({b"x-forwarded-for", b"x-forwarded-host", b"x-forwarded-proto"})

Headers = list[tuple[bytes, bytes]]


class PeerGone(Exception):
    """The other end closed, or broke the protocol."""


@dataclass(eq=False, slots=True)
class Peer:
    """One connection: h11 for the grammar, asyncio for the bytes."""

    role: type[h11.CLIENT] | type[h11.SERVER]
    reader: asyncio.StreamReader
    writer: asyncio.StreamWriter
    http: h11.Connection = field(init=False)

    def __post_init__(self) -> None:
        self.http = h11.Connection(self.role, max_incomplete_event_size=_HEADER_BYTES)

    async def receive(self) -> h11.Event:
        """The next event.

        Raises:
            PeerGone: when there will be none, because the connection is lost.
            h11.RemoteProtocolError: when what came is not HTTP.
        """
        while True:
            event = self.http.next_event()
            if isinstance(event, h11.Event):
                return event
            if event is h11.PAUSED:
                raise PeerGone
            self.http.receive_data(await self._read())

    async def send(self, event: h11.Event) -> None:
        """Send it and wait until the other side has taken most of it.

        Raises:
            PeerGone: when the connection is lost.
        """
        data = self.http.send(event)
        if data:
            try:
                self.writer.write(data)
                await self.writer.drain()
            except OSError as error:
                raise PeerGone from error

    async def gone(self) -> None:
        """Return when the other side has closed.  What it sends before (pipelined) is kept."""
        while len(self.http.trailing_data[0]) < _READ_BYTES:
            data = await self._read()
            self.http.receive_data(data)
            if not data:
                return
        await asyncio.Event().wait()  # full: its end cannot be seen behind that

    def abort(self) -> None:
        """Close at once, throwing away what was not sent."""
        self.writer.transport.abort()

    async def close(self) -> None:
        """Close after sending what is buffered."""
        self.writer.close()
        with contextlib.suppress(OSError):
            await self.writer.wait_closed()

    async def _read(self) -> bytes:
        try:
            return await self.reader.read(_READ_BYTES)
        except OSError as error:
            raise PeerGone from error


async def forward(client: Peer, request: h11.Request, *, port: int, address: str) -> bool:
    """Answer one request from the upstream on that port; whether the client may send another."""
    try:
        async with asyncio.timeout(_CONNECT_SECONDS):
            reader, writer = await asyncio.open_connection("127.0.0.1", port)
    except OSError:  # a time-out is one too
        return await _refuse(client, f"The process on port {port} does not answer")
    upstream = Peer(h11.CLIENT, reader, writer)
    exchange = _Exchange(client, upstream)
    try:
        is_complete = await exchange.carry(_request_for(request, address))
    finally:
        upstream.abort()
    if is_complete:
        return await settle(client)
    if client.http.our_state is h11.SEND_RESPONSE and exchange.client_is_wrong:
        await respond_with_error(client, 400, "bad_request", "Not a valid HTTP request")
        return await settle(client)
    if client.http.our_state is h11.SEND_RESPONSE and not exchange.client_is_gone:
        return await _refuse(client, f"The process on port {port} closed without an answer")
    client.abort()
    return False


async def respond_with_error(client: Peer, status: int, code: str, message: str) -> None:
    """Send an answer of our own, in the envelope that the API uses."""
    envelope = {"error": message, "status": status, "code": code, "message": message}
    body = json.dumps(envelope).encode()
    headers = [
        ("Content-Type", "application/json"),
        ("Content-Length", str(len(body))),
        ("Connection", "close"),
    ]
    with contextlib.suppress(PeerGone):
        await client.send(h11.Response(status_code=status, headers=headers))
        await client.send(h11.Data(data=body))
        await client.send(h11.EndOfMessage())


async def settle(client: Peer) -> bool:
    """Bring the connection to the next request, or to an end the client can read."""
    if client.http.our_state is h11.DONE and client.http.their_state is h11.DONE:
        client.http.start_next_cycle()
        return True
    if client.http.their_state is h11.SEND_BODY:
        # Closing on unread bytes makes the kernel send a reset, which can overtake our answer.
        with contextlib.suppress(OSError, TimeoutError):
            if client.writer.can_write_eof():
                client.writer.write_eof()
            async with asyncio.timeout(_LINGER_SECONDS):
                while await client.reader.read(_READ_BYTES):
                    pass
    return False


async def _refuse(client: Peer, message: str) -> bool:
    await respond_with_error(client, 502, "bad_gateway", message)
    return await settle(client)


@dataclass(eq=False, slots=True)
class _Exchange:
    client: Peer
    upstream: Peer
    client_is_gone: bool = False
    client_is_wrong: bool = False

    async def carry(self, request: h11.Request) -> bool:
        """Run both directions; whether the answer arrived whole."""
        up = asyncio.create_task(self._carry_up(request))
        down = asyncio.create_task(self._carry_down())
        try:
            await asyncio.wait({up, down}, return_when=asyncio.FIRST_COMPLETED)
            return down.done() and down.result()
        finally:
            for task in (up, down):
                task.cancel()
            await asyncio.gather(up, down, return_exceptions=True)

    async def _carry_up(self, request: h11.Request) -> None:
        """Pass the request on, then watch the client.  Returns only when it is gone or wrong."""
        try:
            upstream_listens = await self._offer(request)
            while True:
                event = await self.client.receive()
                if upstream_listens and isinstance(event, h11.Data | h11.EndOfMessage):
                    upstream_listens = await self._offer(event)
                if isinstance(event, h11.EndOfMessage):
                    await self.client.gone()
                    break
        except PeerGone:
            pass
        except h11.RemoteProtocolError:
            self.client_is_wrong = True
            return
        self.client_is_gone = True

    async def _offer(self, event: h11.Event) -> bool:
        """Send upstream; False when it no longer reads, which is no fault: it may have answered."""
        try:
            await self.upstream.send(event)
        except PeerGone:
            return False
        return True

    async def _carry_down(self) -> bool:
        """Pass the answer on; False when either side goes away before its end."""
        try:
            while True:
                event = await self.upstream.receive()
                match event:
                    case h11.InformationalResponse():
                        await self.client.send(event)
                    case h11.Response():
                        await self.client.send(_response_for(event))
                    case h11.Data():
                        await self.client.send(h11.Data(data=event.data))
                    case h11.EndOfMessage():
                        await self.client.send(h11.EndOfMessage())
                        return True
                    case _:
                        return False
        except (PeerGone, h11.RemoteProtocolError):
            return False


def _request_for(request: h11.Request, address: str) -> h11.Request:
    """The request as the upstream gets it: who asked is said by us, not by the client."""
    headers = _end_to_end(request.headers, also_without=_SET_HERE)
    if any(name == b"transfer-encoding" for name, _ in request.headers):
        headers.append((b"transfer-encoding", b"chunked"))
    host = next((value for name, value in request.headers if name == b"host"), None)
    if host is None:  # HTTP/1.0 may do without; we speak 1.1
        host = b"localhost"
        headers.append((b"host", host))
    headers += [
        (b"x-forwarded-for", address.encode()),
        (b"x-forwarded-host", host),
        (b"x-forwarded-proto", b"http"),
        (b"connection", b"close"),
    ]
    return h11.Request(method=request.method, target=request.target, headers=headers)


def _response_for(response: h11.Response) -> h11.Response:
    """The answer as the client gets it; h11 adds chunking where there is no length."""
    return h11.Response(
        status_code=response.status_code,
        reason=response.reason,
        headers=_end_to_end(response.headers),
    )


def _end_to_end(
    headers: h11._headers.Headers,  # the type has no public name
    also_without: frozenset[bytes] = frozenset(),
) -> Headers:
    named = {
        token.strip().lower()
        for name, value in headers
        if name == b"connection"
        for token in value.split(b",")
    }
    dropped = _HOP_BY_HOP | also_without | named
    return [(name, value) for name, value in headers.raw_items() if name.lower() not in dropped]
