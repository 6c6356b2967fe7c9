"""The front door of dev.py: make sure `.venv` is right, then become the Python inside it.

Only the standard library may be imported here, directly or not: on the first
call nothing else is there yet.
"""

import os
import sys
from collections.abc import Callable, Sequence

from dev import setup
from dev.paths import ROOT, VENV

USAGE = """\
usage: python3 dev.py <command>

  run [--flower] [--restart]
                     set up if needed, then serve everything on http://localhost:9300,
                     Flower too, and with --restart start again what dies
  everturn ...       a command for what `run` serves, with its settings: everturn doctor
  test [args ...]    set up if needed, then run the whole suite (arguments go to pytest)
  lint               set up if needed, then style, types, import contracts, spelling, file sizes
  setup              set up only
  reset              remove the data of the local run (asks nothing, keeps .venv)
"""


def main(arguments: Sequence[str]) -> int:
    """Run one command; `run`, `test` and `check` replace this process and do not return."""
    command, rest = (arguments[0], list(arguments[1:])) if arguments else ("help", [])
    commands: dict[str, Callable[[list[str]], int]] = {
        "run": _run,
        "everturn": _everturn,
        "test": _test,
        "lint": _lint,
        "setup": _setup,
        "reset": _reset,
    }
    if command in commands:
        try:
            return commands[command](rest)
        except setup.SetupFailed as failure:
            print(f"dev.py: {failure}", file=sys.stderr)
            return 1
        except KeyboardInterrupt:
            print("\ndev.py: interrupted; the next call goes on from here", file=sys.stderr)
            return 130
    print(USAGE, end="")
    return 0 if command in {"help", "-h", "--help"} else 2


def _run(arguments: list[str]) -> int:
    if unknown := [each for each in arguments if each not in {"--flower", "--restart"}]:
        print(f"dev.py run: unknown argument {unknown[0]!r}\n\n{USAGE}", file=sys.stderr, end="")
        return 2
    setup.ensure()
    return _become("-m", "dev.supervisor", *arguments)


def _everturn(arguments: list[str]) -> int:
    setup.ensure()
    return _become("-m", "dev.beside", *arguments)


def _test(arguments: list[str]) -> int:
    setup.ensure()
    # In three processes, for many tests wait; a debugger or an own choice of -n goes its own way.
    own_choice = any(
        argument in {"-s", "--pdb", "--trace"} or argument.startswith("-n")
        for argument in arguments
    )
    # The order is that of tests/conftest.py: the longest files first.
    parallel = [] if own_choice else ["-n", "3", "--dist", "loadfile", "--no-loadscope-reorder"]
    return _become("-m", "pytest", *parallel, *arguments)


def _lint(arguments: list[str]) -> int:
    setup.ensure()
    return _become("-m", "dev.lint", *arguments)


def _setup(_arguments: list[str]) -> int:
    setup.ensure()
    return 0


def _reset(_arguments: list[str]) -> int:
    from dev import reset  # noqa: PLC0415  (needed by this command alone)

    return reset.reset()


def _become(*arguments: str) -> int:
    """Exec the environment's Python: signals and exit status then need no passing on."""
    os.chdir(ROOT)
    environment = dict(os.environ)
    environment.pop("PYTHONHOME", None)
    environment.pop("PYTHONPATH", None)
    environment["VIRTUAL_ENV"] = str(VENV)
    environment["PATH"] = os.pathsep.join([str(VENV / "bin"), environment.get("PATH", os.defpath)])
    python = str(VENV / "bin" / "python")
    sys.stdout.flush()
    sys.stderr.flush()
    os.execve(python, [python, *arguments], environment)
