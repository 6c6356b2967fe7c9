"""The files production starts from.  No container engine is at hand: they are checked, not run."""

import json
import re
import shutil
import subprocess
import sys
import tomllib
import zipfile
from pathlib import Path
from typing import Any

import pytest
import yaml

from common.cli import make_parser
from dev import procfile
from dev.paths import PROCFILE, PYPROJECT, ROOT
from tests import documented

_COMPOSE = ROOT / "docker-compose.yml"
_DOCKERFILE = ROOT / "docs" / "deploy" / "Dockerfile"
_PACKAGES = ("api", "common", "migrations", "worker")
_BIN = Path(sys.executable).parent


@pytest.fixture(scope="module")
def services() -> dict[str, Any]:
    found: dict[str, Any] = yaml.safe_load(_COMPOSE.read_text())["services"]
    return found


def test_compose_follows_the_compose_specification() -> None:
    command: list[str | Path] = [
        _BIN / "check-jsonschema",
        "--builtin-schema",
        "vendor.compose-spec",
        _COMPOSE,
    ]
    answer = subprocess.run(command, capture_output=True, text=True, check=False)
    assert answer.returncode == 0, answer.stdout + answer.stderr


def test_the_dockerfile_has_no_findings() -> None:
    command: list[str | Path] = [_BIN / "hadolint", "--format", "json", _DOCKERFILE]
    answer = subprocess.run(command, capture_output=True, text=True, check=False)
    assert json.loads(answer.stdout) == []


def test_compose_runs_the_processes_of_the_procfile(services: dict[str, Any]) -> None:
    ours = {name: tuple(body["command"]) for name, body in services.items() if "build" in body}
    assert ours == {process.name: process.command for process in procfile.read(PROCFILE)}


def test_everything_waits_for_the_migrations(services: dict[str, Any]) -> None:
    ours = {name: body for name, body in services.items() if "build" in body}
    assert ours["release"]["depends_on"]["postgres"]["condition"] == "service_healthy"
    for name in ours.keys() - {"release"}:
        condition = ours[name]["depends_on"]["release"]["condition"]
        assert condition == "service_completed_successfully"


def test_whoever_starts_compose_has_to_choose_who_may_call(services: dict[str, Any]) -> None:
    settings = services["api"]["environment"]
    assert settings["AUTH_MODE"].startswith("${AUTH_MODE:?")
    assert settings["AUTH_ALLOW_OPEN"] == "${AUTH_ALLOW_OPEN:-0}"
    published = [port for body in services.values() for port in body.get("ports", [])]
    assert all(
        port.startswith(("127.0.0.1:", "${PUBLISH_ADDRESS:-127.0.0.1}:")) for port in published
    )


def test_the_page_tells_to_set_all_that_has_no_default() -> None:
    wanted = set(re.findall(r"\$\{(\w+):\?", _COMPOSE.read_text()))
    first, *_ = documented.block("docs/deployment.md", "With compose").split("> .env")
    assert set(re.findall(r"([A-Z_]+)=", first)) == wanted
    head = _COMPOSE.read_text().split("services:")[0]
    assert all(f"#   {name} " in head for name in wanted)


@pytest.mark.parametrize(
    "commands",
    [
        documented.block("docs/deployment.md", "With compose"),
        documented.block("docs/operations.md", "Upgrade without downtime", 2),
    ],
)
def test_the_pages_speak_of_services_that_there_are(
    commands: str, services: dict[str, Any]
) -> None:
    actions = {"build", "run", "up", "exec"}
    for line in re.findall(r"^docker compose (.+)$", commands, flags=re.MULTILINE):
        action, *words = line.split()
        assert action in actions
        named = [word.removeprefix("worker=") for word in words if not word.startswith("-")]
        if action in ("exec", "run"):
            service, *command = named
            assert "build" in services[service]
            assert command[:1] in ([], ["everturn"])
            if command:
                make_parser().parse_args(line.partition(" everturn ")[2].split())
        else:
            assert {name for name in named if not name.isdecimal()} <= services.keys()
        scaled = re.findall(r"--scale (\w+)=", line)
        assert set(scaled) <= services.keys()


def test_every_service_has_limits_and_says_how_it_is(services: dict[str, Any]) -> None:
    for name, body in services.items():
        limits = body["deploy"]["resources"]["limits"]
        assert limits.keys() == {"memory", "pids"}, name
    # A worker and a sweeper end when they are of no use; the job of `release` is to end.
    without = {"release", "worker", "sweeper", "flower"}
    assert {name for name, body in services.items() if "healthcheck" not in body} <= without


