"""Whatever comes as a form is a file with a bounded name and fields, or refused; nothing stays."""

import io
import tempfile
from pathlib import Path

from flask import Flask, request
from hypothesis import example, given
from hypothesis import strategies as st
from werkzeug.exceptions import HTTPException

from api.uploads import received
from common.domain.errors import DomainError
from tests.corpus import saved, two_halves
from tests.fuzzing import damaged, fuzzed

_PNG = saved(two_halves(size=(8, 8)), "PNG")
_LIMIT = 4096
_app = Flask(__name__)


def _form(*parts: bytes, end: bytes = b"--b--\r\n") -> bytes:
    return b"".join(b"--b\r\n" + part + b"\r\n" for part in parts) + end


def _file(name: bytes = b"a.png", field: bytes = b"file", data: bytes = _PNG) -> bytes:
    disposition = b'Content-Disposition: form-data; name="' + field + b'"; filename="' + name + b'"'
    return disposition + b"\r\nContent-Type: image/png\r\n\r\n" + data


_FIELD = b'Content-Disposition: form-data; name="session_id"\r\n\r\nsession_x'
_NAMELESS = b"Content-Disposition: form-data\r\n\r\nsession_x"
_FORMS = [
    _form(_file()),
    _form(_FIELD, _file()),
    _form(_file(), _file()),
    _form(_file(field=b"other")),
    _form(_file(name=b"../../etc/passwd\x00\xff")),
    _form(_file(data=_PNG * 200)),
    _form(*[_FIELD] * 30),
    _form(_file(), end=b""),
]
_TYPES = [
    "multipart/form-data; boundary=b",
    "multipart/form-data",
    "multipart/form-data; boundary=",
    'multipart/form-data; boundary="b"; boundary=c',
    "multipart/form-data; boundary=" + "b" * 300,
    "multipart/mixed; boundary=b",
    "text/plain",
]


@fuzzed(250)
@given(
    body=damaged(_FORMS) | st.binary(max_size=80),
    content_type=st.sampled_from(_TYPES[:1] * 6 + _TYPES) | st.text(max_size=20),
    length=st.none() | st.integers(0, 10_000),
)
@example(body=_FORMS[0], content_type=_TYPES[0], length=None)
@example(body=_form(_NAMELESS, _file()), content_type=_TYPES[0], length=None)
def test_any_form_is_a_file_or_refused(body: bytes, content_type: str, length: int | None) -> None:
    environ = {"CONTENT_TYPE": content_type, "wsgi.input": io.BytesIO(body)}
    if length is None:
        environ |= {"wsgi.input_terminated": True}  # as gunicorn says of chunks
    else:
        environ["CONTENT_LENGTH"] = str(length)
    with (
        tempfile.TemporaryDirectory() as place,
        _app.test_request_context("/", method="POST", environ_overrides=environ),
    ):
        try:
            with received(request, directory=Path(place), limit_bytes=_LIMIT) as upload:
                assert 0 < upload.size_bytes <= _LIMIT
                assert upload.media_type.startswith("image/")
                assert "/" not in upload.filename
                assert upload.filename
                assert len(upload.fields) <= 20
                read = upload.file.read()
                assert len(read) in (0, upload.size_bytes)
        except (DomainError, HTTPException):
            pass
        assert list(Path(place).iterdir()) == []
