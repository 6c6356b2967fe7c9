import socket
from pathlib import Path

import pytest

from common.encryption import MasterKey
from dev import environment, ports
from dev.environment import InvalidEnvironment, Ports
from dev.paths import LOCAL
from dev.services import free_test_port

_PORTS = Ports(public=9300, api=9301, stream=9302, flower=9355)


def _children(settings: dict[str, str]) -> dict[str, str]:
    return environment.for_children(
        settings,
        database_url="postgresql://d",
        redis_url="redis://r",
        run_ports=_PORTS,
        master_key="local:made",
    )


def test_a_bare_environment_gets_the_development_defaults() -> None:
    child = _children({"PATH": "/bin"})
    assert (child["DEFAULT_MODEL"], child["AUTH_MODE"], child["DEPLOYMENT_GRADE"]) == (
        "llmsim",
        "none",
        "dev",
    )
    assert child["STORAGE_DIRECTORY"] == str(LOCAL / "storage")
    assert (child["DATABASE_URL"], child["REDIS_URL"]) == ("postgresql://d", "redis://r")
    assert (child["PORT"], child["API_PORT"], child["STREAM_PORT"]) == ("9300", "9301", "9302")


def test_what_is_given_wins_over_the_defaults() -> None:
    assert _children({"DEFAULT_MODEL": "other"})["DEFAULT_MODEL"] == "other"


def test_a_master_key_is_made_once_and_for_its_owner_alone(tmp_path: Path) -> None:
    file = tmp_path / "new" / "master.key"
    made = environment.kept_master_key(file)

    assert MasterKey.parse(made).name == "local"
    assert file.stat().st_mode & 0o777 == 0o600
    assert environment.kept_master_key(file) == made
    assert environment.kept_master_key(tmp_path / "other.key") != made


def test_a_master_key_that_is_given_wins_over_the_made_one() -> None:
    assert _children({})["SECRETS_ENCRYPTION_KEY"] == "local:made"
    assert _children({"SECRETS_ENCRYPTION_KEY": ""})["SECRETS_ENCRYPTION_KEY"] == "local:made"
    assert _children({"SECRETS_ENCRYPTION_KEY": "x:y"})["SECRETS_ENCRYPTION_KEY"] == "x:y"


def test_commands_are_looked_for_in_the_virtual_environment_first() -> None:
    assert _children({"PATH": "/bin"})["PATH"].split(":")[0].endswith("/.venv/bin")


def test_a_dotenv_file_is_read(tmp_path: Path) -> None:
    file = tmp_path / ".env"
    file.write_text("# keys\nA=1\nexport B='two words'\nC=\"q#q\"\n\nD=plain # why\nE=\n")
    assert environment.read_dotenv(file) == {
        "A": "1",
        "B": "two words",
        "C": "q#q",
        "D": "plain",
        "E": "",
    }


def test_a_broken_dotenv_line_is_named(tmp_path: Path) -> None:
    file = tmp_path / ".env"
    file.write_text("A=1\nnonsense\n")
    with pytest.raises(InvalidEnvironment, match=r"\.env line 2"):
        environment.read_dotenv(file)


def test_no_dotenv_file_is_no_settings(tmp_path: Path) -> None:
    assert environment.read_dotenv(tmp_path / ".env") == {}


@pytest.fixture
def taken() -> socket.socket:
    listener = socket.create_server(("127.0.0.1", free_test_port()))
    listener.listen()
    return listener


def test_a_taken_public_port_is_an_error_that_names_port_and_setting(
    taken: socket.socket,
) -> None:
    port = taken.getsockname()[1]
    with taken, pytest.raises(ports.PortTaken, match=rf"port {port} is taken.*PORT="):
        environment.choose_ports({"PORT": str(port)})


def test_a_taken_internal_port_moves_on(taken: socket.socket) -> None:
    port = taken.getsockname()[1]
    with taken:
        chosen = environment.choose_ports(
            {"PORT": str(free_test_port()), "API_PORT": str(port), "STREAM_PORT": str(port + 1)}
        )
    assert chosen.api > port + 1
    assert chosen.stream == port + 1


@pytest.mark.parametrize("value", ["http", "0", "65536", "-1", "1.5"])
def test_what_is_no_port_is_named(value: str) -> None:
    with pytest.raises(InvalidEnvironment, match="STREAM_PORT"):
        environment.choose_ports({"PORT": str(free_test_port()), "STREAM_PORT": value})
