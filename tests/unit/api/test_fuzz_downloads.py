"""Whatever a request's headers ask of a file, the answer is one of HTTP's and true to the bytes."""

import re

from flask import Flask, g, request
from hypothesis import example, given
from hypothesis import strategies as st

from api.downloads import file_response
from tests.fuzzing import fuzzed

_BYTES = bytes(range(200))
_ETAG = "abc"
_app = Flask(__name__)

_numbers = st.sampled_from(["0", "1", "199", "200", "201", "9" * 30, "-1", "", "x", "٣"])
_ranges = st.one_of(
    st.text(max_size=20),
    st.builds("bytes={}-{}".format, _numbers, _numbers),
    st.builds("bytes={}-{},{}-{}".format, _numbers, _numbers, _numbers, _numbers),
    st.builds("{}={}-{}".format, st.text(max_size=6), _numbers, _numbers),
)
_tags = st.one_of(
    st.text(max_size=12),
    st.sampled_from([f'"{_ETAG}"', f'W/"{_ETAG}"', "*", '"other"', f'"{_ETAG}", "x"', '"']),
)
_headers = st.fixed_dictionaries(
    {},
    optional={"Range": _ranges, "If-Match": _tags, "If-None-Match": _tags, "If-Range": _tags},
)


@fuzzed(150)
@given(headers=_headers, method=st.sampled_from(["GET", "HEAD"]))
@example(headers={"Range": "bytes=0-0"}, method="GET")
@example(headers={"Range": "bytes=-5"}, method="GET")
@example(headers={"Range": "bytes=" + "0-1," * 2000}, method="GET")
def test_any_condition_is_answered(headers: dict[str, str], method: str) -> None:
    environ = {f"HTTP_{name.upper().replace('-', '_')}": value for name, value in headers.items()}
    with _app.test_request_context("/", method=method, environ_overrides=environ):
        g.request_id = "x"
        response = file_response(
            request,
            lambda start, end: iter([_BYTES[start:end]]),
            size_bytes=len(_BYTES),
            etag=_ETAG,
            content_type="text/plain",
            name="a.txt",
        )
        body = response.get_data()

    assert response.status_code in (200, 206, 304, 412, 416)
    if method == "HEAD" or response.status_code >= 300:
        assert response.status_code >= 300 or body == b""
    elif response.status_code == 200:
        assert body == _BYTES
    else:
        found = re.fullmatch(r"bytes (\d+)-(\d+)/200", response.headers["Content-Range"])
        assert found is not None
        assert body == _BYTES[int(found[1]) : int(found[2]) + 1]
        assert len(body) == int(response.headers["Content-Length"]) > 0
