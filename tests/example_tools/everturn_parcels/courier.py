"""The courier: here a folder of files, in earnest somebody's HTTP API."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any


class Courier:
    """Takes each order once: the order's key is the name of its file."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def order(self, key: str, parcel: Mapping[str, Any]) -> str:
        """Send a parcel; returns the number to track it by."""
        self._folder.mkdir(parents=True, exist_ok=True)
        number = f"P-{len(list(self._folder.iterdir())) + 1}"
        whole = self._folder / f".{key.replace(':', '-')}"
        whole.write_text(json.dumps({**parcel, "number": number}))
        whole.replace(self._file(key))
        return number

    def find(self, key: str) -> str | None:
        """The number of an order that was placed; None when there is no such order."""
        try:
            return str(json.loads(self._file(key).read_text())["number"])
        except FileNotFoundError:
            return None

    def _file(self, key: str) -> Path:
        return self._folder / f"{key.replace(':', '-')}.json"
