"""JSON from callers: what is taken, and what is said about what is not."""

import json
from typing import Any

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from api.request_body import MAX_DEPTH, MAX_VALUES, field_path, read_json
from common.domain.errors import BadRequest

storable_text = st.text(
    st.characters(exclude_categories=["Cs"], exclude_characters="\x00"), max_size=20
)
json_values = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**63), 2**63 - 1)
    | st.floats(allow_nan=False, allow_infinity=False)
    | storable_text,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(storable_text, inner, max_size=4),
    max_leaves=20,
)


@given(json_values)
def test_what_can_be_kept_is_read_as_it_is(value: Any) -> None:
    read = read_json(json.dumps(value).encode())

    assert read == value
    assert orjson.loads(orjson.dumps(read)) == read


@given(
    st.binary(max_size=60) | st.text(max_size=60).map(lambda text: text.encode("utf-8", "replace"))
)
def test_anything_is_read_or_refused(body: bytes) -> None:
    try:
        read = read_json(body)
    except BadRequest:
        return
    orjson.dumps(read)


@given(
    st.recursive(
        st.sampled_from(["\x00", "\ud800", "x", 10**400, 2**64, -(2**63) - 1, 2**63, 1]),
        lambda inner: (
            st.lists(inner, max_size=3)
            | st.dictionaries(st.sampled_from(["a", "b c", "\x00", "\udfff"]), inner, max_size=3)
        ),
        max_leaves=10,
    )
)
def test_what_cannot_be_kept_never_gets_through(value: Any) -> None:
    text = json.dumps(value)
    bad = ["\\u0000", "\\ud800", "\\udfff", str(2**64), str(-(2**63) - 1), "0000000"]
    if not any(sign in text for sign in bad):
        assert read_json(text.encode()) == value
        return
    with pytest.raises(BadRequest) as refused:
        read_json(text.encode())
    assert refused.value.problems


@pytest.mark.parametrize(
    ("body", "field"),
    [
        (
            r'{"message": {"content": [{"type": "text", "text": "a\u0000b"}]}}',
            "message.content[0].text",
        ),
        (r'{"message": {"content": [{"text": "\ud800"}]}}', "message.content[0].text"),
        (r'{"a": [1, 18446744073709551616]}', "a[1]"),
        (r'{"a": {"b": 1e999}}', "a.b"),
        (r'{"a": -9223372036854775809}', "a"),
        ('{"a": ' + "9" * 5000 + "}", "a"),
        (r'{"with space": "\u0000"}', '["with space"]'),
        (r'{"a": {"\udc00": 1}}', r'a["\udc00"]'),
    ],
)
def test_the_offending_field_is_named(body: str, field: str) -> None:
    with pytest.raises(BadRequest) as refused:
        read_json(body.encode())

    assert [problem.field for problem in refused.value.problems] == [field]
    assert refused.value.message.startswith(field)


@pytest.mark.parametrize(
    "body",
    [
        b"{",
        b"nope",
        b'{"a": NaN}',
        b'{"a": Infinity}',
        b"\xff\xfe",
        b'{"a": "\x01"}',
        b'"\xed\xa0\x80"',
        b"[" * 100_000,
        b"[" * 100 + b"]" * 100,
        b'{"a":' * 100 + b"1" + b"}" * 100,
        b"[" + b"0," * (MAX_VALUES + 1) + b"0]",
        b"[" + b"[]," * MAX_VALUES + b"[]]",
    ],
    ids=lambda body: repr(body[:12]),
)
def test_what_is_no_json_of_ours_is_refused(body: bytes) -> None:
    with pytest.raises(BadRequest):
        read_json(body)


def test_an_empty_body_is_an_empty_object() -> None:
    assert read_json(b"") == read_json(b" \r\n") == read_json(b"\xef\xbb\xbf") == {}


def test_nesting_up_to_the_limit_is_read() -> None:
    read_json(b"[" * MAX_DEPTH + b"]" * MAX_DEPTH)


def test_brackets_and_commas_in_texts_do_not_count() -> None:
    text = '[{,"\\' * MAX_VALUES

    assert read_json(json.dumps([text]).encode()) == [text]


def test_long_digits_in_a_text_and_in_a_fraction_are_fine() -> None:
    body = '{"a": "12345678901234567890123", "b": 0.1234567890123456789012}'

    assert read_json(body.encode()) == json.loads(body)


def test_paths_are_written_as_people_do() -> None:
    assert field_path(("message", "content", 0, "text")) == "message.content[0].text"
    assert field_path(("a", "b c", "é")) == 'a["b c"]["\\u00e9"]'
    assert field_path(()) == ""
