import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from common.domain.masking import MASK, MOST_LEVELS, masked, without_in


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Incorrect key: sk-proj-abcdef_123-XYZ.", f"Incorrect key: {MASK}"),
        ("Incorrect key: sk-abc***…***xyz, sorry", f"Incorrect key: {MASK}, sorry"),
        ("sk-ant-api03-0123456789 is expired", f"{MASK} is expired"),
        ("key evr_0123456789abcdef was used", f"key {MASK} was used"),
        ("gsk_0123456789 AIza0123456789abcdefgh", f"{MASK} {MASK}"),
        ("Authorization: Bearer abc.def-ghi=", f"Authorization: Bearer {MASK}"),
        ("bearer 0123456789", f"bearer {MASK}"),
        ("Authorization: ApiKey a-key-of-theirs", f"Authorization: ApiKey {MASK}"),
        ("authorization='apikey 0123456789'", f"authorization='apikey {MASK}'"),
        ("Authorization: 0123456789", f"Authorization: {MASK}"),
        ("{'api_key': '0123456789', 'n': 1}", f"{{'api_key': '{MASK}', 'n': 1}}"),
        ("{'secret': '0123456789'}", f"{{'secret': '{MASK}'}}"),
        ("signed with whsec_AbC+/0123456789=", f"signed with {MASK}"),
        ('{"api_key": "0123456789"}', f'{{"api_key": "{MASK}"}}'),
        ("x-api-key=0123456789; next", f"x-api-key={MASK}; next"),
        ("token eyJhbGciOiJI.eyJzdWIi.c2ln end", f"token {MASK} end"),
        ("hf_abcdefghijklmnop is wrong", f"{MASK} is wrong"),
        ("nvapi-abcDEF_123-456 is wrong", f"{MASK} is wrong"),
        ("AKIAIOSFODNN7EXAMPLE is wrong", f"{MASK} is wrong"),
        ("ghp_abcdefghijklmnop1234 is wrong", f"{MASK} is wrong"),
        ("github_pat_11ABCDEFG_abcdef is wrong", f"{MASK} is wrong"),
        ("AIzaSyA-1234567_abc is wrong", f"{MASK} is wrong"),
        ("xai-0123456789abcdef is wrong", f"{MASK} is wrong"),
        ("at https://user:pass@host/v1", f"at https://{MASK}@host/v1"),
        ("at redis://:p@ss@host:6379, away", f"at redis://{MASK}@host:6379, away"),
        ("GET /v1?key=abc&n=1&token=d#x", f"GET /v1?key={MASK}&n=1&token={MASK}"),
        ("password=hunter2 failed", f"password={MASK} failed"),
        ("api_key=abcdefghi123 foo", f"api_key={MASK} foo"),
        ('{"token": "abcdefgh", "a": 1}', f'{{"token": "{MASK}", "a": 1}}'),
    ],
)
def test_what_is_shaped_like_a_key_is_masked(text: str, expected: str) -> None:
    assert masked(text) == expected


@pytest.mark.parametrize(
    "text",
    [
        "This model's maximum context length is 8192 tokens.",
        "a task-oriented, risk-averse answer in key-value pairs",
        "the bearer of bad news",
        "no apikey provided",
        "Rate limit reached for gpt-4o in organization org-1",
        "the api key is missing",
        "max_tokens=5 is too few, and tokens=7 too",
        "Unexpected token: } in JSON",
        "see https://docs.example/a@b and https://docs.example",
        "hf_x and AKIA are no keys",
        "a half-finished ghost_written key=value",
    ],
)
def test_ordinary_words_stay(text: str) -> None:
    assert masked(text) == text


def test_a_secret_is_masked_wherever_and_in_whatever_shape_it_comes() -> None:
    assert masked("a0b1c2d3 and (a0b1c2d3)", ["a0b1c2d3"]) == f"{MASK} and ({MASK})"
    # One secret may be the beginning of another.
    assert masked("secret-long-tail", ["secret", "secret-long-tail"]) == MASK


def test_a_secret_too_short_to_be_one_does_not_mask_words() -> None:
    assert masked("none of it", ["none", ""]) == "none of it"


@given(st.text(min_size=6, alphabet=st.characters(min_codepoint=33)), st.text(), st.text())
def test_no_secret_survives(secret: str, before: str, after: str) -> None:
    if secret not in MASK:
        assert secret not in masked(before + secret + after, [secret]).replace(MASK, " ")


@pytest.mark.parametrize(
    "piece", ["a://", "a.", "://", "token", "sk-", "eyJ", "key=", "bearer ", "?", '"token"']
)
def test_what_is_long_is_masked_in_little_time(piece: str) -> None:
    began = time.process_time()
    masked(piece * (65_536 // len(piece)))
    assert time.process_time() - began < 2


def test_json_is_masked_at_every_place() -> None:
    value = {"a0b1c2d3": ["x a0b1c2d3", 1, None], "deep": {"er": "a0b1c2d3"}, "sk-0123456789": "x"}

    assert without_in(value, ["a0b1c2d3"]) == {
        MASK: [f"x {MASK}", 1, None],
        "deep": {"er": MASK},
        "sk-0123456789": "x",
    }


def test_json_without_end_is_cut() -> None:
    value: object = "a0b1c2d3"
    for _ in range(MOST_LEVELS + 1):
        value = [value]

    assert "a0b1c2d3" not in str(without_in(value, []))
