"""`make audit`: hold what runs in production against the advisories of OSV.

The tool lives in a scratch environment, as the one that locks does.  Offline nothing is
audited, and that is said: it never passes for a clean result.
"""

import json
import subprocess
import sys
import tempfile
import venv
from collections.abc import Callable
from pathlib import Path

from dev.paths import ROOT

_TOOL = "pip-audit==2.10.1"
_LOCK = ROOT / "requirements.lock"
_CLEAN, _VULNERABLE, _NOT_AUDITED = 0, 1, 2
_SECONDS = 600.0

# Runs the tool on a lock file; returns what it wrote to stdout and to stderr.
Audit = Callable[[Path], tuple[str, str]]


def main() -> int:
    """0: no advisory, 1: some, 2: nobody could be asked."""
    with tempfile.TemporaryDirectory() as scratch:
        venv.create(scratch, with_pip=True)
        binaries = Path(scratch) / "bin"
        install: list[str | Path] = [binaries / "pip", "install", "--quiet", _TOOL]
        if subprocess.run(install, check=False).returncode:
            print(f"not audited: {_TOOL} cannot be installed", file=sys.stderr)
            return _NOT_AUDITED
        return report(lambda lock: _run(binaries / "pip-audit", lock))


def _run(tool: Path, lock: Path) -> tuple[str, str]:
    command: list[str | Path] = [tool, "--requirement", lock, "--disable-pip", "--require-hashes"]
    command += ["--vulnerability-service", "osv", "--format", "json", "--progress-spinner", "off"]
    try:
        done = subprocess.run(
            command, capture_output=True, text=True, check=False, timeout=_SECONDS
        )
    except subprocess.TimeoutExpired:
        return "", "no answer in time"
    return done.stdout, done.stderr


def report(audit: Audit) -> int:
    """Say what was found, in words and by the exit status."""
    found, said = audit(_LOCK)
    try:
        packages = json.loads(found)["dependencies"]
        skipped = [each["name"] for each in packages if "skip_reason" in each]
        advisories = [
            f"{each['name']} {each['version']}: {one['id']}, fixed in"
            f" {', '.join(one['fix_versions']) or 'no version'}"
            for each in packages
            for one in each.get("vulns", [])
        ]
    except (ValueError, KeyError, TypeError):
        last = (said.strip().splitlines() or ["no word of why"])[-1]
        print(f"not audited: the advisories cannot be read ({last[:200]})", file=sys.stderr)
        return _NOT_AUDITED
    if skipped or not packages:
        print(f"not audited: {', '.join(skipped) or 'nothing is locked'}", file=sys.stderr)
        return _NOT_AUDITED
    for line in advisories:
        print(line)
    print(f"{len(packages)} packages, {len(advisories)} advisories")
    return _VULNERABLE if advisories else _CLEAN


if __name__ == "__main__":
    sys.exit(main())
