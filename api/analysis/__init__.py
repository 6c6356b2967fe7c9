"""What can be noticed about an agent by reading it: deterministic rules, no model asked.

Pure, and linear in what it reads: each rule is a plain scan or an RE2 pattern.  A rule says
only what can be checked; it never changes or refuses anything.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Final

from api.analysis import prompt_rules, tool_rules
from api.analysis.finding import Draft, Finding

MAX_FINDINGS: Final = 200

_RULES: Final[tuple[Callable[[Draft], Iterator[Finding]], ...]] = (
    *prompt_rules.RULES,
    *tool_rules.RULES,
)


def analyze(draft: Draft) -> list[Finding]:
    """Everything noticed, in the order of the rules; at most `MAX_FINDINGS`."""
    found = (finding for rule in _RULES for finding in rule(draft))
    return [finding for finding, _ in zip(found, range(MAX_FINDINGS), strict=False)]
