"""Every place that makes connections to addresses of the web is known, and guarded or excused.

A new one fails here: either it uses `worker.capabilities.outbound`, or it is listed with the
reason why it need not.
"""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from dev.paths import ROOT

_GUARDED = {
    "worker.capabilities.outbound.transports": "the guarded transports themselves",
    "worker.capabilities.web_fetch.exchange": "web_fetch, over a guarded transport",
    "worker.capabilities.mcp_servers.client": "MCP servers, over a guarded transport",
}
_EXCUSED = {
    # docs/providers.md: who may create a provider decides where it is.
    "worker.llm.clients": "providers, at the address that was configured; no redirects",
    "common.model_listing": "the same provider's list of models; no redirects",
    "common.blobs.s3": "the operator's own bucket",
    "common.terminal.server": "the terminal's user, to the server of their own choice",
    "worker.capabilities.outbound.resolver": "the one look-up, judged by the guard",
    "api.streaming.server": "listens; connects to nothing",
    "api.pace": "takes over connections that were accepted",
}
# What opens a connection, or can be told to, by the name it is imported from.
_MAKERS = re.compile(
    r"""(
      httpx2?\.(Client|AsyncClient|\w*HTTPTransport|request|get|head|post|put|patch|delete|stream)
    | httpcore2?\.(?!SOCKET_OPTION|\w*Error|\w*Exception|\w*Timeout|\w*Stream|\w*Backend)\w+
    | requests\.\w+ | aiohttp\.\w+ | urllib3\.\w+ | websockets?\.\w+ | pycurl\.\w+
    | urllib\.request\.\w+ | http\.client\.HTTPS?Connection
    | ftplib\.\w+ | smtplib\.\w+ | telnetlib\.\w+ | xmlrpc\.\w+
    | socket\.(socket|create_connection|getaddrinfo|gethostby\w+)
    | asyncio\.(open_connection|streams\.open_connection)
    | \w*loop\.(create_connection|sock_connect)
    | anyio\.connect_\w+
    | (openai|anthropic)\.(\w*OpenAI|\w*Anthropic\w*)
    | mcp\.client\..*_client | obstore\.store\.\w+Store
    )$""",
    re.VERBOSE,
)


def _module(path: Path) -> str:
    return ".".join(path.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__")


def _imported(tree: ast.AST) -> dict[str, str]:
    """What each name of a module stands for."""
    names: dict[str, str] = {}
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            for each in node.names:
                names[each.asname or each.name.partition(".")[0]] = (
                    each.name if each.asname else each.name.partition(".")[0]
                )
        elif isinstance(node, ast.ImportFrom) and node.module:
            for each in node.names:
                names[each.asname or each.name] = f"{node.module}.{each.name}"
    return names


def _dotted(node: ast.expr, names: dict[str, str]) -> str:
    match node:
        case ast.Name(id=name):
            return names.get(name, name)
        case ast.Attribute(value=value, attr=attr):
            return f"{_dotted(value, names)}.{attr}"
        case _:
            return ""


def makers(source: str) -> Iterator[tuple[str, ast.AST]]:
    """Calls that make connections, and classes that inherit from what does."""
    tree = ast.parse(source)
    names = _imported(tree)
    for node in ast.walk(tree):
        found = [node.func] if isinstance(node, ast.Call) else []
        if isinstance(node, ast.ClassDef):
            found = node.bases
        for each in found:
            name = _dotted(each, names)
            if _MAKERS.match(name):
                yield name, node


def _sources() -> list[Path]:
    return [
        path for package in ("api", "common", "worker") for path in (ROOT / package).rglob("*.py")
    ]


def test_every_maker_of_connections_is_listed() -> None:
    found: dict[str, set[str]] = {}
    for path in _sources():
        for name, _ in makers(path.read_text(encoding="utf-8")):
            found.setdefault(_module(path), set()).add(name)

    assert found.keys() == _GUARDED.keys() | _EXCUSED.keys(), found


def test_clients_of_what_callers_choose_are_guarded_and_use_no_proxy() -> None:
    for module in _GUARDED:
        path = ROOT / f"{module.replace('.', '/')}.py"
        for name, node in makers(path.read_text(encoding="utf-8")):
            if name.endswith(("Client", "streamable_http_client")) and isinstance(node, ast.Call):
                given = {each.arg: ast.unparse(each.value) for each in node.keywords}
                is_guarded = given.get("transport") == "transport" or "http_client" in given
                assert is_guarded, f"{module}: {name}"
                assert "http_client" in given or given["trust_env"] == "False", module


def test_clients_of_providers_follow_no_redirect() -> None:
    for module in ("worker.llm.clients", "common.model_listing"):
        path = ROOT / f"{module.replace('.', '/')}.py"
        for name, node in makers(path.read_text(encoding="utf-8")):
            if name in ("httpx.Client", "httpx2.Client") and isinstance(node, ast.Call):
                given = {each.arg: ast.unparse(each.value) for each in node.keywords}
                assert given["follow_redirects"] == "False", module


@pytest.mark.parametrize(
    "source",
    [
        "import httpx\nhttpx.get('http://x')",
        "import httpx2 as h\nh.AsyncClient()",
        "from httpx import Client\nClient()",
        "import urllib.request\nurllib.request.urlopen('x')",
        "from urllib.request import urlopen as o\no('x')",
        "import socket\nsocket.create_connection(('x', 1))",
        "import asyncio\nasync def f(): await asyncio.open_connection('x', 1)",
        "import openai\nopenai.AsyncOpenAI()",
        "import httpx2\nclass Mine(httpx2.HTTPTransport): pass",
        "from mcp.client.sse import sse_client\nsse_client('x')",
    ],
)
def test_a_maker_is_found_however_it_is_written(source: str) -> None:
    assert len(list(makers(source))) == 1
