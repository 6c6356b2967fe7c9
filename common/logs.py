"""Structured logging: events with fields, never sentences with content (I10).

Our own lines hold no content in the first place.  What libraries say goes through the same
processors, which leave out what they quote, name errors by class and place, and mask every
secret of the settings and whatever is shaped like a key.
"""

from __future__ import annotations

import logging
import re
import sys
import threading
from types import TracebackType
from typing import Any, Final

import structlog
from structlog.typing import EventDict, Processor

from common.domain.masking import masked
from common.settings import Settings

# Celery's two lines a task: `turn_ran` says the same, and whose it was.
_REPEATING: Final = ("celery.app.trace", "celery.worker.strategy")
# Libraries that log addresses, headers or what a server answered (I10).
_TELLING: Final = ("httpcore", "httpcore2", "httpx", "httpx2", "mcp")
# Have handlers of their own, which know nothing of all this.
_APART: Final = ("gunicorn.error",)
# Fields that nobody but us fills, and structlog's note of a library's record.
_OWN: Final = ("_record", "_from_structlog", "level", "process", "timestamp")
# Celery prints the message that it refuses, gunicorn the header, asyncio the call.
_QUOTES_MESSAGE: Final = re.compile(r"full contents|body: %s|\(args:%")
_QUOTES_REQUEST: Final = re.compile(
    r"(Invalid request from ip=[^:]*|Error handling request\b).*", re.DOTALL
)
_QUOTES_CALL: Final = re.compile(r"[\n(<].*", re.DOTALL)


def configure(settings: Settings, *, process: str) -> None:
    """Set logging up for this process: JSON lines, or readable ones for a console."""
    level = logging.getLevelNamesMapping()[settings.log_level]
    renderer: Processor = (
        structlog.processors.JSONRenderer()
        if settings.log_format == "json"
        else structlog.dev.ConsoleRenderer(colors=False, pad_event_to=24)
    )

    def name_process(_logger: object, _method: str, event: EventDict) -> EventDict:
        event["process"] = process
        return event

    shared: list[Processor] = [
        structlog.contextvars.merge_contextvars,
        name_process,
        structlog.processors.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        _name_error,
        _Masking(settings.secrets),
    ]
    structlog.configure(
        processors=[*shared, renderer],
        wrapper_class=structlog.make_filtering_bound_logger(level),
        logger_factory=structlog.PrintLoggerFactory(sys.stderr),
        cache_logger_on_first_use=True,
    )
    formatter = structlog.stdlib.ProcessorFormatter(
        processor=renderer, foreign_pre_chain=[_leave_out_quotes, *shared]
    )
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(formatter)
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(max(level, logging.INFO))
    for name in _APART:
        logging.getLogger(name).handlers.clear()
        logging.getLogger(name).propagate = True
    silence_libraries()
    sys.excepthook = _log_crash
    threading.excepthook = _log_thread_crash


def silence_libraries() -> None:
    """Let no library log what callers or other people's servers sent."""
    for name in _TELLING:
        logging.getLogger(name).setLevel(logging.CRITICAL + 1)
    for name in _REPEATING:
        logging.getLogger(name).setLevel(logging.WARNING)


def place_of(error: BaseException) -> list[str]:
    """Where it was raised, innermost last: modules and lines, no texts.

    A traceback's texts, and an error's own, may show what a caller sent (I10).
    """
    frames = []
    trace = error.__traceback__
    while trace is not None:
        frames.append(f"{trace.tb_frame.f_globals.get('__name__')}:{trace.tb_lineno}")
        trace = trace.tb_next
    return frames[-8:]


def _leave_out_quotes(_logger: object, _method: str, event: EventDict) -> EventDict:
    record: logging.LogRecord = event["_record"]
    template = str(record.msg)
    if _QUOTES_MESSAGE.search(template):
        event["event"] = re.split(r"[\n%]", template)[0].rstrip(" :")
    elif record.name == "gunicorn.error":
        event["event"] = _QUOTES_REQUEST.sub(r"\1", event["event"])
    elif record.name == "asyncio":
        event["event"] = _QUOTES_CALL.sub("", event["event"])
    return event


def _name_error(_logger: object, _method: str, event: EventDict) -> EventDict:
    """An error by its class and place instead of its traceback."""
    given = event.pop("exc_info", None)
    error = given[1] if isinstance(given, tuple) else sys.exc_info()[1] if given is True else given
    if isinstance(error, BaseException):
        event["error"] = type(error).__name__
        event["at"] = place_of(error)
    event.pop("stack_info", None)
    return event


class _Masking:
    """The last look at a line: no secret gets past, whoever wrote it."""

    def __init__(self, secrets: frozenset[str]) -> None:
        self._secrets = secrets

    def __call__(self, _logger: object, _method: str, event: EventDict) -> EventDict:
        for name, value in event.items():
            if name not in _OWN:
                event[name] = self._clean(value)
        return event

    def _clean(self, value: Any) -> Any:
        if isinstance(value, str):
            return masked(value, self._secrets)
        if isinstance(value, list | tuple | set):
            return [self._clean(each) for each in value]
        if isinstance(value, dict):
            return {str(key): self._clean(each) for key, each in value.items()}
        if value is None or isinstance(value, bool | int | float):
            return value
        return masked(str(value), self._secrets)


def _log_crash(
    kind: type[BaseException], error: BaseException, trace: TracebackType | None
) -> None:
    """Instead of a traceback with the error's own text."""
    if issubclass(kind, KeyboardInterrupt):
        sys.__excepthook__(kind, error, trace)
        return
    structlog.get_logger().critical("crashed", exc_info=error)


def _log_thread_crash(crash: threading.ExceptHookArgs) -> None:
    if crash.exc_value is not None:
        thread = crash.thread.name if crash.thread else None
        structlog.get_logger().critical("thread_crashed", thread=thread, exc_info=crash.exc_value)
