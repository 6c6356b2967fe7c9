import pytest
from hypothesis import given
from hypothesis import strategies as st

from common.domain.access import (
    ALL,
    EVERYTHING,
    NOTHING,
    Admission,
    Grants,
    InvalidKey,
    Scope,
    digest_of,
    is_grant,
    is_same,
    key_text,
    parse_digest,
    read_credential,
    shown_prefix,
)

_PATTERNS = [ALL, *Scope, "sessions:*", "agents:*", "*:read", "*:write", "*:use", "*:approve"]
GRANTS = st.lists(st.sampled_from(_PATTERNS), max_size=4).map(
    lambda names: Grants(tuple(str(name) for name in names))
)


@pytest.mark.parametrize(
    ("granted", "scope", "is_allowed"),
    [
        ("*", Scope.KEYS_WRITE, True),
        ("sessions:read", Scope.SESSIONS_READ, True),
        ("sessions:read", Scope.SESSIONS_WRITE, False),
        ("sessions:*", Scope.SESSIONS_APPROVE, True),
        ("sessions:*", Scope.AGENTS_READ, False),
        ("*:read", Scope.AGENTS_READ, True),
        ("*:read", Scope.AGENTS_WRITE, False),
        ("*:read", Scope.AUDIT_READ, False),
        ("audit:*", Scope.AUDIT_READ, True),
    ],
)
def test_a_pattern_grants_what_it_says(granted: str, scope: Scope, *, is_allowed: bool) -> None:
    assert is_grant(granted)
    assert Grants((granted,)).allow(scope) is is_allowed


@pytest.mark.parametrize("name", ["", "**", "*:*", "sessions", "sessions:", "pets:read", "*:eat"])
def test_what_names_no_scope_cannot_be_granted(name: str) -> None:
    assert not is_grant(name)


def test_nothing_grants_nothing_but_what_needs_no_grant() -> None:
    assert not any(NOTHING.allow(scope) for scope in Scope)
    assert all(EVERYTHING.allow(scope) for scope in Scope)
    assert all(NOTHING.allow(each) for each in Admission)


@given(mine=GRANTS, passed_on=GRANTS)
def test_what_is_passed_on_never_says_more(mine: Grants, passed_on: Grants) -> None:
    if mine.cover(passed_on):
        assert all(mine.allow(scope) for scope in Scope if passed_on.allow(scope))


def test_a_pattern_covers_scopes_to_come_and_so_needs_itself() -> None:
    every = Grants(tuple(scope.value for scope in Scope))
    assert not every.cover(EVERYTHING)
    assert not every.cover(Grants(("sessions:*",)))
    assert Grants(("sessions:*",)).cover(Grants(("sessions:*", "sessions:read")))


@pytest.mark.parametrize(
    ("header", "credential"),
    [
        ("Bearer evr_pat_1", "evr_pat_1"),
        ("bearer   evr_pat_1 ", "evr_pat_1"),
        ("ApiKey evr_pat_1", "evr_pat_1"),
        ("APIKEY\tevr_pat_1", "evr_pat_1"),
        ("evr_pat_1", "evr_pat_1"),
        ("bearerless", "bearerless"),
        ("Basic dTpw", "Basic dTpw"),
        ("Bearer", None),
        ("  ", None),
        (None, None),
    ],
)
def test_a_credential_comes_with_a_scheme_or_bare(
    header: str | None, credential: str | None
) -> None:
    assert read_credential(header) == credential


def test_a_key_has_its_form_and_shows_little_of_it() -> None:
    text = key_text(bytes(range(32)))
    assert text == "evr_pat_" + bytes(range(32)).hex()
    assert shown_prefix(text) == "evr_pat_00010203..."


def test_a_configured_key_is_its_text_or_its_digest() -> None:
    text = "k" * 32
    assert parse_digest(f" {text} ") == digest_of(text)
    assert parse_digest(f"sha256:{digest_of(text)}") == digest_of(text)
    for wrong in ("k" * 31, "k" * 5000, "sha256:abc"):
        with pytest.raises(InvalidKey):
            parse_digest(wrong)


def test_digests_are_compared_whole() -> None:
    one = digest_of("one")
    assert is_same(one, digest_of("one"))
    assert not is_same(one, digest_of("two"))
    assert not is_same(one, one[:-1])


def test_a_header_of_any_bytes_has_a_digest() -> None:
    assert digest_of("\udcff\x00ä") != digest_of("")
