"""The commands that are clients: what they take, and how they end."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Mapping
from typing import Final

NAMES: Final = frozenset({"chat", "tail"})
DEFAULT_URL: Final = "http://localhost:9300"

_CHAT: Final = "talk to an agent, or send it one message from a script"
_CHAT_EPILOG: Final = (
    "Exits with 0 when every turn completed, with 1 when one failed, was cancelled or the server"
    " refused, with 2 when the server cannot be reached, with 130 after Ctrl-C."
)
_TAIL: Final = "show the events of a session as they happen"
_TAIL_EPILOG: Final = (
    "Goes on by itself where it was when a connection is lost.  Exits with 0 when --until-idle is"
    " fulfilled, with 1 when the session is not there or was deleted, with 2 when the server"
    " cannot be reached, with 130 after Ctrl-C."
)


def add_to(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add the parsers of these commands."""
    chatting = commands.add_parser("chat", help=_CHAT, description=_CHAT, epilog=_CHAT_EPILOG)
    _add_server(chatting)
    chatting.add_argument("--agent", metavar="NAME", help="name or id of the agent; none if absent")
    chatting.add_argument("--session", metavar="ID", help="go on with this session")
    chatting.add_argument(
        "--approve",
        choices=("ask", "allow", "reject"),
        default="ask",
        help="what is said to tool calls that a person must allow; with nobody to ask: reject",
    )
    chatting.add_argument("--json", action="store_true", help="print each event as a line of JSON")
    chatting.add_argument(
        "message", nargs="*", help="send this and leave; without a terminal the input is sent"
    )
    tailing = commands.add_parser("tail", help=_TAIL, description=_TAIL, epilog=_TAIL_EPILOG)
    _add_server(tailing)
    tailing.add_argument("session", metavar="SESSION", help="its id")
    tailing.add_argument(
        "--since", metavar="CURSOR", help="an event's id or number; 0: all; else from now on"
    )
    for name, summary in (("type", "show only these"), ("exclude", "leave these out")):
        tailing.add_argument(
            f"--{name}",
            action="append",
            default=[],
            metavar="TYPE",
            help=f"{summary}, such as turn.completed or tool.*; repeat for more",
        )
    tailing.add_argument("--deltas", action="store_true", help="show pieces of answers, too")
    tailing.add_argument("--until-idle", action="store_true", help="leave when the session idles")
    tailing.add_argument("--json", action="store_true", help="print each event as a line of JSON")


def run(given: argparse.Namespace, environ: Mapping[str, str]) -> int:
    """Run one of them; needs no setting of a server."""
    # No process of a server waits for these.
    from common.terminal import chat, tail  # noqa: PLC0415
    from common.terminal.server import Refused, Server, Unreachable  # noqa: PLC0415

    url = given.url or environ.get("EVERTURN_URL") or DEFAULT_URL
    if not url.startswith(("http://", "https://")):
        sys.stderr.write(f"everturn {given.command}: the URL must begin with http:// or https://\n")
        return 2
    server = Server(url, api_key=environ.get("EVERTURN_API_KEY", ""))
    try:
        if given.command == "tail":
            return tail.run(server, given)
        is_colourful = not environ.get("NO_COLOR") and environ.get("TERM") != "dumb"
        return chat.run(server, given, is_colourful=is_colourful)
    except Refused as refused:
        sys.stderr.write(f"everturn {given.command}: {refused}\n")
        return 1
    except Unreachable as failure:
        sys.stderr.write(f"everturn {given.command}: {failure}\n")
        return 2
    except BrokenPipeError:  # whoever read our output has seen enough
        sys.stderr.close()
        return 0
    finally:
        server.close()


def _add_server(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--url",
        help=f"where the server is; EVERTURN_URL, else {DEFAULT_URL}.  The key is EVERTURN_API_KEY",
    )
