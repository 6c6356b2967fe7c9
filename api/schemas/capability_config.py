"""Holds the config of a capability reference against the schema that its entry declares."""

from __future__ import annotations

from collections.abc import Mapping
from itertools import islice
from typing import Any, Final

from jsonschema import Draft202012Validator
from marshmallow import ValidationError
from referencing import Registry

from common.domain.capability_catalog import CapabilityInfo

_SHOWN_PROBLEMS: Final = 10
_MESSAGE_CHARACTERS: Final = 200


def check_config(info: CapabilityInfo, config: Mapping[str, Any]) -> None:
    """Refuse a config that the capability could not work with.

    Raises:
        ValidationError: names each place at fault, from `config` down.
    """
    validator = Draft202012Validator(dict(info.config_schema), registry=Registry())
    problems: dict[str, Any] = {}
    for error in islice(validator.iter_errors(dict(config)), _SHOWN_PROBLEMS):
        place = problems
        for step in ("config", *error.absolute_path):
            place = place.setdefault(step, {})
        place.setdefault("_schema", []).append(error.message[:_MESSAGE_CHARACTERS])
    if problems:
        raise ValidationError(problems)
