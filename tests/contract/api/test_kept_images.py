"""Images once they are kept: downloads, lists, shared bytes, repeats, messages."""

import io
from typing import Any
from uuid import UUID

import pytest
from apiflask import APIFlask
from PIL import Image

from api.deps import Deps
from common.clock import new_id
from common.storage.engine import Database
from tests.contract.api.client import Api
from tests.contract.api.uploads import PNG, files, is_close, rows, upload, uploaded
from tests.corpus import RED, noise_png, saved

# --- downloads -------------------------------------------------------------------


def test_a_download_is_safe_to_show(api: Api) -> None:
    headers = api.get(f"/v1/images/{uploaded(api)['id']}").headers
    assert headers["X-Content-Type-Options"] == "nosniff"
    assert headers["Content-Disposition"].startswith('inline; filename="photo.png"')
    assert "sandbox" in headers["Content-Security-Policy"]
    assert headers["Cache-Control"] == "private, no-cache"


def test_what_has_not_changed_is_not_sent_again(api: Api) -> None:
    path = f"/v1/images/{uploaded(api)['id']}"
    for each in (path, f"{path}/thumbnail"):
        etag = api.get(each).headers["ETag"]
        for condition in (etag, "*", f'"other", {etag}', f"W/{etag}"):
            unchanged = api.get(each, headers={"If-None-Match": condition})
            assert (unchanged.status, unchanged.raw) == (304, b"")
            assert unchanged.headers["ETag"] == etag
        assert api.get(each, headers={"If-None-Match": '"other"'}).status == 200


@pytest.mark.parametrize(
    ("wanted", "start", "end"),
    [
        ("bytes=0-9", 0, 10),
        ("bytes=100-", 100, None),
        ("bytes=-7", -7, None),
        ("bytes=5-5", 5, 6),
        ("bytes=-99999", 0, None),
    ],
)
def test_a_part_can_be_asked_for(api: Api, wanted: str, start: int, end: int | None) -> None:
    path = f"/v1/images/{uploaded(api)['id']}"
    part = api.get(path, headers={"Range": wanted})
    assert (part.status, part.raw) == (206, PNG[start:end])
    first = start % len(PNG)
    last = (len(PNG) if end is None else end) - 1
    assert part.headers["Content-Range"] == f"bytes {first}-{last}/{len(PNG)}"
    assert part.headers["Content-Length"] == str(len(part.raw))


def test_a_part_that_there_is_not_is_416_and_a_part_of_another_version_is_the_whole(
    api: Api,
) -> None:
    path = f"/v1/images/{uploaded(api)['id']}"
    etag = api.get(path).headers["ETag"]
    beyond = api.get(path, headers={"Range": f"bytes={len(PNG)}-"})
    assert (beyond.status, beyond.headers["Content-Range"]) == (416, f"bytes */{len(PNG)}")
    none = api.get(path, headers={"If-Match": '"other"'})
    assert (none.status, none.body["code"]) == (412, "precondition_failed")
    for condition in (etag, "*"):
        assert api.get(path, headers={"If-Match": condition}).raw == PNG
    same = api.get(path, headers={"Range": "bytes=0-9", "If-Range": etag})
    assert same.status == 206
    for ignored in (
        {"Range": "bytes=0-9", "If-Range": '"other"'},
        {"Range": "bytes=0-9,20-29"},
        {"Range": "lines=1-2"},
        {"Range": "bytes=rubbish"},
    ):
        whole = api.get(path, headers=ignored)
        assert (whole.status, whole.raw) == (200, PNG)


def test_head_tells_all_but_the_bytes(api: Api) -> None:
    path = f"/v1/images/{uploaded(api)['id']}"
    told = api.send("HEAD", path, headers={"Range": "bytes=0-9"})
    assert (told.status, told.raw) == (200, b"")
    assert told.headers["Content-Length"] == str(len(PNG))


# --- lists -----------------------------------------------------------------------


def test_images_are_listed_in_pages_newest_first(api: Api) -> None:
    made = [uploaded(api, name=f"{number}.png")["id"] for number in range(5)]
    whole = api.get("/v1/images").body
    assert [each["id"] for each in whole["data"]] == made[::-1]
    assert (whole["total"], whole["offset"], whole["limit"]) == (5, 0, 50)
    page = api.get("/v1/images?offset=1&limit=2").body
    assert [each["id"] for each in page["data"]] == made[::-1][1:3]
    assert (page["total"], page["offset"], page["limit"]) == (5, 1, 2)
    assert api.get("/v1/images?limit=1000").body["limit"] == 100
    assert api.get("/v1/images?limit=0").status == 400
    assert api.get(f"/v1/images?session_id={new_id()}").body["total"] == 0


# --- bytes that are kept once ----------------------------------------------------


