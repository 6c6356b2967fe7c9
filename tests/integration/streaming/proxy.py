"""A TCP proxy that holds traffic back when told to, as a bad network does."""

import selectors
import socket
import threading
from typing import Self


class Proxy:
    """Forwards 127.0.0.1:`port` to another port while `is_open`; holds everything else."""

    def __init__(self, target: int) -> None:
        self.is_open = True
        self._target = target
        self._selector = selectors.DefaultSelector()
        self._peers: dict[socket.socket, socket.socket] = {}
        self._held: dict[socket.socket, bytes] = {}
        self._listening = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._listening.getsockname()[1]
        self._selector.register(self._listening, selectors.EVENT_READ)
        self._swallowed: set[socket.socket] = set()
        self._is_stopped = False
        self._thread = threading.Thread(target=self._run)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._is_stopped = True
        self._thread.join()
        for each in (self._listening, *self._peers):
            each.close()
        self._selector.close()

    def swallow(self) -> None:
        """Let nothing through on the connections there are now; later ones work."""
        self._swallowed = set(self._peers)

    def _run(self) -> None:
        while not self._is_stopped:
            for key, _ in self._selector.select(0.02):
                source = key.fileobj
                assert isinstance(source, socket.socket)
                if source is self._listening:
                    self._accept()
                else:
                    self._take(source)
            if self.is_open:
                self._release()

    def _accept(self) -> None:
        client, _ = self._listening.accept()
        server = socket.create_connection(("127.0.0.1", self._target))
        for one, other in ((client, server), (server, client)):
            self._peers[one] = other
            self._selector.register(one, selectors.EVENT_READ)

    def _take(self, source: socket.socket) -> None:
        try:
            data = source.recv(65536)
        except OSError:
            data = b""
        if data and source in self._swallowed:
            return
        if data:
            self._held[source] = self._held.get(source, b"") + data
            return
        for each in (source, self._peers.get(source)):
            if each is not None and self._peers.pop(each, None) is not None:
                self._selector.unregister(each)
                self._held.pop(each, None)
                each.close()

    def _release(self) -> None:
        for source, data in list(self._held.items()):
            del self._held[source]
            peer = self._peers.get(source)
            if peer is not None:
                try:
                    peer.sendall(data)
                except OSError:
                    continue
