"""`docs/your-own-tools.md` shows the package as it is."""

from pathlib import Path

import pytest

HERE = Path(__file__).parent
TUTORIAL = HERE.parents[1] / "docs" / "your-own-tools.md"
SHOWN = [
    *("pyproject.toml", "test_parcels.py"),
    *(f"everturn_parcels/{name}.py" for name in ("declaration", "courier", "tools")),
]


@pytest.mark.parametrize("name", SHOWN)
def test_a_file_stands_in_the_tutorial(name: str) -> None:
    assert f"\n{(HERE / name).read_text()}```\n" in TUTORIAL.read_text()
