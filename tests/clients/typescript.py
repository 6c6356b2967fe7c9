"""Run test files of `clients/typescript` under Node."""

import re
from pathlib import Path

from dev import node

TESTS = node.CLIENT / "tests"


def names_of(folder: str) -> list[str]:
    """The test files in a folder."""
    return sorted(path.name for path in (TESTS / folder).glob("*.test.ts"))


def run_test_file(path: Path, **environment: str) -> None:
    """Run one file; fails with all that Node says."""
    try:
        said = node.run("--test", "--test-reporter=spec", path, environment=environment)
    except node.NodeFailed as failure:
        raise AssertionError(str(failure)) from None
    assert re.search(r" fail 0\n", said), said
    assert not re.search(r" pass 0\n", said), f"no test ran\n{said}"
    assert re.search(r" skipped 0\n", said), said
