"""Operators' own tools: a package is installed for real, and runs in a real worker."""

import json
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests import documented, documented_shell
from tests.chaos.client import Client, assert_one_whole_turn
from tests.conditions import wait_until
from tests.system import System, running

EXAMPLE = Path(__file__).parents[2] / "example_tools"


def install(target: Path, scratch: Path) -> None:
    """Install the example into a folder, from a copy: building leaves files behind."""
    source = scratch / "source"
    shutil.copytree(EXAMPLE, source, ignore=shutil.ignore_patterns("__pycache__"))
    subprocess.run(  # noqa: S603 - our own arguments
        [
            *(sys.executable, "-m", "pip", "install", "--quiet", "--no-input", "--no-index"),
            *("--no-deps", "--no-build-isolation", "--disable-pip-version-check"),
            *("--target", str(target), str(source)),
        ],
        check=True,
        timeout=60,
    )


def install_broken(target: Path) -> None:
    """A package of which nothing works: modules that are not there, and an id that is taken."""
    (target / "everturn_broken.py").write_text(
        "from worker.capabilities.capability import Capability\n"
        "TAKEN = Capability('noop', system_prompt='Usurped.')\n"
        "def explode(services):\n    raise ValueError('secret')\n"
    )
    info = target / "everturn_broken-1.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: everturn-broken\nVersion: 1\n")
    (info / "entry_points.txt").write_text(
        "[everturn.capabilities]\n"
        "absent = everturn_nowhere:thing\n"
        "explodes = everturn_broken:explode\n"
        "taken = everturn_broken:TAKEN\n"
        "[everturn.capability_catalog]\n"
        "absent = everturn_nowhere:thing\n"
        "wrong = everturn_broken:TAKEN\n"
    )


@pytest.fixture
def parcels(tmp_path: Path) -> Path:
    return tmp_path / "parcels"


@pytest.fixture
def system(database_url: str, redis_url: str, tmp_path: Path, parcels: Path) -> Iterator[System]:
    target = tmp_path / "packages"
    install(target, tmp_path)
    install_broken(target)
    settings = {"PYTHONPATH": str(target), "PARCELS_FOLDER": str(parcels)}
    parts = ("api", "stream", "front", "worker")
    with running(database_url, redis_url, tmp_path, parts=parts, settings=settings) as started:
        yield started


def test_an_installed_tool_is_listed_granted_and_run(system: System, parcels: Path) -> None:
    with Client(system.base_url) as client:
        shown = client.http.get("/capabilities/parcels").json()
        assert (shown["name"], shown["risk_level"]) == ("Parcels", "high")
        assert [tool["name"] for tool in shown["tool_definitions"]] == [
            "parcel_price",
            "send_parcel",
        ]

        wrong = {"capabilities": [{"ref": "parcels", "config": {"currency": "GBP"}}]}
        refused = client.http.post("/sessions", json=wrong)
        assert refused.status_code == 400
        assert refused.json()["errors"][0]["field"] == "capabilities[0].config.currency"

        session_id = client.session(
            capabilities=[{"ref": "parcels", "config": {"currency": "USD"}}, "noop"]
        )
        calls = [
            {"name": "parcel_price", "arguments": {"weight_kg": 2}},
            {"name": "send_parcel", "arguments": {"weight_kg": 2, "address": "Main Street 1"}},
        ]
        client.post(
            session_id,
            "Send it",
            tool_calls={"type": "fixed", "tool_calls": calls},
            response={"type": "fixed", "text": "Sent"},
        )
        wait_until(
            lambda: client.types(session_id)[-1] == "session.idled",
            description="the session is idle",
            timeout_seconds=20,
        )

        events = client.events(session_id)
        assert_one_whole_turn(events, answer="Sent")
        results = {
            each["data"]["tool_name"]: each["data"]
            for each in events
            if each["type"] == "tool.completed"
        }
        price, sent = results["parcel_price"], results["send_parcel"]
        assert json.loads(price["result"][0]["text"]) == {"price": 9.0, "currency": "USD"}
        assert json.loads(sent["result"][0]["text"]) == {"tracking_number": "P-1"}
        assert (sent["capability_id"], sent["capability_name"]) == ("parcels", "Parcels")
        assert sent["display_name"] == "Send a parcel"
        assert len(list(parcels.iterdir())) == 1

    use = documented.block("docs/your-own-tools.md", "7. Install it and use it", 2)
    send = documented.block("docs/your-own-tools.md", "7. Install it and use it", 3)
    said = documented_shell.run(f"{use}{send}", system.base_url, parcels)
    assert '"parcels"' in said
    wait_until(lambda: len(list(parcels.iterdir())) == 2, description="the page's parcel is sent")

    worker = next(part for part in system.parts if part.name.startswith("worker"))
    assert worker.said("entry_point_broken") >= 2, "what is broken is told"
    assert worker.said("capability_id_taken") == 1
    assert worker.said("secret") == 0
