"""Write docs/settings.md: every setting with its unit, default and effect.

From `common/settings.py`, in the sections of `.env.example`; a test compares the page.
"""

import re
from dataclasses import fields

from common.settings import Choice, Settings
from dev.paths import ROOT

PAGE = ROOT / "docs" / "settings.md"
_EXAMPLE = ROOT / ".env.example"

_HEAD = """\
# Settings

Every process reads its settings from its environment, once, when it starts; what is wrong is told
all at once, by name. An empty value counts as not set. `dev.py` also reads a `.env` file and sets
some for a local run; `.env.example` is this list to be copied.

This page is written by `make settings` from `common/settings.py`.
"""
_UNIT_OF_SUFFIX = {
    "_seconds": "seconds",
    "_secs": "seconds",
    "_hours": "hours",
    "_days": "days",
    "_bytes": "bytes",
    "_pixels": "pixels",
    "_port": "port",
    "_url": "URL",
    "_directory": "path",
}
_UNIT_OF_PARSER = {
    "_flag": "0 or 1",
    "_names": "list, comma-separated",
    "_object": "JSON object",
    "_some": "number from 1",
    "_count": "number from 0",
    "_port_or_none": "port or 0",
    "_master_key": "key",
    "_text": "text",
}
_LAUNCHER = ("PORT", "port", "9300", "the one port that everything is served on")
_SECTION = re.compile(r"^# --- (.*)$|^#([A-Z0-9_]+)=", flags=re.MULTILINE)


def page() -> str:
    """The whole page."""
    rows = {name: (name, *rest) for name, *rest in _rows()}
    rows["PORT"] = _LAUNCHER
    written = [_HEAD]
    for section, name in _SECTION.findall(_EXAMPLE.read_text(encoding="utf-8")):
        if section:
            written.append(f"\n## {_title(section)}\n\n{_remark(section)}")
            written.append("| setting | unit | default | effect |\n|---|---|---|---|\n")
        else:
            cells = [cell.replace("|", "\\|") for cell in rows[name]]
            setting, unit, default, effect = cells
            shown = f"`{default}`" if default else ""
            written.append(f"| `{setting}` | {unit} | {shown} | {effect} |\n")
    return "".join(written)


def _rows() -> list[tuple[str, str, str, str]]:
    found = []
    for spec in fields(Settings):
        default, doc = spec.metadata["default"], spec.metadata["doc"]
        shown = "" if default is None else default
        effect = f"{doc}; required" if default is None else doc
        unit = _unit(spec.name, spec.metadata["parse"])
        found.append((spec.name.upper(), unit, shown, effect))
    return found


def _unit(name: str, parse: object) -> str:
    if isinstance(parse, Choice):
        return ", ".join(f"`{each}`" for each in parse.allowed)
    parser = getattr(parse, "__name__", "")
    if parser == "_port_or_none":
        return _UNIT_OF_PARSER[parser]
    for suffix, unit in _UNIT_OF_SUFFIX.items():
        if name.endswith(suffix):
            return unit
    return _UNIT_OF_PARSER.get(parser, "text")


def _title(section: str) -> str:
    return re.split(r"[.:,]", section, maxsplit=1)[0].strip()


def _remark(section: str) -> str:
    _, _, rest = section.partition(". ")
    return f"{rest}\n\n" if rest else ""


def main() -> None:
    """Write it."""
    PAGE.write_text(page(), encoding="utf-8")


if __name__ == "__main__":
    main()
