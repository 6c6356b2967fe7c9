from dataclasses import fields

from common.settings import Settings
from dev.settings_page import PAGE, page


def test_the_page_of_settings_is_current() -> None:
    assert PAGE.read_text(encoding="utf-8") == page(), "run: make settings"


def test_it_tells_unit_default_and_effect_of_every_setting() -> None:
    rows = [line.split(" | ") for line in page().splitlines() if line.startswith("| `")]
    by_name = {cells[0].strip("| `"): cells[1:] for cells in rows}
    assert set(by_name) == {field.name.upper() for field in fields(Settings)} | {"PORT"}
    assert all(unit and effect.strip("| ") for unit, _, effect in by_name.values())
    assert by_name["LEASE_SECONDS"][:2] == ["seconds", "`15`"]
    assert by_name["APPROVAL_DEFAULT"][0] == "`reject`, `allow`"
    assert by_name["DATABASE_URL"][2].endswith("required |")