def test_the_same_bytes_are_kept_once_an_organization(api: Api, stranger: Api, deps: Deps) -> None:
    data = noise_png(40)
    before = len(files(deps))
    first = uploaded(api, data, name="a.png")
    second = uploaded(api, data, name="b.png")
    assert len(files(deps)) == before + 2, "the image and its thumbnail"
    assert first["id"] != second["id"]
    assert (first["filename"], second["filename"]) == ("a.png", "b.png")
    theirs = uploaded(stranger, data)
    assert len(files(deps)) == before + 4, "another organization's are its own"

    assert api.delete(f"/v1/images/{first['id']}").status == 204
    assert api.get(f"/v1/images/{second['id']}").raw == data
    assert api.delete(f"/v1/images/{second['id']}").status == 204
    assert len(files(deps)) == before + 2
    assert stranger.get(f"/v1/images/{theirs['id']}").raw == data


def test_a_deleted_image_is_gone(api: Api) -> None:
    path = f"/v1/images/{uploaded(api)['id']}"
    assert api.delete(path).status == 204
    for gone in (path, f"{path}/info", f"{path}/thumbnail"):
        assert api.get(gone).status == 404
    assert api.delete(path).status == 404
    # And may come again.
    assert api.get(f"/v1/images/{uploaded(api)['id']}").raw == PNG


def test_ids_come_in_every_spelling(api: Api) -> None:
    shown = uploaded(api)["id"]
    digits = shown.replace("-", "")
    for spelling in (shown, digits, f"img_{digits}", f"image_{digits}", f"IMG_{shown.upper()}"):
        assert api.get(f"/v1/images/{spelling}/info").body["id"] == shown
    assert api.get(f"/v1/images/session_{digits}").status == 400


# --- again -----------------------------------------------------------------------


def test_a_repeat_with_the_same_key_answers_as_the_first_did(
    api: Api, database: Database, organization: UUID
) -> None:
    key = {"Idempotency-Key": "upload-1"}
    first = upload(api, headers=key)
    again = upload(api, headers=key)
    assert (again.status, again.body) == (201, first.body)
    assert rows(database, organization) == 1
    other = upload(api, noise_png(8), headers=key)
    assert (other.status, other.body["code"]) == (422, "idempotency_key_reused")
    renamed = upload(api, name="other.png", headers=key)
    assert renamed.status == 422


def test_a_refused_upload_leaves_its_key_free(api: Api) -> None:
    key = {"Idempotency-Key": "upload-2"}
    assert upload(api, PNG[:-20], headers=key).status == 422
    assert upload(api, headers=key).status == 201


# --- in messages -----------------------------------------------------------------


def _showing(image_id: str) -> dict[str, Any]:
    parts = [
        {"type": "text", "text": "What is this?"},
        {"type": "image_file", "image_id": image_id, "filename": "photo.png"},
    ]
    return {"message": {"content": parts}}


def test_a_message_may_show_an_image(api: Api) -> None:
    image, session = uploaded(api), api.session()
    path = f"/v1/sessions/{session['id']}/messages"
    sent = api.post(path, _showing(f"img_{image['id'].replace('-', '')}"))
    assert sent.status == 201
    assert sent.body["content"][1] == {
        "type": "image_file",
        "image_id": image["id"],
        "filename": "photo.png",
    }
    api.delete(f"/v1/images/{image['id']}")
    assert api.get(path).body["data"][0]["content"] == sent.body["content"]


def test_a_message_cannot_show_what_is_not_there(api: Api, stranger: Api) -> None:
    session = api.session()
    path = f"/v1/sessions/{session['id']}/messages"
    theirs, gone = uploaded(stranger)["id"], uploaded(api)["id"]
    api.delete(f"/v1/images/{gone}")
    for unknown in (theirs, gone, str(new_id()), "photo"):
        refused = api.post(path, _showing(unknown))
        assert refused.status == 422
        assert refused.body["errors"] == [
            {"field": "message.content[1].image_id", "message": "Is no known image"}
        ]
    assert api.get(path).body["total"] == 0


def test_a_red_pixel_is_red(api: Api) -> None:
    """The corpus is judged by its corners; this one by all of it."""
    image = uploaded(api, saved(Image.new("RGB", (20, 20), RED), "PNG"))
    shown = api.get(f"/v1/images/{image['id']}/thumbnail")
    with Image.open(io.BytesIO(shown.raw)) as opened:
        colours = opened.convert("RGB").getcolors()
    assert colours is not None
    assert all(is_close(colour, RED) for _, colour in colours)


def test_every_route_of_images_is_built(app: APIFlask) -> None:
    rules = {rule.rule for rule in app.url_map.iter_rules() if "images" in rule.rule}
    assert rules == {
        "/v1/images",
        "/v1/images/<image_id>",
        "/v1/images/<image_id>/info",
        "/v1/images/<image_id>/thumbnail",
    }
