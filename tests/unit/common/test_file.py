import base64
import posixpath

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from common.domain.errors import BadRequest, TooLarge
from common.domain.file import (
    FILE_BYTES,
    PATH_BYTES,
    ROOT,
    ancestors_of,
    as_text,
    decoded,
    file_path,
    is_below,
    name_of,
    parent_of,
    shown,
)

segments = st.text(st.sampled_from("ab._é \x00/"), max_size=4)
any_paths = st.lists(segments, max_size=5).map("/".join) | st.text(max_size=20)


@given(any_paths)
@example("/")
@example("//")
@example("/a/")
@example("/a//")
@example("")
def test_a_path_that_is_taken_means_one_place(text: str) -> None:
    try:
        path = file_path(text)
    except BadRequest:
        return
    assert file_path(path) == path
    assert path == text.removesuffix("/") or path == text == ROOT
    assert posixpath.normpath(path) == path
    assert len(path.encode()) <= PATH_BYTES
    assert "\x00" not in path
    assert not path.startswith("/_")


@given(st.lists(st.text(st.sampled_from("ab.é-"), min_size=1, max_size=3), min_size=1, max_size=5))
def test_every_path_lies_below_what_is_above_it(names: list[str]) -> None:
    path = "/" + "/".join(names)
    above = ancestors_of(path)
    assert len(above) == len(names) - 1
    assert all(is_below(path, each) for each in (*above, ROOT))
    assert not is_below(path, path)
    assert name_of(path) == names[-1]
    assert parent_of(path) == (above[-1] if above else ROOT)


@pytest.mark.parametrize(
    "text",
    [
        *("a", "", "//", "/a//b", "/a/./b", "/a/../b", "/..", "/.", "/_x", "/_", "/a\x00b"),
        *("/\ud800", f"/{'x' * PATH_BYTES}", f"/{'é' * 512}"),
    ],
)
def test_bad_paths(text: str) -> None:
    with pytest.raises(BadRequest) as refused:
        file_path(text, field="src_path")
    assert refused.value.problems[0].field == "src_path"


def test_a_name_is_not_a_prefix() -> None:
    assert not is_below("/ab", "/a")
    assert is_below("/a/b", "/a")


@given(st.binary(max_size=100))
def test_whatever_is_stored_comes_back(content: bytes) -> None:
    text, encoding = shown(content)
    assert decoded(text, encoding) == content


def test_what_counts_as_text() -> None:
    assert as_text(b"") == ""
    assert as_text(b"\0a") is None
    assert as_text(b"\xff") is None
    assert as_text(b"a" * 8192 + b"\0") == "a" * 8192 + "\0"
    assert as_text(b"a" * 8191 + b"\0") is None


def test_a_file_that_is_too_large() -> None:
    assert len(decoded("x" * FILE_BYTES, "text")) == FILE_BYTES
    with pytest.raises(TooLarge):
        decoded(base64.b64encode(bytes(FILE_BYTES + 1)).decode(), "base64")
