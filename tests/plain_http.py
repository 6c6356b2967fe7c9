"""HTTP to servers of this machine, without reading the authorities that all the world trusts.

That takes longer than most requests, and no certificate is ever shown here.
"""

from __future__ import annotations

import ssl
from typing import Any, Final

import httpx

# Trusts nobody.
_NOBODY: Final = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)


def client(**options: Any) -> httpx.Client:
    return httpx.Client(verify=_NOBODY, **options)


def get(url: str, **options: Any) -> httpx.Response:
    return httpx.get(url, verify=_NOBODY, **options)


def post(url: str, **options: Any) -> httpx.Response:
    return httpx.post(url, verify=_NOBODY, **options)
