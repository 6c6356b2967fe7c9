"""Read the Procfile, the one list of processes that production and the launcher share."""

import re
import shlex
from dataclasses import dataclass
from pathlib import Path

_LINE = re.compile(r"(?P<name>[A-Za-z0-9_-]+):\s*(?P<command>\S.*)")


@dataclass(frozen=True, slots=True)
class ProcessType:
    """One line: a name and the command that is run for it, without a shell."""

    name: str
    command: tuple[str, ...]


class ProcfileError(Exception):
    """A line that is neither a process, nor a comment, nor empty."""


def parse(text: str) -> list[ProcessType]:
    """Return the processes in the order of the file.

    Raises:
        ProcfileError: naming the line that makes no sense.
    """
    processes: dict[str, ProcessType] = {}
    for number, raw in enumerate(text.splitlines(), start=1):
        line = raw.strip()
        if not line or line.startswith("#"):
            continue
        match = _LINE.fullmatch(line)
        if match is None:
            raise ProcfileError(f"Procfile line {number}: expected 'name: command', not {line!r}")
        if match["name"] in processes:
            raise ProcfileError(f"Procfile line {number}: {match['name']!r} is there twice")
        try:
            command = tuple(shlex.split(match["command"]))
        except ValueError as error:
            raise ProcfileError(f"Procfile line {number}: {error}") from error
        processes[match["name"]] = ProcessType(match["name"], command)
    return list(processes.values())


def read(path: Path) -> list[ProcessType]:
    """Return the processes of a file."""
    return parse(path.read_text(encoding="utf-8"))