def test_everyone_gets_longer_to_stop_than_it_takes(services: dict[str, Any]) -> None:
    from dataclasses import fields  # noqa: PLC0415

    from common.settings import Settings  # noqa: PLC0415

    known = {field.name: field.metadata["default"] for field in fields(Settings)}
    needed = {
        "worker": float(known["shutdown_grace_seconds"]),
        "api": 10.0,
        "stream": 2.0,
        "sweeper": 15.0,
    }
    for name, body in services.items():
        if name != "release":
            assert float(body["stop_grace_period"].removesuffix("s")) > needed.get(name, 0.0)


def test_our_containers_can_do_and_write_nothing(services: dict[str, Any]) -> None:
    for body in services.values():
        if "build" in body:
            assert body["read_only"] is True
            assert body["cap_drop"] == ["ALL"]
            assert body["security_opt"] == ["no-new-privileges:true"]


def test_compose_sets_nothing_that_is_not_a_setting(services: dict[str, Any]) -> None:
    from dataclasses import fields  # noqa: PLC0415

    from common.settings import Settings  # noqa: PLC0415

    known = {field.name.upper() for field in fields(Settings)}
    assert set(services["api"]["environment"]) <= known


def test_the_image_holds_no_build_tools_root_or_secrets() -> None:
    lines = _DOCKERFILE.read_text().splitlines()
    last_stage = lines[max(i for i, line in enumerate(lines) if line.startswith("FROM")) :]
    assert any(line.startswith("USER 10001") for line in last_stage)
    assert not any("pip install" in line for line in last_stage)
    assert "!.env" not in (ROOT / ".dockerignore").read_text()


def test_the_redis_command_of_compose_is_one_the_server_takes(
    services: dict[str, Any], tmp_path: Path
) -> None:
    from dev import valkey  # noqa: PLC0415
    from dev.services import free_test_port, start_and_wait  # noqa: PLC0415

    class AsInCompose(valkey.Valkey):
        def start(self, output: Any) -> subprocess.Popen[bytes]:
            options = [*services["redis"]["command"][1:], f"--port {self.port}"]
            self.process = subprocess.Popen(
                [self.binary, *options], cwd=self.data, stdout=output, stderr=output
            )
            return self.process

    server = AsInCompose(valkey.find_binary(), tmp_path / "data", free_test_port())
    start_and_wait(server, log=tmp_path / "log")
    try:
        import redis  # noqa: PLC0415

        with redis.Redis.from_url(server.url) as client:
            settings = client.config_get("append*", "save", "maxmemory-policy")
    finally:
        server.stop()
    assert settings["appendonly"] == "yes"
    assert settings["save"] == ""
    assert settings["maxmemory-policy"] == "noeviction"


def test_the_wheel_holds_every_file_of_the_packages(tmp_path: Path) -> None:
    source, wheels = tmp_path / "source", tmp_path / "wheels"
    ignored = shutil.ignore_patterns("__pycache__")
    for package in _PACKAGES:
        shutil.copytree(ROOT / package, source / package, ignore=ignored)
    for name in ("pyproject.toml", "LICENSE"):
        shutil.copy(ROOT / name, source)
    wheels.mkdir()
    build = "import sys; from setuptools import build_meta as b; b.build_wheel(sys.argv[1])"
    subprocess.run(
        [sys.executable, "-c", build, wheels], cwd=source, check=True, capture_output=True
    )
    (wheel,) = wheels.iterdir()
    packed = set(zipfile.ZipFile(wheel).namelist())
    files = {
        str(path.relative_to(source))
        for package in _PACKAGES
        for path in (source / package).rglob("*")
        if path.is_file()
    }
    assert files - packed == set()
    assert not any(name.startswith(("dev/", "tests/")) for name in packed)


def test_every_dependency_has_its_line_in_the_docs() -> None:
    project = tomllib.loads(PYPROJECT.read_text())
    groups = project["dependency-groups"]
    named = [
        *project["project"]["dependencies"],
        *project["project"]["optional-dependencies"]["local"],
        *(line for group in groups.values() for line in group if isinstance(line, str)),
    ]
    wanted = {re.split(r"[\[<>=~! ]", line)[0] for line in named}
    table = (ROOT / "docs" / "dependencies.md").read_text()
    described = set(re.findall(r"^\| ([a-z0-9-]+) \|", table, flags=re.MULTILINE)) - {"package"}
    assert described == wanted


def test_the_lock_files_name_no_address_and_pin_all_by_hash() -> None:
    for name in ("requirements.lock", "requirements-dev.lock"):
        text = (ROOT / name).read_text()
        assert "://" not in text
        assert "--index" not in text
        assert "--find-links" not in text
        entries = re.findall(r"^[a-z].*?(?=^[a-z]|\Z)", text, flags=re.MULTILINE | re.DOTALL)
        assert entries
        assert all("--hash=sha256:" in entry for entry in entries)
