"""A command of the command line, called in this process or run in one of its own.

What a process of its own adds takes half a second each time, so not every test pays for it.
"""

from __future__ import annotations

import io
import json
import os
import subprocess
import sys
from contextlib import redirect_stderr, redirect_stdout
from dataclasses import dataclass
from typing import Any

import pytest

from common.cli import main
from dev.paths import ROOT


@dataclass(frozen=True)
class Run:
    """What became of it."""

    status: int
    out: str
    err: str

    @property
    def body(self) -> Any:
        return json.loads(self.out)


@dataclass(frozen=True)
class Shell:
    """Where a command finds its servers."""

    database_url: str
    redis_url: str

    def call(self, *arguments: str, given: str = "") -> Run:
        out, err = io.StringIO(), io.StringIO()
        with (
            pytest.MonkeyPatch.context() as patch,
            redirect_stdout(out),
            redirect_stderr(err),
        ):
            for name, value in self._settings.items():
                patch.setenv(name, value)
            patch.setattr(sys, "stdin", io.StringIO(given))
            try:
                status = main(arguments)
            except SystemExit as end:  # arguments that make no sense
                status = int(end.code or 0)
        return Run(status, out.getvalue(), err.getvalue())

    def run(self, *arguments: str, given: str = "") -> Run:
        done = subprocess.run(  # noqa: S603 - our own program
            [sys.executable, "-m", "common.cli", *arguments],
            cwd=ROOT,
            env={"PATH": os.defpath, **self._settings},
            input=given,
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )
        return Run(done.returncode, done.stdout, done.stderr)

    @property
    def _settings(self) -> dict[str, str]:
        return {"DATABASE_URL": self.database_url, "REDIS_URL": self.redis_url}
