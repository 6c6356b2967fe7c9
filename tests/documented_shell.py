"""A shell in which the pages' commands are run as they stand, against a server of a test."""

import os
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

# A refusal fails the block; what has no end is watched for a moment; `git log` stands for any text.
_PRELUDE = """
curl() {
  case " $* " in
    *" -N "*) command curl --max-time 1 "$@" || test $? -eq 28 ;;
    *) command curl --fail-with-body --max-time 20 "$@" ;;
  esac
}
everturn() {
  case " $* " in
    *" --until-idle"*) command everturn "$@" ;;
    *" tail "*) timeout -s INT 2 everturn "$@" || test $? -eq 124 ;;
    *) command everturn "$@" ;;
  esac
}
git() { echo "What was done"; }
"""


def run(
    code: str,
    base_url: str,
    directory: Path,
    *,
    environment: Mapping[str, str] | None = None,
    given: str = "",
) -> str:
    """What the commands say; fails when one of them does.  `given` is their standard input."""
    binaries = Path(sys.executable).parent
    here = code.replace("http://localhost:9300", base_url).replace(".venv/bin/", f"{binaries}/")
    done = subprocess.run(  # noqa: S603 - what the page says
        ["/bin/sh", "-e", "-c", f"API={base_url}/v1\n{_PRELUDE}{here}"],
        cwd=directory,
        env={
            **(environment or {}),
            "PATH": f"{binaries}:{os.defpath}",
            "EVERTURN_URL": base_url,
        },
        input=given,
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout
