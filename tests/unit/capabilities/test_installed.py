"""Entry points of packages: what is good is taken, what is not is told and skipped."""

import sys
from importlib.metadata import EntryPoint
from types import ModuleType
from typing import cast

import pytest
from structlog.testing import capture_logs

from common.domain.capability_catalog import CAPABILITIES, CapabilityInfo
from common.installed_capabilities import CATALOG_GROUP, find_capability, is_known, merged
from tests.fakes.services import unconnected_services
from worker.capabilities.capability import Capability
from worker.capabilities.installed import CAPABILITIES_GROUP, with_installed
from worker.capabilities.services import Services

_SERVICES = unconnected_services()


def info(capability_id: str) -> CapabilityInfo:
    return CapabilityInfo(id=capability_id, name="", description="")


class _Module:
    """Stands for a package's module: its attributes are what entry points name."""

    ONE = info("one")
    SEVERAL = (info("two"), info("three"))
    TAKEN = info("noop")
    ALIAS = info("virtual_bash")
    FAMILY = info("mcp:x")
    NOTHING = "text"
    CAPABILITY = Capability("one")
    TAKEN_CAPABILITY = Capability("noop")

    @staticmethod
    def make(services: Services) -> Capability:
        assert services is _SERVICES
        return Capability("two")

    @staticmethod
    def fail(_services: Services) -> Capability:
        raise ValueError("secret")


@pytest.fixture(autouse=True)
def module(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "everturn_probe", cast(ModuleType, _Module))


def points(group: str, *names: str) -> list[EntryPoint]:
    return [EntryPoint(name, f"everturn_probe:{name}", group) for name in names]


def test_entries_stand_behind_those_of_the_catalogue() -> None:
    known = merged(points(CATALOG_GROUP, "SEVERAL", "ONE"))
    assert list(known) == [*CAPABILITIES, "one", "two", "three"]


@pytest.mark.parametrize("name", ["TAKEN", "ALIAS", "FAMILY"])
def test_an_id_that_is_taken_loses(name: str) -> None:
    with capture_logs() as logs:
        assert merged(points(CATALOG_GROUP, name)) == CAPABILITIES
    assert [line["event"] for line in logs] == ["capability_id_taken"]


@pytest.mark.parametrize("name", ["NOTHING", "absent"])
def test_a_broken_entry_is_told_and_skipped(name: str) -> None:
    with capture_logs() as logs:
        assert "one" in merged(points(CATALOG_GROUP, name, "ONE"))
    assert [(line["event"], line["entry_point"]) for line in logs] == [("entry_point_broken", name)]


def test_a_module_that_is_not_there_is_told_and_skipped() -> None:
    lost = EntryPoint("lost", "everturn_is_nowhere:thing", CATALOG_GROUP)
    with capture_logs() as logs:
        assert merged([lost]) == CAPABILITIES
    assert logs[0]["error"] == "ModuleNotFoundError"


def test_an_alias_is_looked_up_as_what_it_means() -> None:
    found = find_capability("virtual_bash")
    assert found is not None
    assert found.id == "bashkit_shell"
    assert is_known("virtual_bash")
    assert not is_known("from_the_future")


def test_capabilities_are_taken_as_they_are_or_made() -> None:
    found = points(CAPABILITIES_GROUP, "CAPABILITY", "make")
    assert list(with_installed([], _SERVICES, points=found)) == ["one", "two"]


def test_a_capability_that_is_not_in_the_catalogue_is_told() -> None:
    with capture_logs() as logs:
        with_installed([], _SERVICES, points=points(CAPABILITIES_GROUP, "CAPABILITY"))
    assert [line["event"] for line in logs] == ["capability_not_declared"]


def test_what_is_built_in_wins_over_a_package() -> None:
    built = Capability("noop", system_prompt="built in")
    found = points(CAPABILITIES_GROUP, "TAKEN_CAPABILITY")
    with capture_logs() as logs:
        assert with_installed([built], _SERVICES, points=found) == {"noop": built}
    assert [line["event"] for line in logs] == ["capability_id_taken"]


@pytest.mark.parametrize("name", ["fail", "NOTHING", "absent", "ONE"])
def test_a_broken_capability_stops_nobody(name: str) -> None:
    found = points(CAPABILITIES_GROUP, name, "CAPABILITY")
    with capture_logs() as logs:
        assert list(with_installed([], _SERVICES, points=found)) == ["one"]
    assert ("entry_point_broken", name) in [
        (line["event"], line.get("entry_point")) for line in logs
    ]
    assert "secret" not in str(logs)
