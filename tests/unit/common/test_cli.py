"""What the command line says without a server."""

import io
import os
import subprocess
import sys

import pytest

from common.cli import main
from dev.paths import ROOT


def test_an_unknown_command_is_a_mistake_of_the_caller(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ending:
        main(["conquer"])
    assert ending.value.code == 2
    assert "invalid choice" in capsys.readouterr().err


def test_settings_that_are_missing_are_named(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["turns"]) == 2
    assert "everturn turns: DATABASE_URL is not set" in capsys.readouterr().err


@pytest.mark.parametrize("command", [["chat", "Hello"], ["tail", "session_1"]])
def test_a_client_needs_no_setting_of_a_server(
    command: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    assert main([*command, "--url", "ftp://there"]) == 2
    assert "must begin with http" in capsys.readouterr().err


def test_an_empty_message_is_none(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys, "stdin", io.StringIO("  \n"))
    assert main(["chat"]) == 2
    assert "there is no message" in capsys.readouterr().err


@pytest.mark.parametrize("limit", ["0", "-1", "x", "10001"])
def test_a_limit_is_a_number_that_makes_sense(limit: str) -> None:
    with pytest.raises(SystemExit) as ending:
        main(["turns", "--limit", limit])
    assert ending.value.code == 2


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_each_shell_gets_its_completion(shell: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["completion", shell]) == 0
    script = capsys.readouterr().out
    assert "everturn" in script
    assert {"bash": "complete ", "zsh": "compdef ", "fish": "complete --command "}[shell] in script


@pytest.mark.parametrize(
    ("typed", "offered"),
    [
        ("everturn ta", {"tail "}),
        ("everturn chat --ap", {"--approve "}),
        ("everturn chat --approve ", {"allow", "ask", "reject"}),
        ("everturn completion ", {"bash", "fish", "zsh"}),
    ],
)
def test_the_shell_is_told_what_could_come_next(typed: str, offered: set[str]) -> None:
    asked = {
        "PATH": os.defpath,
        "_ARGCOMPLETE": "1",
        "_ARGCOMPLETE_IFS": "\n",
        "_ARGCOMPLETE_SUPPRESS_SPACE": "0",
        "_ARGCOMPLETE_STDOUT_FILENAME": "/dev/stdout",
        "COMP_LINE": typed,
        "COMP_POINT": str(len(typed)),
        "COMP_TYPE": "9",
    }
    command = [sys.executable, "-m", "common.cli"]
    answer = subprocess.run(command, cwd=ROOT, env=asked, capture_output=True, text=True)  # noqa: PLW1510, S603 - the output tells
    assert {word for word in answer.stdout.split("\n") if not word.startswith("-h")} >= offered


def test_bash_completes_by_it() -> None:
    script = (
        'eval "$(everturn completion bash)"; COMP_WORDS=(everturn chat --a); COMP_CWORD=2;'
        ' COMP_LINE="everturn chat --a" COMP_POINT=17 COMP_TYPE=9;'
        ' _python_argcomplete everturn; printf "%s\\n" "${COMPREPLY[@]}"'
    )
    path = f"{os.path.dirname(sys.executable)}:{os.defpath}"  # noqa: PTH120 - as it stands
    answer = subprocess.run(  # noqa: S603 - our own program
        ["/bin/bash", "-c", script], env={"PATH": path}, capture_output=True, text=True, check=True
    )
    assert {"--agent", "--approve"} <= {word.strip() for word in answer.stdout.split()}
