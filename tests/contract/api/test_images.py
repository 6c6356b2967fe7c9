"""Images over HTTP: what is taken, what is refused, and how it comes back (contract 3.2, 8.6)."""

import io
from dataclasses import replace
from typing import IO, Any
from uuid import UUID

import pytest
from PIL import Image

from api.app import create_app
from api.deps import Deps
from common.blobs.store import BlobStore
from common.clock import new_id
from common.domain.errors import BlobsUnavailable
from common.domain.image import THUMBNAIL_SIDE
from common.images.workshop import Workshop
from common.storage.engine import Database
from tests.contract.api.client import Api, Document, Reply
from tests.contract.api.uploads import PNG, files, is_close, rows, upload, uploaded
from tests.corpus import Bad, Good, bad_files, good_files, noise_png, saved, two_halves

_GOOD, _BAD = good_files(), bad_files()


class _Away:
    """A store that cannot be reached."""

    def _fail(self, *_: object) -> Any:
        raise BlobsUnavailable("away")

    put = read = delete = older_than = _fail


class _NoThumbnails:
    """Takes all but thumbnails."""

    def __init__(self, blobs: BlobStore) -> None:
        self._blobs = blobs
        self.read, self.delete, self.older_than = blobs.read, blobs.delete, blobs.older_than

    def put(self, key: str, file: IO[bytes]) -> None:
        if key.endswith(".thumbnail"):
            raise BlobsUnavailable("no room")
        self._blobs.put(key, file)


def test_there_are_enough_files() -> None:
    assert len(_GOOD) + len(_BAD) >= 40


@pytest.mark.parametrize("good", _GOOD, ids=lambda each: each.name)
def test_a_good_file_comes_back_byte_for_byte_and_has_its_thumbnail(api: Api, good: Good) -> None:
    image = uploaded(api, good.data, name=good.name)
    assert image["filename"] == good.name
    assert image["content_type"] == good.media_type
    assert image["size_bytes"] == len(good.data)
    assert (image["width"], image["height"]) == good.size
    assert image["has_thumbnail"] is True
    assert api.get(f"/v1/images/{image['id']}/info").body == image

    whole = api.get(f"/v1/images/{image['id']}")
    assert whole.raw == good.data
    assert whole.headers["Content-Type"] == good.media_type
    _check_thumbnail(api.get(f"/v1/images/{image['id']}/thumbnail"), good)


def _check_thumbnail(reply: Reply, good: Good) -> None:
    assert reply.status == 200
    with Image.open(io.BytesIO(reply.raw)) as shown:
        assert reply.headers["Content-Type"] == f"image/{(shown.format or '').lower()}"
        assert "exif" not in shown.info
        assert "icc_profile" not in shown.info
        assert "comment" not in shown.info
        assert getattr(shown, "n_frames", 1) == 1
        longest = min(max(good.size), THUMBNAIL_SIDE)
        scale = longest / max(good.size)
        wanted = tuple(max(1, round(side * scale)) for side in good.size)
        assert max(shown.size) == longest, "as large as it may be, and not enlarged"
        assert all(abs(a - b) <= 1 for a, b in zip(shown.size, wanted, strict=True))
        plain = shown.convert("RGBA")
        last = (shown.width - 1, shown.height - 1)
        first_colour, last_colour = plain.getpixel((0, 0)), plain.getpixel(last)
    assert is_close(first_colour[:3], good.corners[0])  # type: ignore[index] # RGBA has four
    if good.is_see_through:
        assert last_colour[3] < 20  # type: ignore[index]
    else:
        assert is_close(last_colour[:3], good.corners[1])  # type: ignore[index]


@pytest.mark.parametrize("bad", _BAD, ids=lambda each: each.name)
def test_a_bad_file_is_refused_and_leaves_nothing_behind(
    api: Api, deps: Deps, database: Database, organization: UUID, bad: Bad
) -> None:
    before = files(deps)
    refused = upload(api, bad.data, name=bad.name)
    assert refused.status == bad.status, refused.text
    assert refused.body["errors"][0]["field"] == "file"
    assert files(deps) == before
    assert rows(database, organization) == 0
    assert api.get("/v1/images").body["total"] == 0


