"""Turns HTML into Markdown or text: a program that `rendering` starts and kills.

A page's author chooses how long parsing takes, so it never runs in a worker thread.  It is
run as a file, isolated, so that starting it imports nothing of ours.

    python -I markdown.py {markdown|text} < page.html > page.md
"""

from __future__ import annotations

import sys
from contextlib import suppress
from typing import Final

OUTPUT_BYTES: Final = 1024 * 1024
_MEMORY_BYTES: Final = 1024 * 1024 * 1024
_CPU_SECONDS: Final = 10
_NESTING: Final = 10_000
_SILENT: Final = ("script", "style", "noscript", "template", "svg", "iframe", "object")


def convert(html: str, *, to: str) -> str:
    """The page's content; scripts and styles are left out."""
    from bs4 import BeautifulSoup  # noqa: PLC0415 - after the limits are set
    from markdownify import MarkdownConverter  # noqa: PLC0415

    page = BeautifulSoup(html, "html.parser")
    for element in page.find_all(_SILENT):
        element.decompose()
    if to == "text":
        lines = (line.strip() for line in page.get_text("\n").splitlines())
        return "\n".join(line for line in lines if line)
    return str(MarkdownConverter(heading_style="ATX").convert_soup(page)).strip()


def _limit() -> None:
    # Where the system has no such limits the deadline and the input's size still hold.
    with suppress(ImportError, ValueError, OSError):
        import resource  # noqa: PLC0415 - not on every system

        resource.setrlimit(resource.RLIMIT_AS, (_MEMORY_BYTES, _MEMORY_BYTES))
        resource.setrlimit(resource.RLIMIT_CPU, (_CPU_SECONDS, _CPU_SECONDS))


def main() -> int:
    """Convert what comes in."""
    _limit()
    sys.setrecursionlimit(_NESTING)
    html = sys.stdin.buffer.read().decode("utf-8", "replace")
    converted = convert(html, to=sys.argv[1])
    sys.stdout.buffer.write(converted.encode("utf-8", "replace")[:OUTPUT_BYTES])
    return 0


if __name__ == "__main__":
    sys.exit(main())
