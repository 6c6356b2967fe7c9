"""`make lock`: write the two lock files anew and prove that every platform can install them.

The tool that does it lives in a scratch environment, so that working on
everturn needs nothing but Python.  No index address ends up in the files.
"""

import subprocess
import sys
import tempfile
import venv
from itertools import product
from pathlib import Path

from dev.paths import LOCK_FILE, ROOT

_UV = "uv==0.13.9"
_RUNTIME_LOCK = ROOT / "requirements.lock"
_PYTHONS = ("3.11", "3.12", "3.13", "3.14")
_PLATFORMS = (
    "x86_64-manylinux_2_28",
    "aarch64-manylinux_2_28",
    "aarch64-apple-darwin",
    "x86_64-apple-darwin",
)
_UNIVERSAL = ("--universal", "--generate-hashes", "--python-version", _PYTHONS[0])
_NO_ADDRESSES = ("--no-emit-index-url", "--no-emit-find-links")
_AS = ("--custom-compile-command", "make lock")


def main(arguments: list[str]) -> int:
    """Lock; with --upgrade to the newest versions that pyproject.toml allows."""
    with tempfile.TemporaryDirectory() as scratch:
        venv.create(scratch, with_pip=True)
        binaries = Path(scratch) / "bin"
        subprocess.run([binaries / "pip", "install", "--quiet", _UV], check=True)
        compile_ = [str(binaries / "uv"), "pip", "compile", "--quiet"]
        lock = [*compile_, "pyproject.toml", *_UNIVERSAL, *_NO_ADDRESSES, *_AS, *arguments]
        runtime = [*lock, "--group", "build", "--output-file", _RUNTIME_LOCK.name]
        subprocess.run(runtime, cwd=ROOT, check=True)
        everything = [*lock, "--extra", "local", "--group", "dev", "--output-file", LOCK_FILE.name]
        same = ["--constraint", _RUNTIME_LOCK.name]
        subprocess.run([*everything, *same], cwd=ROOT, check=True)
        failed = [pair for pair in product(_PYTHONS, _PLATFORMS) if not _resolves(compile_, *pair)]
    for python, platform in failed:
        print(f"no wheels for all of it: Python {python} on {platform}", file=sys.stderr)
    return 1 if failed else 0


def _resolves(compile_: list[str], python: str, platform: str) -> bool:
    command = [*compile_, LOCK_FILE.name, "--only-binary", ":all:", "--output-file", "/dev/null"]
    command += ["--python-version", python, "--python-platform", platform]
    return subprocess.run(command, cwd=ROOT, capture_output=True, check=False).returncode == 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
