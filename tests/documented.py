"""Commands as the documentation has them, for the tests that run them."""

import re
from dataclasses import dataclass
from pathlib import Path

from dev.paths import ROOT

_FENCE = re.compile(r"^```(\w*)\n(.*?)^```$", flags=re.MULTILINE | re.DOTALL)
_HEADING = re.compile(r"^#+ (.+)$", flags=re.MULTILINE)


@dataclass(frozen=True)
class Block:
    """A block of code; `number` counts those of a language below one heading, from 1."""

    page: str
    heading: str
    language: str
    number: int
    code: str

    @property
    def name(self) -> str:
        return f"{self.page} / {self.heading} / {self.number}"


def blocks(page: str, language: str = "sh") -> list[Block]:
    """All blocks of a language on a page, named from the top of the repository."""
    text = (ROOT / page).read_text()
    found: list[Block] = []
    for fence in _FENCE.finditer(text):
        if fence[1] == language:
            heading = _heading_before(text, fence.start())
            number = 1 + sum(block.heading == heading for block in found)
            found.append(Block(page, heading, language, number, fence[2]))
    return found


def block(page: str, heading: str, number: int = 1, *, language: str = "sh") -> str:
    """The code of one of them."""
    for found in blocks(page, language):
        if (found.heading, found.number) == (heading, number):
            return found.code
    raise AssertionError(f"{page} has no block {number} of {language} below {heading!r}")


def pages() -> list[str]:
    """All pages for people: the README, docs, and what the clients say."""
    found = [ROOT / "README.md", *(ROOT / "docs").rglob("*.md"), *_client_pages()]
    return sorted(str(path.relative_to(ROOT)) for path in found)


def _client_pages() -> list[Path]:
    pages = (ROOT / "clients").rglob("README.md")
    return [page for page in pages if "node_modules" not in page.parts]


def _heading_before(text: str, position: int) -> str:
    """The last heading before it; a comment in a block of code is none."""
    prose = _FENCE.sub(lambda fence: " " * len(fence[0]), text[:position])
    found = _HEADING.findall(prose)
    return str(found[-1]).replace("`", "") if found else ""
