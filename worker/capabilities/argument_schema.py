"""Holds a call's arguments against their JSON Schema, in bounded time and without a network.

Schemas come from other people's tool servers too.  So a remote `$ref` is never fetched,
and patterns are matched by RE2, whose time is linear; a pattern that it does not know is
left to the tool to check.  So is what takes the library longer than the arguments are long.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from functools import lru_cache
from itertools import chain, islice
from typing import Any, Final

import re2
from jsonschema import Draft202012Validator, ValidationError
from jsonschema.validators import extend
from referencing import Registry

_READ_PROBLEMS: Final = 10
_SHOWN_PROBLEMS: Final = 3
_SHOWN_CHARACTERS: Final = 100
_CACHED_PATTERNS: Final = 256


class ArgumentSchema:
    """The schema of one tool's arguments."""

    def __init__(self, schema: Mapping[str, Any]) -> None:
        self._validator = _Validator(dict(schema), registry=Registry())

    def problems(self, arguments: Mapping[str, Any]) -> list[str]:
        """The first few sentences about what is wrong, for the model."""
        errors = islice(self._validator.iter_errors(arguments), _READ_PROBLEMS)
        # Each missing name is an error of its own, whose description names all of them.
        sentences = dict.fromkeys(chain.from_iterable(_described(each) for each in errors))
        return list(sentences)[:_SHOWN_PROBLEMS]


def shown(text: str) -> str:
    """The text, its middle left out when it is long."""
    # What a value should have been stands behind it, so it is the middle that goes.
    if len(text) <= 2 * _SHOWN_CHARACTERS:
        return text
    return f"{text[:_SHOWN_CHARACTERS]} … {text[-_SHOWN_CHARACTERS:]}"


def _described(error: ValidationError) -> Iterator[str]:
    """Sentences that name each argument at fault."""
    place = _path(error)
    match error.validator, error.validator_value, error.instance, error.schema:
        case "required", list() as names, dict() as given, _:
            for name in names:
                if name not in given:
                    yield f"Argument {_joined(place, name)} is missing."
        case "additionalProperties", False, dict() as given, {"properties": known}:
            for name in given:
                if name not in known:
                    yield f"Argument {_joined(place, shown(name))} is not known."
        case _:
            yield f"Argument {place or '(all)'} is wrong: {shown(error.message)}."


def _path(error: ValidationError) -> str:
    path = ""
    for step in error.absolute_path:
        path = f"{path}[{step}]" if isinstance(step, int) else _joined(path, step)
    return path


def _joined(path: str, name: str) -> str:
    return f"{path}.{name}" if path else name


@lru_cache(maxsize=_CACHED_PATTERNS)
def _compiled(pattern: str) -> Any:
    """None for what RE2 does not know, such as a look-ahead."""
    options = re2.Options()
    options.log_errors = False
    try:
        return re2.compile(pattern, options)
    except re2.error:
        return None


def _pattern(
    _validator: Any, pattern: str, instance: object, _schema: object
) -> Iterator[ValidationError]:
    if not isinstance(instance, str):
        return
    compiled = _compiled(pattern)
    if compiled is not None and compiled.search(instance) is None:
        yield ValidationError(f"{instance!r} does not match {pattern!r}")


def _unique_items(
    _validator: Any, is_wanted: object, instance: object, _schema: object
) -> Iterator[ValidationError]:
    # The library compares each with each.
    if (
        is_wanted
        and isinstance(instance, list)
        and len(set(map(_canonical, instance))) < len(instance)
    ):
        yield ValidationError(f"{instance!r} has items that are the same")


def _canonical(value: object) -> str:
    """The same text for what JSON Schema takes for the same value, such as 1 and 1.0."""
    return json.dumps(_with_whole_numbers(value), sort_keys=True)


def _with_whole_numbers(value: object) -> object:
    match value:
        case float() if value.is_integer():
            return int(value)
        case list():
            return [_with_whole_numbers(each) for each in value]
        case dict():
            return {key: _with_whole_numbers(each) for key, each in value.items()}
        case _:
            return value


def _unless_patterned(keyword: str) -> Any:
    """The keyword's own check, where no pattern of property names takes part in it."""
    check: Any = Draft202012Validator.VALIDATORS[keyword]

    def checked(
        validator: Any, value: object, instance: object, schema: Mapping[str, Any]
    ) -> Iterator[ValidationError]:
        if "patternProperties" not in schema:
            yield from check(validator, value, instance, schema) or ()

    return checked


def _pass(*_: object) -> Iterator[ValidationError]:
    return iter(())


_Validator: Final[Any] = extend(  # type: ignore[no-untyped-call]  # jsonschema's
    Draft202012Validator,
    {
        "pattern": _pattern,
        "patternProperties": _pass,
        "additionalProperties": _unless_patterned("additionalProperties"),
        "unevaluatedProperties": _pass,
        "unevaluatedItems": _pass,
        "uniqueItems": _unique_items,
    },
)
