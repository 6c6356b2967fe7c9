import pytest

from dev import procfile
from dev.paths import PROCFILE
from dev.procfile import ProcessType, ProcfileError


def test_processes_come_in_the_order_of_the_file() -> None:
    text = "# production\n\nweb: serve --port 1\nclock:tick 'every minute'\n"
    assert procfile.parse(text) == [
        ProcessType("web", ("serve", "--port", "1")),
        ProcessType("clock", ("tick", "every minute")),
    ]


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("web serve", "line 1: expected 'name: command'"),
        ("web:", "line 1: expected"),
        ("\nweb: a\nweb: b", "line 3: 'web' is there twice"),
        ("web: 'open", "line 1: No closing quotation"),
    ],
)
def test_a_line_without_sense_is_named(text: str, complaint: str) -> None:
    with pytest.raises(ProcfileError, match=complaint):
        procfile.parse(text)


def test_every_process_is_a_command_of_ours_and_release_comes_first() -> None:
    processes = procfile.read(PROCFILE)
    assert [process.name for process in processes] == [
        "release",
        "api",
        "stream",
        "worker",
        "sweeper",
        "flower",
    ]
    assert {process.command[0] for process in processes} == {"everturn"}
