"""What browsers are told: which pages may read answers, and what an answer itself may do.  Pure."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Final

CONTENT_SECURITY: Final = "Content-Security-Policy"

# An answer is data: shown as a page it loads nothing, runs nothing, and is in no frame.
_DATA_ONLY: Final = (
    "default-src 'none'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)
_FIXED: Final[Mapping[str, str]] = {
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    CONTENT_SECURITY: _DATA_ONLY,
    # What is not said to be otherwise is somebody's own.
    "Cache-Control": "no-store",
}
_ORIGIN: Final = re.compile(
    r"https?://(?:[a-z0-9](?:[a-z0-9.-]*[a-z0-9])?|\[[0-9a-f:.]+\])(?::[1-9][0-9]{0,4})?"
)


def protective_headers(*, hsts_seconds: int = 0) -> dict[str, str]:
    """Headers of every answer that does not set them itself.

    `hsts_seconds` is for how long browsers are to use nothing but TLS; 0 says nothing of it.
    """
    if not hsts_seconds:
        return dict(_FIXED)
    return {**_FIXED, "Strict-Transport-Security": f"max-age={hsts_seconds}"}


def page_security(*script_hashes: str) -> str:
    """The policy of a page of ours: its own files, the scripts of these hashes, no other host."""
    scripts = " ".join(f"'{each}'" for each in script_hashes)
    return (
        f"default-src 'none'; script-src 'self' {scripts}; style-src 'self' 'unsafe-inline';"
        " img-src 'self' data:; font-src 'self' data:; connect-src 'self';"
        " base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
    )


def read_origins(text: str) -> tuple[str, ...]:
    """Origins whose pages may read answers, written as browsers send them.

    A wildcard is none of them: answers may carry credentials, and would be everybody's.

    Raises:
        ValueError: one of them is not an origin.
    """
    origins = tuple(part.strip() for part in text.split(",") if part.strip())
    if not all(_ORIGIN.fullmatch(origin) for origin in origins):
        raise ValueError(
            "must be origins such as https://app.example.com, comma-separated, in lower case,"
            " without a path, and never *: answers may carry credentials"
        )
    return origins
