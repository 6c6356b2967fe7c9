"""The public port of a local run: `*/sse` goes to the stream process, the rest to the api.

Production uses a real reverse proxy (docs/deploy); this one is there so that
nothing has to be installed.  It forwards and does nothing else: no cache, no
compression, no buffer beyond a socket's.
"""

import asyncio
import os
import signal
import sys

import h11

from dev import ports
from dev.proxy import Peer, PeerGone, forward, respond_with_error, settle

_IDLE_SECONDS = 75.0


class Front:
    """Where requests go, and who is connected."""

    def __init__(self, *, api_port: int, stream_port: int) -> None:
        self._api_port = api_port
        self._stream_port = stream_port
        self._clients: dict[Peer, asyncio.Event] = {}

    def upstream_of(self, target: bytes) -> int:
        """The port that serves this request target."""
        path = target.partition(b"?")[0]
        return self._stream_port if path.rstrip(b"/").endswith(b"/sse") else self._api_port

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Handle one client connection, request after request."""
        client = Peer(h11.SERVER, reader, writer)
        self._clients[client] = asyncio.Event()
        try:
            await self._serve(client, str(writer.get_extra_info("peername")[0]))
        except h11.RemoteProtocolError as error:
            if client.http.our_state in {h11.IDLE, h11.SEND_RESPONSE}:
                status = error.error_status_hint
                await respond_with_error(client, status, "bad_request", "Not a valid HTTP request")
                await settle(client)
        except (PeerGone, TimeoutError):
            pass
        finally:
            await client.close()
            self._clients.pop(client).set()

    async def cut_off(self) -> None:
        """Close every connection now, and wait until that is done."""
        for client, ended in list(self._clients.items()):
            client.abort()
            await ended.wait()

    async def _serve(self, client: Peer, address: str) -> None:
        may_go_on = True
        while may_go_on:
            async with asyncio.timeout(_IDLE_SECONDS):
                request = await client.receive()
            if not isinstance(request, h11.Request):
                break  # closed between two requests
            port = self.upstream_of(request.target)
            may_go_on = await forward(client, request, port=port, address=address)


async def listen(front: Front, port: int) -> list[asyncio.Server]:
    """Bind every loopback address, so that `localhost` works whichever it means."""
    return [
        await asyncio.start_server(front.serve, address, port, family=family, backlog=1024)
        for family, address in ports.loopback_addresses()
    ]


async def main() -> None:
    """Serve until SIGTERM; then cut off whoever is still connected."""
    front = Front(api_port=int(os.environ["API_PORT"]), stream_port=int(os.environ["STREAM_PORT"]))
    ended = asyncio.Event()
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, ended.set)
    servers = await listen(front, int(os.environ["PORT"]))
    await ended.wait()
    for server in servers:
        server.close()
    await front.cut_off()


if __name__ == "__main__":
    try:
        asyncio.run(main())
    except OSError as error:
        sys.exit(f"cannot listen on PORT={os.environ['PORT']}: {error}")