def test_a_picture_of_too_many_pixels_is_told_from_a_damaged_one(api: Api) -> None:
    bomb = next(bad for bad in _BAD if bad.name == "bomb.png")
    assert "pixels" in upload(api, bomb.data).body["error"]


# --- the form --------------------------------------------------------------------


def test_a_session_may_be_named_in_the_form_or_in_the_query(api: Api) -> None:
    session = api.session()
    by_form = uploaded(api, fields={"session_id": session["id"]})
    by_query = uploaded(api, path=f"/v1/images?session_id={session['id']}")
    both = upload(
        api, fields={"session_id": session["id"]}, path=f"/v1/images?session_id={session['id']}"
    )
    other = uploaded(api)
    assert [each["session_id"] for each in (by_form, by_query, both.body)] == [session["id"]] * 3
    assert other["session_id"] is None
    assert uploaded(api, fields={"session_id": ""})["session_id"] is None
    listed = api.get(f"/v1/images?session_id={session['id']}").body
    assert [each["id"] for each in listed["data"]] == [
        both.body["id"],
        by_query["id"],
        by_form["id"],
    ]
    assert listed["total"] == 3


def test_a_session_that_is_not_there_or_is_named_twice_is_refused(
    api: Api, stranger: Api, database: Database, organization: UUID
) -> None:
    session, theirs = api.session(), stranger.session()
    gone = api.session()
    api.delete(f"/v1/sessions/{gone['id']}")
    for unknown in (theirs["id"], gone["id"], str(new_id())):
        assert upload(api, fields={"session_id": unknown}).status == 404
    malformed = upload(api, fields={"session_id": "no id"})
    assert (malformed.status, malformed.body["errors"][0]["field"]) == (400, "session_id")
    contradiction = upload(
        api,
        fields={"session_id": session["id"]},
        path=f"/v1/images?session_id={api.session()['id']}",
    )
    assert contradiction.status == 400
    assert rows(database, organization) == 0


@pytest.mark.parametrize(
    ("body", "content_type"),
    [
        (b"{}", "application/json"),
        (b"", "multipart/form-data; boundary=x"),
        (b"", "multipart/form-data"),
        (b"--x\r\nrubbish", "multipart/form-data; boundary=x"),
        (
            b'--x\r\nContent-Disposition: form-data; name="other"; filename="a.png"\r\n\r\n'
            + PNG
            + b"\r\n--x--\r\n",
            "multipart/form-data; boundary=x",
        ),
        (
            b'--x\r\nContent-Disposition: form-data; name="file"\r\n\r\nwords\r\n--x--\r\n',
            "multipart/form-data; boundary=x",
        ),
        (PNG, "image/png"),
    ],
)
def test_what_is_no_form_with_a_file_is_refused(api: Api, body: bytes, content_type: str) -> None:
    refused = api.post("/v1/images", body, content_type=content_type)
    assert refused.status == 400, refused.text


def test_a_form_with_two_files_is_refused(api: Api, deps: Deps) -> None:
    before = files(deps)
    form = {"file": [(io.BytesIO(PNG), "a.png"), (io.BytesIO(PNG), "b.png")]}
    assert api.post("/v1/images", data=form, content_type="multipart/form-data").status == 400
    assert files(deps) == before


def test_a_file_that_is_too_large_is_refused_by_its_announced_and_by_its_real_size(
    api: Api, deps: Deps, document: Document
) -> None:
    before = files(deps)
    small = replace(deps, settings=replace(deps.settings, image_limit_bytes=1000))
    strict = Api(create_app(small), api.headers, document)
    assert upload(strict, noise_png(64)).status == 413, "in the middle"
    form = "multipart/form-data; boundary=x"
    announced = strict.post("/v1/images", bytes(3_000_000), content_type=form)
    assert announced.status == 413, "before anything was read"
    assert upload(strict, saved(two_halves(size=(9, 9)), "PNG")).status == 201
    assert len(files(deps)) == len(before) + 2


