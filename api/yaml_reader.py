"""YAML from strangers: plain data only, no aliases, bounded in values, depth and time.

Aliases are refused, so a small text cannot stand for a large value.  A small document is
read here, a larger one in a child process that is killed when it takes too long.
Run as a program this reads YAML from stdin and writes JSON to stdout.
"""

from __future__ import annotations

import json
import re
import subprocess
import sys
from typing import Any, Final

import yaml

from api.request_body import MAX_VALUES, read_json
from common.domain.errors import BadRequest

# An exported agent adds a few levels to those of its JSON.
MAX_DEPTH: Final = 72
_READ_HERE_BYTES: Final = 32 * 1024
_CHILD_SECONDS: Final = 10

_Base: type[yaml.SafeLoader] = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


class _Loader(_Base):  # type: ignore[misc, valid-type]  # whichever of two this machine has
    """Reads what JSON could say."""


# As JSON has them: with YAML 1.1's own the text `2024-01-01` would be a date and `no` false.
_Loader.yaml_implicit_resolvers = {}
for _tag, _pattern, _first in (
    ("bool", r"true|True|TRUE|false|False|FALSE", list("tTfF")),
    ("null", r"~|null|Null|NULL|", ["~", "n", "N", ""]),
    ("int", r"-?(0|[1-9][0-9]{0,18})", list("-0123456789")),
    ("float", r"-?(0|[1-9][0-9]*)(\.[0-9]+)?([eE][-+]?[0-9]{1,3})?", list("-0123456789")),
):
    _Loader.add_implicit_resolver(
        f"tag:yaml.org,2002:{_tag}", re.compile(rf"(?:{_pattern})\Z"), _first
    )


def read_yaml(text: str) -> Any:
    """The document's value, as JSON would have it.

    Raises:
        BadRequest: not YAML, or YAML that is refused, saying why.
    """
    if len(text) <= _READ_HERE_BYTES:
        return read_json(_as_json(text))
    try:
        done = subprocess.run(
            [sys.executable, "-m", "api.yaml_reader"],
            input=text.encode(),
            capture_output=True,
            timeout=_CHILD_SECONDS,
            check=False,
        )
    except subprocess.TimeoutExpired as slow:
        raise BadRequest("The YAML takes too long to read") from slow
    if done.returncode == _REFUSED_CODE:
        raise BadRequest(done.stdout.decode())
    if done.returncode != 0:
        raise BadRequest("The YAML cannot be read")
    return read_json(done.stdout)


def _as_json(text: str) -> bytes:
    loader = None
    try:
        _check_shape(text)
        loader = _Loader(text)
        return json.dumps(loader.get_single_data()).encode()
    except yaml.MarkedYAMLError as wrong:
        mark = wrong.problem_mark
        place = f" at line {mark.line + 1}" if mark else ""
        raise BadRequest(f"The YAML is malformed{place}") from wrong
    except (yaml.YAMLError, ValueError, TypeError, OverflowError, RecursionError) as wrong:
        raise BadRequest("The YAML is malformed, or has values that JSON has not") from wrong
    finally:
        if loader is not None:
            loader.dispose()


def _check_shape(text: str) -> None:
    """Go through the events, before anything is built from them."""
    values = depth = 0
    for event in yaml.parse(text, Loader=_Base):
        if isinstance(event, yaml.AliasEvent):
            raise BadRequest("The YAML is refused: aliases are not taken")
        if isinstance(event, yaml.CollectionStartEvent):
            depth += 1
        elif isinstance(event, yaml.CollectionEndEvent):
            depth -= 1
        values += isinstance(event, yaml.NodeEvent)
        if values > MAX_VALUES:
            raise BadRequest(f"The YAML has more than {MAX_VALUES} values")
        if depth > MAX_DEPTH:
            raise BadRequest(f"The YAML is nested deeper than {MAX_DEPTH} levels")


_REFUSED_CODE: Final = 3


def _main() -> int:
    try:
        out, code = _as_json(sys.stdin.buffer.read().decode()), 0
    except BadRequest as refused:
        out, code = refused.message.encode(), _REFUSED_CODE
    sys.stdout.buffer.write(out)
    return code


if __name__ == "__main__":
    sys.exit(_main())
