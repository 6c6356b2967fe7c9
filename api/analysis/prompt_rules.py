"""Rules about the system prompt alone."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Final

import re2

from api.analysis.finding import Draft, Finding, Location
from common.domain.credentials import find_credential

_FIELD: Final = "system_prompt"
_SHORT_CHARACTERS: Final = 20
# About four characters a token: beyond this, the prompt alone is a price on every call.
_LONG_CHARACTERS: Final = 32_000
_LONG_LINE_CHARACTERS: Final = 4_000
_SUBJECT_WORDS: Final = 3
_MOST_PAIRS: Final = 5

_PLACEHOLDER: Final = re2.compile(
    r"\{\{[^{}\n]{0,80}\}\}|\$\{[^{}\n]{1,80}\}|<[A-Z][A-Z_ ]{2,40}>|\b(?:TODO|FIXME|TBD|XXX)\b"
    r"|(?i)\blorem ipsum\b|\[(?:insert|your|fill in)[^\]\n]{0,60}\]"
)
_ORDER: Final = re2.compile(r"(?i)\b(always|never|do not|don't)\s+((?:[\w'-]+\s*){1,3})")
_HIDDEN: Final = re2.compile(
    r"[\x{200B}-\x{200F}\x{202A}-\x{202E}\x{2060}-\x{2064}\x{FEFF}\x{E0000}-\x{E007F}]"
)
_OVERRIDE: Final = re2.compile(
    r"(?i)\b(?:ignore|disregard|forget)\s+(?:all\s+|any\s+)?(?:the\s+)?(?:previous|prior|above)\s+"
    r"(?:instructions|rules|prompts?)\b"
)
_LANGUAGE: Final = re2.compile(
    r"(?i)\b(?:language|english|german|french|spanish|italian|portuguese|japanese|chinese|korean"
    r"|russian|arabic|hindi|dutch|polish|turkish|locale|translate)\b"
)
_UNSURE: Final = re2.compile(
    r"(?i)\b(?:don't know|do not know|not sure|unsure|uncertain|cannot|can't|unable|escalate|"
    r"ask (?:the user|for)|clarif)"
)


def check_empty(draft: Draft) -> Iterator[Finding]:
    """Nothing, or next to nothing, is said."""
    length = len(draft.system_prompt.strip())
    if length == 0:
        yield Finding(
            rule_id="prompt_empty",
            category="completeness",
            severity="warning",
            message="The system prompt is empty.",
            fix="Say who the agent is, what it is for, and how it should answer.",
            location=Location(_FIELD),
        )
    elif length < _SHORT_CHARACTERS:
        yield Finding(
            rule_id="prompt_very_short",
            category="completeness",
            severity="suggestion",
            message=f"The system prompt has only {length} characters.",
            fix="Say what the agent is for and how it should answer.",
            location=Location(_FIELD),
        )


def check_length(draft: Draft) -> Iterator[Finding]:
    """It is paid for with every call of the model."""
    length = len(draft.system_prompt)
    if length > _LONG_CHARACTERS:
        yield Finding(
            rule_id="prompt_very_long",
            category="cost",
            severity="warning",
            message=f"The system prompt has {length} characters, about {length // 4} tokens,"
            " which every call of the model sends.",
            fix="Move reference material into initial files that the agent reads when needed.",
            location=Location(_FIELD),
        )


def check_structure(draft: Draft) -> Iterator[Finding]:
    """One endless line is hard to follow, and to maintain."""
    start = 0
    for line in draft.system_prompt.split("\n"):
        if len(line) > _LONG_LINE_CHARACTERS:
            yield Finding(
                rule_id="prompt_wall_of_text",
                category="structure",
                severity="suggestion",
                message=f"A paragraph of the system prompt has {len(line)} characters.",
                fix="Break it up into headed sections or lists.",
                location=Location(_FIELD, start, start + len(line)),
            )
            return
        start += len(line) + 1


def check_placeholders(draft: Draft) -> Iterator[Finding]:
    """Text that somebody meant to fill in is sent to the model as it stands."""
    found = _PLACEHOLDER.search(draft.system_prompt)
    if found is not None:
        yield Finding(
            rule_id="prompt_placeholder",
            category="completeness",
            severity="warning",
            message="The system prompt has a placeholder; nothing fills it in.",
            fix="Replace it by what is meant.",
            location=Location(_FIELD, *found.span()),
        )


def check_contradictions(draft: Draft) -> Iterator[Finding]:
    """The same thing is both ordered and forbidden."""
    ordered: dict[str, bool] = {}
    reported = 0
    for found in _ORDER.finditer(draft.system_prompt):
        is_ordered = found.group(1).lower() == "always"
        subject = " ".join(found.group(2).lower().split()[:_SUBJECT_WORDS])
        if ordered.setdefault(subject, is_ordered) is not is_ordered and reported < _MOST_PAIRS:
            reported += 1
            yield Finding(
                rule_id="prompt_contradiction",
                category="effectiveness",
                severity="warning",
                message="The system prompt both orders and forbids the same thing.",
                fix="Keep one of the two, or say when each of them holds.",
                location=Location(_FIELD, *found.span()),
            )


def check_credentials(draft: Draft) -> Iterator[Finding]:
    """A prompt is stored, versioned, exported and sent to a provider."""
    found = find_credential(draft.system_prompt)
    if found is not None:
        yield Finding(
            rule_id="prompt_credential",
            category="safety",
            severity="warning",
            message="The system prompt seems to hold a credential.",
            fix="Take it out and revoke it; give it to sessions as a secret instead.",
            location=Location(_FIELD, *found),
        )


def check_hidden_text(draft: Draft) -> Iterator[Finding]:
    """Characters that people do not see and models do."""
    found = _HIDDEN.search(draft.system_prompt)
    if found is not None:
        yield Finding(
            rule_id="prompt_hidden_characters",
            category="safety",
            severity="warning",
            message="The system prompt has invisible characters.",
            fix="Remove them: they can carry instructions that nobody sees.",
            location=Location(_FIELD, *found.span()),
        )


def check_override(draft: Draft) -> Iterator[Finding]:
    """The phrase of an injected instruction, in the place of the real ones."""
    found = _OVERRIDE.search(draft.system_prompt)
    if found is not None:
        yield Finding(
            rule_id="prompt_override_phrase",
            category="safety",
            severity="info",
            message="The system prompt tells the model to ignore earlier instructions.",
            fix="Say directly what should hold.",
            location=Location(_FIELD, *found.span()),
        )


def check_language(draft: Draft) -> Iterator[Finding]:
    """The model will guess the language of its answers."""
    if draft.system_prompt.strip() and _LANGUAGE.search(draft.system_prompt) is None:
        yield Finding(
            rule_id="prompt_no_language",
            category="completeness",
            severity="info",
            message="The system prompt does not say in which language to answer.",
            fix="For example: answer in the language of the user.",
            location=Location(_FIELD),
        )


def check_uncertainty(draft: Draft) -> Iterator[Finding]:
    """What to do when it does not know is the most useful thing to say to a model."""
    is_judged = len(draft.system_prompt.strip()) >= _SHORT_CHARACTERS
    if is_judged and _UNSURE.search(draft.system_prompt) is None:
        yield Finding(
            rule_id="prompt_no_uncertainty",
            category="effectiveness",
            severity="suggestion",
            message="The system prompt does not say what to do when the agent does not know.",
            fix="For example: say so plainly, and ask for what is missing.",
            location=Location(_FIELD),
        )


RULES: Final[tuple[Callable[[Draft], Iterator[Finding]], ...]] = (
    check_empty,
    check_length,
    check_structure,
    check_placeholders,
    check_contradictions,
    check_credentials,
    check_hidden_text,
    check_override,
    check_language,
    check_uncertainty,
)
