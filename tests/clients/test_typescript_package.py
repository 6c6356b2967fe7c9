"""The TypeScript client as a package: complete, as the document has it, and what npm expects."""

import json
import re
import tarfile
import tomllib
from pathlib import Path
from typing import Any

import pytest

from common.domain.events import EventType
from dev import node
from dev.paths import PYPROJECT, ROOT
from tests import documented
from tests.clients.typescript import TESTS, names_of, run_test_file

pytestmark = [pytest.mark.slow, pytest.mark.timeout(300), pytest.mark.usefixtures("_built")]

SOURCES = node.CLIENT / "src"
# What the client calls otherwise than by its typed route, or not at all.
NOT_BY_ROUTE = {
    "GET /health/live": "for process managers",
    "GET /health/ready": "for process managers",
    "GET /v1/durable/sse": "for dashboards",
    "GET /v1/durable/workflows/{workflow_id}/sse": "for dashboards",
    "POST /v1/agents/import": "sent as text",
    "POST /v1/images": "sent as a form",
    "GET /v1/sessions/{session_id}/sse": "EventStream",
    "GET /v1/channels/{channel}/sessions/{session_id}/sse": "EventStream",
    "POST /v1/channels/{channel}/runtime-auth": "not built yet",
    "POST /v1/channels/{channel}/sessions/{session_id}/question-answers": "not built yet",
}


@pytest.mark.parametrize("name", names_of("unit"))
def test_its_own_tests(name: str) -> None:
    run_test_file(TESTS / "unit" / name)


def test_the_models_are_those_of_the_openapi_document() -> None:
    generated = node.run("tools/generate.mjs", "--print")
    assert (SOURCES / "generated.ts").read_text() == generated, "run: make openapi"


def test_every_route_of_the_document_has_a_method() -> None:
    document: dict[str, Any] = json.loads((ROOT / "docs" / "openapi.json").read_text())
    routes = {
        f"{method.upper()} {path}"
        for path, operations in document["paths"].items()
        for method in operations
    }
    files = [SOURCES / "client.ts", *(SOURCES / "resources").glob("*.ts")]
    text = "\n".join(path.read_text() for path in files)
    called = set(re.findall(r"(?:call|text|bytes)\(\s*'([A-Z]+ /[^']*)'", text))
    called |= set(re.findall(r"route = '([A-Z]+ /[^']*)'", text))
    called |= set(re.findall(r"^\s+\w+: '([A-Z]+ /[^']*)',$", text, flags=re.MULTILINE))
    assert called | set(NOT_BY_ROUTE) == routes
    assert not called & set(NOT_BY_ROUTE)


def test_the_event_types_are_those_of_the_server() -> None:
    text = (SOURCES / "events.ts").read_text()
    body = text[text.index("interface EventData {") :].partition("\n}\n")[0]
    assert set(re.findall(r"^  '([a-z._]+)':", body, flags=re.MULTILINE)) == set(EventType)


def test_its_version_is_the_servers() -> None:
    version = tomllib.loads(PYPROJECT.read_text())["project"]["version"]
    assert json.loads((node.CLIENT / "package.json").read_text())["version"] == version
    assert f"'{version}'" in (SOURCES / "version.ts").read_text()
    assert json.loads((node.CLIENT / "package-lock.json").read_text())["version"] == version


def test_the_lock_file_pins_all_by_hash_and_names_no_registry() -> None:
    text = (node.CLIENT / "package-lock.json").read_text()
    packages: dict[str, Any] = json.loads(text)["packages"]
    assert "resolved" not in text
    assert "registry" not in text
    assert all("integrity" in package for name, package in packages.items() if name)


def test_nothing_is_needed_at_run_time() -> None:
    package = json.loads((node.CLIENT / "package.json").read_text())
    assert not {"dependencies", "peerDependencies", "optionalDependencies"} & set(package)


