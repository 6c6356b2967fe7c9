"""The first run as a newcomer sees it: two terminals, with what their programs said."""

from __future__ import annotations

import html
import os
import pty
import re
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any, Final

import httpx

from dev.paths import ROOT
from tests.conditions import wait_until
from tests.dev.launched import Run

_COLUMNS: Final = 100
_WEATHER: Final = {"name": "get_weather", "arguments": {"location": "Tokyo"}}
# What the simulated model says, a step each: the greeting, the call, what it makes of its result.
SIMULATED: Final = {
    "response": {
        "type": "sequence",
        "texts": [
            "Hello! I can tell you about the weather.",
            "I will look it up.",
            "It is nice in Tokyo today: take a walk, and leave the umbrella at home.",
        ],
    },
    "tool_calls": {"type": "sequence", "steps": [[], [_WEATHER], []]},
}
_ASKED: Final = (
    ("Hello!", "about the weather."),
    ("What is the weather in Tokyo?", "umbrella at home."),
)
_CLASSES: Final = {"1": "bold", "2": "dim", "31": "red", "32": "green", "33": "yellow"}
_SELECT: Final = re.compile(r"\x1b\[(\d+)m")
_OTHER_CONTROL: Final = re.compile(r"\x1b\[[0-9;?]*[a-zA-Z]|[\r\x07]")
_STYLE: Final = """
body { margin: 0; padding: 18px; background: #e9ebef; font: 14px/1.35 monospace; }
.window { background: #16181d; color: #d6d9df; border-radius: 8px; margin-bottom: 18px; }
.title { color: #8b919c; padding: 8px 14px; border-bottom: 1px solid #2a2e36; }
pre { margin: 0; padding: 12px 14px; white-space: pre-wrap; font: inherit; }
.bold { font-weight: bold; color: #fff; } .dim { color: #8b919c; } .red { color: #f08080; }
.green { color: #7fd48a; } .yellow { color: #e6c35c; }
"""


def page(run: Run, folder: Path) -> str:
    """Both terminals, once the agent has answered in the second."""
    agent = {
        "name": "assistant",
        "system_prompt": "You are a helpful assistant.",
        "capabilities": [{"ref": "test_weather"}],
    }
    httpx.post(f"{run.base_url}/v1/agents", json=agent).raise_for_status()
    # Where a checkout's own run keeps its data.
    served = run.said().replace(str(folder / "local"), ".local").strip()
    talked = "$ .venv/bin/everturn chat --agent assistant\n" + _conversation(run.base_url, folder)
    windows = (("everturn", f"$ python3 dev.py run\n{served}"), ("another terminal", talked))
    drawn = "".join(
        f'<div class="window"><div class="title">{title}</div>'
        f"<pre>{''.join(_spans(text))}</pre></div>"
        for title, text in windows
    )
    return f"<!doctype html><meta charset=utf-8><style>{_STYLE}</style>{drawn}"


def _conversation(base_url: str, folder: Path) -> str:
    """What a terminal showed of `everturn chat`, up to the second answer."""
    controller, terminal = pty.openpty()
    environment = {
        "PATH": os.defpath,
        "TERM": "xterm-256color",
        "COLUMNS": str(_COLUMNS),
        "HOME": str(folder),
    }
    command = [sys.executable, "-m", "common.cli", "chat", "--agent", "assistant"]
    with subprocess.Popen(
        [*command, "--url", base_url],
        cwd=ROOT,
        env=environment,
        stdin=terminal,
        stdout=terminal,
        stderr=terminal,
    ) as process:
        os.close(terminal)
        try:
            with closing(os.fdopen(controller, "r+b", buffering=0)) as screen:
                return _talk(screen)
        finally:
            process.kill()


def _talk(screen: Any) -> str:
    os.set_blocking(screen.fileno(), False)
    text = ""

    def shows(words: str, times: int) -> None:
        def has() -> bool:
            nonlocal text
            text += (screen.read(65536) or b"").decode()
            return _OTHER_CONTROL.sub("", _SELECT.sub("", text)).count(words) >= times

        wait_until(has, description=f"the terminal shows {words!r}")

    for number, (question, answer) in enumerate(_ASKED, start=1):
        shows("you> ", number)
        screen.write(f"{question}\n".encode())
        shows(answer, 1)
    shows("you> ", len(_ASKED) + 1)
    return text


def _spans(text: str) -> Iterator[str]:
    """Coloured text as HTML."""
    is_open = False
    for number, part in enumerate(_SELECT.split(text)):
        if number % 2 == 0:
            yield html.escape(_OTHER_CONTROL.sub("", part))
            continue
        if is_open:
            yield "</span>"
        is_open = part in _CLASSES
        if is_open:
            yield f'<span class="{_CLASSES[part]}">'
    if is_open:
        yield "</span>"
