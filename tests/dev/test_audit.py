import json
from typing import Any

import pytest

from dev import audit

_CLEAN = {"name": "flask", "version": "3.1.3", "vulns": []}
_VULNERABLE = {
    "name": "x",
    "version": "1",
    "vulns": [{"id": "PYSEC-1", "fix_versions": ["2"]}, {"id": "PYSEC-2", "fix_versions": []}],
}
_SKIPPED = {"name": "y", "skip_reason": "not found"}


def _report(*packages: Any) -> int:
    return audit.report(lambda _: (json.dumps({"dependencies": packages}), ""))


def test_no_advisory_is_clean(capsys: pytest.CaptureFixture[str]) -> None:
    assert _report(_CLEAN) == 0
    assert capsys.readouterr().out == "1 packages, 0 advisories\n"


def test_advisories_are_listed_with_their_fix(capsys: pytest.CaptureFixture[str]) -> None:
    assert _report(_CLEAN, _VULNERABLE) == 1
    said = capsys.readouterr().out
    assert "x 1: PYSEC-1, fixed in 2\n" in said
    assert "x 1: PYSEC-2, fixed in no version\n" in said


@pytest.mark.parametrize(
    ("out", "err", "why"),
    [
        ("", "ERROR: connection refused", "connection refused"),
        ("", "", "no word"),
        ("[]", "", "cannot be read"),
        ('{"dependencies": []}', "", "nothing is locked"),
    ],
)
def test_what_could_not_be_asked_is_not_clean(
    out: str, err: str, why: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert audit.report(lambda _: (out, err)) == 2
    said = capsys.readouterr().err
    assert said.startswith("not audited")
    assert why in said


def test_a_package_that_was_skipped_is_not_clean(capsys: pytest.CaptureFixture[str]) -> None:
    assert _report(_CLEAN, _SKIPPED) == 2
    assert "y" in capsys.readouterr().err
