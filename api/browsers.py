"""Cookies, for browsers alone, and what keeps other sites from using them.  Pure.

A browser adds cookies to whatever another site makes it send.  So what changes something is
taken by cookie only when the browser says that a page of ours sent it.
"""

from __future__ import annotations

from collections.abc import Callable
from http.cookies import CookieError, SimpleCookie
from typing import Final
from urllib.parse import urlsplit

ACCESS_COOKIE: Final = "access_token"
REFRESH_COOKIE: Final = "refresh_token"
_OF_ONE_SITE: Final = ("same-origin", "none")


def access_cookie(header: str | None) -> str | None:
    """The access token in a Cookie header; None: there is none."""
    if not header or ACCESS_COOKIE not in header:
        return None
    try:
        found = SimpleCookie(header).get(ACCESS_COOKIE)
    except CookieError:
        return None
    return None if found is None else found.value or None


def is_ours(header: Callable[[str], str | None], allowed_origins: tuple[str, ...]) -> bool:
    """Whether a request comes from a page of this origin or an allowed one, or from no browser.

    `header` is asked for the request's headers.
    """
    origin, fetched_from = header("Origin"), header("Sec-Fetch-Site")
    if origin is not None and origin in allowed_origins:
        return True
    if fetched_from is not None:
        return fetched_from in _OF_ONE_SITE
    return origin is None or urlsplit(origin).netloc == header("Host")
