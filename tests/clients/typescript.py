"""Run test files of `clients/typescript` under Node."""

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
    assert "\nℹ fail 0\n" in said, said
    assert "\nℹ pass 0\n" not in said, f"no test ran\n{said}"
    assert "\nℹ skipped 0\n" in said, said