def test_while_the_store_is_away_nothing_is_taken_and_what_there_is_cannot_be_read(
    api: Api, deps: Deps, document: Document, database: Database, organization: UUID
) -> None:
    image = uploaded(api)
    away = Api(create_app(replace(deps, blobs=_Away())), api.headers, document)
    for refused in (upload(away, noise_png(9)), away.get(f"/v1/images/{image['id']}")):
        assert (refused.status, refused.body["code"]) == (503, "storage_unavailable")
    assert rows(database, organization) == 1
    assert away.delete(f"/v1/images/{image['id']}").status == 204, "the rest is collected later"
    assert api.get(f"/v1/images/{image['id']}").status == 404


def test_a_thumbnail_that_cannot_be_kept_does_not_fail_the_upload(
    api: Api, deps: Deps, document: Document
) -> None:
    half = Api(create_app(replace(deps, blobs=_NoThumbnails(deps.blobs))), api.headers, document)
    data = noise_png(10)
    image = uploaded(half, data)
    assert image["has_thumbnail"] is False
    assert api.get(f"/v1/images/{image['id']}/thumbnail").status == 404
    assert api.get(f"/v1/images/{image['id']}").raw == data


def test_when_all_children_are_busy_a_client_is_told_to_come_back(
    api: Api, deps: Deps, document: Document
) -> None:
    busy = _workshop()
    crowded = Api(create_app(replace(deps, workshop=busy)), api.headers, document)
    with busy.place():
        refused = upload(crowded, noise_png(11))
    assert (refused.status, refused.body["code"]) == (503, "overloaded")
    assert upload(crowded, noise_png(11)).status == 201


def _workshop(**other: float) -> Workshop:
    """One place, for which nobody waits."""
    most: dict[str, Any] = {"processes": 1, "waiting": 0, "cpu_seconds": 60, "max_pixels": 10**8}
    return Workshop(**{**most, "patience_seconds": 120, **other})


def test_a_machine_that_is_too_slow_is_no_fault_of_the_image(
    api: Api, deps: Deps, document: Document
) -> None:
    slow = replace(deps, workshop=_workshop(patience_seconds=0))
    refused = upload(Api(create_app(slow), api.headers, document), noise_png(12))
    assert (refused.status, refused.body["code"]) == (503, "overloaded")


def test_an_image_that_takes_too_long_is_refused(api: Api, deps: Deps, document: Document) -> None:
    once = saved(two_halves(size=(7000, 7000)), "JPEG", progressive=True)
    scan = once[once.rindex(b"\xff\xda") : -2]
    strict = replace(deps, workshop=_workshop(cpu_seconds=1))
    refused = upload(
        Api(create_app(strict), api.headers, document), once[:-2] + scan * 80 + once[-2:]
    )
    assert (refused.status, refused.body["error"]) == (422, "file: Takes too long to be read")


@pytest.mark.parametrize(
    ("given", "kept"),
    [
        ("../../etc/passwd", "passwd"),
        # In a form a backslash takes away what the next character means.
        ("C:\\\\Users\\\\me\\\\photo.png", "photo.png"),
        ("pho\u202egnp.exe", "phognp.exe"),
        ("  two\twords .png ", "twowords .png"),
        ('quo\\"te.png', 'quo"te.png'),
        ("日本語.png", "日本語.png"),
        ("..", "image.png"),
        ("x" * 400 + ".png", "x" * 251 + ".png"),
        ("x." + "y" * 400, "x." + "y" * 253),
        ("\U0001f468\u200d\U0001f4bb.png", "\U0001f468\u200d\U0001f4bb.png"),
        ("line\r\nbreak.png", "linebreak.png"),
    ],
)
def test_a_hostile_name_becomes_a_harmless_one(api: Api, given: str, kept: str) -> None:
    from werkzeug.datastructures import FileStorage  # noqa: PLC0415 - a name without escapes

    form = {"file": FileStorage(io.BytesIO(PNG), filename=given)}
    made = api.post("/v1/images", data=form, content_type="multipart/form-data")
    if made.status == 400:
        # A name that breaks the form is no name.
        assert "\n" in given
        return
    image = made.body
    assert image["filename"].strip()
    assert not set(image["filename"]) & set("/\\\r\n\u202e")
    disposition = api.get(f"/v1/images/{image['id']}").headers["Content-Disposition"]
    assert disposition.startswith("inline; filename=")
    assert "\n" not in disposition
    assert image["filename"] == kept
