"""What Prometheus reads of a process: shared names and bounds, and the port it is served on.

Each kind of process defines its metrics in one module of its own (`api/metrics.py`,
`api/streaming/metrics.py`, `worker/metrics.py`, `worker/sweep_metrics.py`).  Values of labels
come from closed sets, or through `Bounded` where callers choose them; no label names a
session, a turn, an organization or anything that was said (I10).
"""

from __future__ import annotations

import socket
import threading
from collections.abc import Callable, Iterable
from socketserver import ThreadingMixIn
from typing import TYPE_CHECKING, Any, Final
from wsgiref.simple_server import WSGIRequestHandler, WSGIServer

import structlog
from prometheus_client import CollectorRegistry, Gauge, make_wsgi_app
from prometheus_client.core import GaugeMetricFamily
from prometheus_client.metrics_core import Metric
from prometheus_client.process_collector import ProcessCollector
from prometheus_client.registry import Collector

from common.version import installed_version

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment

PREFIX: Final = "everturn"
# From a cache hit to a long turn.
STAGE_BUCKETS: Final = (
    *(0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0),
    *(10.0, 30.0, 60.0, 120.0, 300.0, 600.0),
)
REQUEST_BUCKETS: Final = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)
OTHER: Final = "other"

_PATH: Final = "/metrics"
_LONGEST_VALUE: Final = 80
_SLOW_SCRAPER_SECONDS: Final = 5.0

_log = structlog.get_logger()


class Bounded:
    """Lets the first so many different values of a label through; the rest is `other`.

    For names that callers choose: whatever they choose, a process has so many time series.
    """

    def __init__(self, most: int = 50) -> None:
        self._most = most
        self._known: set[str] = set()
        self._guard = threading.Lock()

    def __call__(self, value: str) -> str:
        if value in self._known:
            return value
        with self._guard:
            if len(self._known) >= self._most or len(value) > _LONGEST_VALUE:
                return OTHER
            self._known.add(value)
        return value


class BuildInfo(Collector):
    """`everturn_build_info`: which release this is, and what it does."""

    def __init__(self, process: str) -> None:
        self._process = process

    def collect(self) -> Iterable[Metric]:
        found = GaugeMetricFamily(
            f"{PREFIX}_build_info", "Always 1.", labels=("version", "process")
        )
        found.add_metric((installed_version(), self._process), 1)
        return [found]


class PoolMetrics:
    """`everturn_database_pool_*`: the connections of one process's main pool."""

    def __init__(self, registry: CollectorRegistry) -> None:
        self._size = Gauge(
            f"{PREFIX}_database_pool_size",
            "Database connections that there may be.",
            registry=registry,
            multiprocess_mode="livesum",
        )
        self._in_use = Gauge(
            f"{PREFIX}_database_pool_in_use",
            "Database connections in use just now.",
            registry=registry,
            multiprocess_mode="livesum",
        )

    def begin(self, size: int) -> None:
        """There is a pool of so many connections."""
        self._size.set(size)

    def follow(self, size: int, in_use: Callable[[], int]) -> None:
        """As `begin`, where the process is alone: how many are in use is asked for then."""
        self._size.set(size)
        self._in_use.set_function(in_use)

    def changed(self, by: int) -> None:
        """So many more connections are in use."""
        self._in_use.inc(by)


def new_registry(process: str) -> CollectorRegistry:
    """The registry of a process of its own, with what is said of every such process."""
    registry = CollectorRegistry()
    registry.register(BuildInfo(process))
    ProcessCollector(namespace=PREFIX, registry=registry)
    return registry


def expose(registry: CollectorRegistry, host: str, port: int) -> None:
    """Serve a registry beside whatever the process does; port 0 serves nothing."""
    listening = open_port(host, port)
    if listening is not None:
        serve(lambda: registry, listening)


def open_port(host: str, port: int) -> socket.socket | None:
    """The port that is scraped; None with 0, or when it is taken: work goes before numbers."""
    if port == 0:
        return None
    try:
        return socket.create_server((host, port), reuse_port=False)
    except OSError as failure:
        _log.warning("metrics_not_served", port=port, error=type(failure).__name__)
        return None


def serve(registry: Callable[[], CollectorRegistry], listening: socket.socket) -> None:
    """Answer scrapes on a thread; `registry` is asked for each.

    The socket may be shared with other processes, each of which answers some.
    """
    listening.settimeout(0)
    server = _Server(listening.getsockname()[:2], _Handler, bind_and_activate=False)
    server.take(listening)
    server.set_app(_app(registry))
    threading.Thread(target=server.serve_forever, name="metrics", daemon=True).start()


def _app(registry: Callable[[], CollectorRegistry]) -> WSGIApplication:
    def answer(environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        if environ.get("PATH_INFO") != _PATH:
            start_response("404 Not Found", [("Content-Type", "text/plain")])
            return [b"There is only /metrics here\n"]
        pages: Iterable[bytes] = make_wsgi_app(registry())(environ, start_response)
        return pages

    return answer


class _Server(ThreadingMixIn, WSGIServer):
    daemon_threads = True

    def take(self, listening: socket.socket) -> None:
        """Serve on a socket that is listening already."""
        self.socket.close()
        self.socket = listening
        self.server_name, self.server_port = listening.getsockname()[:2]
        self.setup_environ()

    def get_request(self) -> tuple[socket.socket, Any]:
        connection, address = self.socket.accept()
        # Some systems hand the listening socket's mode on.
        connection.settimeout(None)
        return connection, address

    def handle_error(self, request: Any, client_address: Any) -> None:  # noqa: ARG002 - the base's
        """A scraper that went away, mostly."""
        _log.debug("scrape_failed")


class _Handler(WSGIRequestHandler):
    timeout = _SLOW_SCRAPER_SECONDS

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - the base's name
        """Scrapes come every few seconds: say nothing of them."""
