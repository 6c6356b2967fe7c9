"""Which release this is."""

from __future__ import annotations

from importlib.metadata import PackageNotFoundError, version


def installed_version() -> str:
    """This distribution's version."""
    try:
        return version("everturn")
    except PackageNotFoundError:  # run from a source tree that is not installed
        return "0.0.0"