@pytest.fixture(scope="module")
def tarball(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("packed")
    node.run_npm("pack", "--ignore-scripts", f"--pack-destination={folder}")
    (path,) = folder.glob("*.tgz")
    return path


def test_publint_finds_nothing(tarball: Path) -> None:
    *_, said = node.run("node_modules/publint/src/cli.js", tarball, "--strict").splitlines()
    assert said == "All good!"


def test_it_packs_what_runs_and_nothing_else(tarball: Path) -> None:
    with tarfile.open(tarball) as packed:
        names = {name.removeprefix("package/") for name in packed.getnames()}
    others = {name for name in names if not re.fullmatch(r"dist/(esm|cjs)/.+\.(js|d\.ts)", name)}
    assert others == {"LICENSE", "README.md", "package.json", "dist/cjs/package.json"}
    assert {"dist/esm/index.js", "dist/esm/index.d.ts", "dist/cjs/index.js"} <= names


IMPORTS = {
    "use.mjs": "import { EverrunsClient, EverrunsError } from 'everruns-sdk';",
    "use.cjs": "const { EverrunsClient, EverrunsError } = require('everruns-sdk');",
}
USE = """
const client = new EverrunsClient({ baseUrl: 'http://127.0.0.1:1', maxRetries: 0 });
client.agents.get('x').catch((error) => {
  console.log(error instanceof EverrunsError, error.status);
});
"""
TYPED = """
import { EverrunsClient, type SessionEvent } from 'everruns-sdk';
const client = new EverrunsClient({ baseUrl: 'http://localhost:9300' });
export async function ask(id: string): Promise<string> {
  await client.messages.create(id, { message: { content: [{ type: 'text', text: 'Hi' }] } });
  for await (const event of client.sessions.streamEvents(id)) {
    if (event.type === 'turn.failed') throw new Error(event.data.error);
    if (event.type === 'output.message.completed') {
      return event.data.message.content[0]?.text || '';
    }
  }
  return '';
}
export const kind = (event: SessionEvent): string => event.type;
// @ts-expect-error there is no such field
void client.agents.create({ name: 'a', system_prompt: 'b', colour: 'red' });
// @ts-expect-error and the prompt is missing
void client.agents.create({ name: 'a' });
"""


# A project for Node alone: without the types of browsers.
CONSUMER = {
    "module": "NodeNext",
    "target": "ES2022",
    "lib": ["ES2022"],
    "strict": True,
    "noEmit": True,
    "types": ["node"],
}


def test_it_is_installed_as_the_page_says(tmp_path: Path) -> None:
    # The packages are there and it is built: `npm ci` and `npm run build` were run by `_built`.
    page = documented.block("clients/typescript/README.md", "everruns-sdk for TypeScript")
    building, (program, *words) = page.splitlines()[0], page.splitlines()[-1].split()
    assert building == "(cd clients/typescript && npm ci && npm run build)"
    assert program == "npm"
    (tmp_path / "clients").symlink_to(ROOT / "clients")
    quietly = {"npm_config_offline": "true", "npm_config_audit": "false"}
    node.run_npm(*words, directory=tmp_path, environment=quietly)
    (tmp_path / "use.mjs").write_text(IMPORTS["use.mjs"] + USE)
    assert node.run(tmp_path / "use.mjs") == "true 0\n"


def test_it_is_used_as_either_kind_of_module_with_types(tarball: Path, tmp_path: Path) -> None:
    installed = tmp_path / "node_modules" / "everruns-sdk"
    installed.mkdir(parents=True)
    with tarfile.open(tarball) as packed:
        packed.extractall(tmp_path, filter="data")
    (tmp_path / "package").rename(installed)
    for name, imports in IMPORTS.items():
        (tmp_path / name).write_text(imports + USE)
        assert node.run(tmp_path / name) == "true 0\n"
    for name in ("typed.mts", "typed.cts"):
        (tmp_path / name).write_text(TYPED)
    options = {**CONSUMER, "typeRoots": [str(node.CLIENT / "node_modules" / "@types")]}
    (tmp_path / "tsconfig.json").write_text(json.dumps({"compilerOptions": options}))
    node.run("node_modules/typescript/bin/tsc", "-p", tmp_path)
