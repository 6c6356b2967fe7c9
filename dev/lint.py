"""`dev.py lint`: every check that reads the code and does not run it.

All of them run, also after one has failed: a list to work off beats a race of
one finding at a time.
"""

import subprocess
import sys
import tomllib
from pathlib import Path

from dev import node
from dev.paths import PYPROJECT, ROOT

# The one number that told well-kept code from the rest; long tables are split, not exempted.
_MOST_LINES = 400
_SOURCES = ("api", "common", "dev", "migrations", "tests", "worker")
_BIN = Path(sys.executable).parent
_FOLDERS = {"biome": node.CLIENT}  # it takes its settings from where it is started


def main() -> int:
    """Run all checks; 0 when all pass."""
    node.ensure_packages()
    failed = [name for name, command in _commands().items() if not _passes(name, command)]
    if too_long := _too_long():
        failed.append("file sizes")
        print("\n".join(too_long))
    print(f"failed: {', '.join(failed)}" if failed else "all checks pass")
    return 1 if failed else 0


def _commands() -> dict[str, list[str]]:
    commands = {
        "ruff check": ["ruff", "check", "--quiet", "."],
        "ruff format": ["ruff", "format", "--check", "--quiet", "."],
        "mypy": ["mypy", "--no-error-summary"],
        "mypy dev.py": ["mypy", "--no-error-summary", "dev.py"],
        "codespell": ["codespell"],
    }
    typescript = ["--project", str(node.CLIENT / "tsconfig.check.json")]
    commands["tsc"] = node.program("typescript", "bin/tsc", *typescript)
    commands["biome"] = node.program("@biomejs/biome", "bin/biome", "check")
    if "importlinter" in tomllib.loads(PYPROJECT.read_text())["tool"]:
        commands["lint-imports"] = ["lint-imports", "--no-cache"]
    return commands


def _passes(name: str, command: list[str]) -> bool:
    program, *arguments = command
    print(f"{name} ...", flush=True)
    answer = subprocess.run(
        [_BIN / program, *arguments],
        cwd=_FOLDERS.get(name, ROOT),
        check=False,
        capture_output=True,
        text=True,
    )
    if answer.returncode != 0:
        print(answer.stdout + answer.stderr)
    return answer.returncode == 0


def _too_long() -> list[str]:
    files = [path for folder in _SOURCES for path in (ROOT / folder).rglob("*.py")]
    sizes = {path: len(path.read_bytes().splitlines()) for path in files}
    return [
        f"{path.relative_to(ROOT)}: {lines} lines, at most {_MOST_LINES}"
        for path, lines in sorted(sizes.items())
        if lines > _MOST_LINES
    ]


if __name__ == "__main__":
    sys.exit(main())
