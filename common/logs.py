"""Structured logging: events with fields, never sentences with content (I10)."""

from __future__ import annotations

import logging
import sys
from typing import Final

import structlog

from common.settings import Settings

# Libraries that log addresses, headers or what a server answered (I10).
_TELLING: Final = ("httpcore", "httpcore2", "httpx", "httpx2", "mcp")


def configure(settings: Settings, *, process: str) -> None:
    """Set logging up for this process: JSON lines, or readable ones for a console."""
    level = logging.getLevelNamesMapping()[settings.log_level]
    renderer: structlog.typing.Processor = (
        structlog.processors.JSONRenderer()
        if settings.log_format == "json"
        else structlog.dev.ConsoleRenderer(colors=False, pad_event_to=24)
    )

    def name_process(
        _logger: object, _method: str, event: structlog.typing.EventDict
    ) -> structlog.typing.EventDict:
        event["process"] = process
        return event

    shared: list[structlog.typing.Processor] = [
        structlog.contextvars.merge_contextvars,
        name_process,
        structlog.processors.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
    ]
    structlog.configure(
        processors=[*shared, renderer],
        wrapper_class=structlog.make_filtering_bound_logger(level),
        logger_factory=structlog.PrintLoggerFactory(sys.stderr),
        cache_logger_on_first_use=True,
    )
    formatter = structlog.stdlib.ProcessorFormatter(processor=renderer, foreign_pre_chain=shared)
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(formatter)
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(max(level, logging.INFO))
    silence_libraries()


def silence_libraries() -> None:
    """Let no library log what callers or other people's servers sent."""
    for name in _TELLING:
        logging.getLogger(name).setLevel(logging.CRITICAL + 1)


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
