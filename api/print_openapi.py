"""Print the OpenAPI document: `python -m api.print_openapi > docs/openapi.json`."""

from __future__ import annotations

import sys

import orjson

from api.app import create_app
from api.bootstrap import build
from api.openapi import document
from common.settings import Settings


def printed() -> bytes:
    """The document as it is kept in docs/: indented, keys in order.  Nothing is connected to."""
    settings = Settings.from_env({"DATABASE_URL": "postgresql://", "REDIS_URL": "redis://"})
    app = create_app(build(settings))
    options = orjson.OPT_INDENT_2 | orjson.OPT_SORT_KEYS | orjson.OPT_APPEND_NEWLINE
    return orjson.dumps(document(app), option=options)


if __name__ == "__main__":
    sys.stdout.buffer.write(printed())
