"""Spans to an OpenTelemetry collector, and the trace that the current work belongs to.

Off unless OTEL_EXPORTER_OTLP_ENDPOINT is set: then the libraries are not even imported.
Spans are handed over when they are over; sending them is a thread's business, bounded in
time and number, and nothing here waits for it or notices when the collector is away.
"""

# ruff: noqa: PLC0415

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Final, Literal
from urllib.parse import urlsplit

from common.domain.trace import TraceContext
from common.settings import Settings
from common.version import installed_version

if TYPE_CHECKING:
    from opentelemetry.sdk.trace import ReadableSpan
    from opentelemetry.sdk.trace.export import SpanExporter

Value = str | int | float | bool | Sequence[str]

_SCOPE: Final = "everturn"
_TRACES_PATH: Final = "/v1/traces"
_EXPORT_SECONDS: Final = 5.0
_CLOSE_SECONDS: Final = 1.0
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND: Final = timedelta(microseconds=1)

_current: ContextVar[TraceContext | None] = ContextVar("everturn_trace", default=None)


@dataclass(frozen=True, slots=True, kw_only=True)
class Span:
    """Something that took time.

    Attributes:
        place: the span's own place in its trace.
        parent_id: None for a trace's first.
        began_ns: Unix time, as `ended_ns`.
        error: a class or a code, never a text (I10).
    """

    name: str
    place: TraceContext
    parent_id: str | None
    began_ns: int
    ended_ns: int
    kind: Literal["internal", "server", "client"] = "internal"
    attributes: Mapping[str, Value] = field(default_factory=dict)
    error: str | None = None


class Tracer:
    """Takes finished spans; thread-safe.

    Attributes:
        is_on: whether anybody wants them.
        shows_content: whether spans may say what was said; asked for by the operator alone.
    """

    def __init__(
        self, emit: Callable[[Span], None] | None = None, *, shows_content: bool = False
    ) -> None:
        self.is_on = emit is not None
        self.shows_content = shows_content
        self._emit = emit
        self._close: Callable[[], object] = lambda: None
        self._give_up: Callable[[], object] = lambda: None

    def emit(self, span: Span) -> None:
        """Take a span, if its trace is one that is to be seen."""
        if self._emit is not None and span.place.is_sampled:
            self._emit(span)

    def close(self) -> None:
        """Send what is left, for a moment at most: a collector may be away.

        After it nothing is tried again.
        """
        sending = threading.Thread(target=self._close, name="last-spans", daemon=True)
        sending.start()
        sending.join(_CLOSE_SECONDS)
        if sending.is_alive():
            self._give_up()

    @classmethod
    def from_settings(cls, settings: Settings, *, process: str) -> Tracer:
        """The tracer of a process; call it after any fork."""
        if not settings.otel_exporter_otlp_endpoint:
            return cls()
        from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter

        exporter = OTLPSpanExporter(
            endpoint=_traces_url(settings.otel_exporter_otlp_endpoint), timeout=_EXPORT_SECONDS
        )
        return cls.over(exporter, settings, process=process)

    @classmethod
    def over(cls, exporter: SpanExporter, settings: Settings, *, process: str) -> Tracer:
        """A tracer that exports in batches, beside the work."""
        from opentelemetry.sdk.trace.export import BatchSpanProcessor

        make = _Maker(settings, process)
        processor = BatchSpanProcessor(exporter)
        tracer = cls(
            lambda span: processor.on_end(make.readable(span)),
            shows_content=settings.otel_record_content,
        )
        tracer._close, tracer._give_up = processor.shutdown, exporter.shutdown
        return tracer


class _Maker:
    """Makes the library's spans of ours: theirs cannot be given an id."""

    def __init__(self, settings: Settings, process: str) -> None:
        from opentelemetry.sdk.resources import Resource
        from opentelemetry.sdk.util.instrumentation import InstrumentationScope

        named = {
            "service.name": settings.otel_service_name,
            "service.namespace": _SCOPE,
            "service.version": installed_version(),
            "everturn.process": process,
        }
        if settings.otel_environment:
            named["deployment.environment.name"] = settings.otel_environment
        self._resource = Resource.create(named)
        self._scope = InstrumentationScope(_SCOPE, installed_version())

    def readable(self, span: Span) -> ReadableSpan:
        from opentelemetry.sdk.trace import ReadableSpan
        from opentelemetry.trace import SpanContext, SpanKind, TraceFlags
        from opentelemetry.trace.status import Status, StatusCode

        trace_id = int(span.place.trace_id, 16)
        flags = TraceFlags(TraceFlags.SAMPLED)

        def context(span_id: str, *, is_remote: bool) -> SpanContext:
            return SpanContext(trace_id, int(span_id, 16), is_remote=is_remote, trace_flags=flags)

        status = Status() if span.error is None else Status(StatusCode.ERROR)
        error = {} if span.error is None else {"error.type": span.error}
        return ReadableSpan(
            name=span.name,
            context=context(span.place.span_id, is_remote=False),
            parent=None if span.parent_id is None else context(span.parent_id, is_remote=True),
            resource=self._resource,
            attributes={**span.attributes, **error},
            kind=SpanKind[span.kind.upper()],
            instrumentation_scope=self._scope,
            status=status,
            start_time=span.began_ns,
            end_time=span.ended_ns,
        )


def nanoseconds(ts: datetime) -> int:
    """Since the epoch."""
    return (ts - _EPOCH) // _MICROSECOND * 1000


def current() -> TraceContext | None:
    """The place in a trace that what this thread does just now belongs to."""
    return _current.get()


@contextmanager
def within(place: TraceContext | None) -> Iterator[None]:
    """What is done within it belongs to this place."""
    token = _current.set(place)
    try:
        yield
    finally:
        _current.reset(token)


def enter(place: TraceContext | None) -> None:
    """As `within`, until told otherwise: where begin and end are two functions."""
    _current.set(place)


def _traces_url(endpoint: str) -> str:
    """The endpoint is a collector's address; its path for traces is always the same."""
    path = urlsplit(endpoint).path
    return endpoint if path.endswith(_TRACES_PATH) else endpoint.rstrip("/") + _TRACES_PATH
