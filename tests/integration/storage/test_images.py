"""Rows of images and of the bytes they share, also when several change them at once."""

from uuid import UUID

import pytest

from common.clock import new_id
from common.domain.ids import ANONYMOUS_PRINCIPAL, DEFAULT_ORGANIZATION
from common.domain.image import Picture
from common.storage import images
from common.storage.engine import Tx
from common.storage.purge import purge_deleted_session
from tests.integration.storage.conftest import Rows

_PICTURE = Picture("image/png", 3, 2, "image/png")


def _insert(tx: Tx, blob_id: UUID, *, session_id: UUID | None = None) -> UUID:
    image_id = new_id()
    images.insert(
        tx,
        DEFAULT_ORGANIZATION,
        image_id,
        blob_id,
        session_id=session_id,
        principal_id=ANONYMOUS_PRINCIPAL,
        filename="a.png",
    )
    return image_id


def _put(tx: Tx, digest: str) -> UUID:
    """The bytes' blob, as an upload that has put them names it."""
    return images.insert_blob(
        tx, DEFAULT_ORGANIZATION, new_id(), _PICTURE, digest=digest, size_bytes=9
    )


def _image(rows: Rows, digest: str, **fields: UUID) -> UUID:
    with rows.database.transaction() as tx:
        return _insert(tx, _put(tx, digest), **fields)


def _delete(rows: Rows, image_id: UUID) -> UUID | None:
    with rows.database.transaction() as tx:
        was_there, unused = images.delete(tx, DEFAULT_ORGANIZATION, image_id)
    assert was_there
    return unused


def test_equal_bytes_are_one_blob_until_the_last_image_is_gone(rows: Rows) -> None:
    first, second = _image(rows, "d1"), _image(rows, "d1")
    assert len(rows.all("SELECT 1 FROM image_blobs WHERE digest = 'd1'")) == 1
    assert _delete(rows, first) is None
    assert _delete(rows, second) is not None
    assert rows.all("SELECT 1 FROM image_blobs WHERE digest = 'd1'") == []


def test_an_image_outlives_its_session(rows: Rows) -> None:
    session_id = rows.session()
    image_id = _image(rows, "d2", session_id=session_id)
    rows.run("UPDATE sessions SET deleted_at = now() WHERE id = :id", id=session_id)
    with rows.database.transaction() as tx:
        assert purge_deleted_session(tx, limit=10)
    assert rows.all("SELECT 1 FROM sessions WHERE id = :id", id=session_id) == []
    with rows.database.reading() as tx:
        image = images.find(tx, DEFAULT_ORGANIZATION, image_id)
    assert image is not None
    assert image.session_id is None


@pytest.mark.parametrize("is_reused", [True, False])
def test_bytes_that_are_being_used_again_are_not_let_go(rows: Rows, *, is_reused: bool) -> None:
    digest = f"d3-{is_reused}"
    image_id = _image(rows, digest)
    with rows.database.transaction() as tx:
        held = images.hold_blob(tx, DEFAULT_ORGANIZATION, digest) if is_reused else _put(tx, digest)
        assert held is not None
        (deletion,) = rows.at_once(lambda: _delete(rows, image_id))
        rows.wait_for_blocked()
        _insert(tx, held)
    assert deletion.result(timeout=5) is None, "another image has them"
    assert len(rows.all("SELECT 1 FROM image_blobs WHERE digest = :d", d=digest)) == 1


def test_bytes_that_are_being_let_go_are_put_anew(rows: Rows) -> None:
    image_id = _image(rows, "d4")
    with rows.database.transaction() as tx:
        _, unused = images.delete(tx, DEFAULT_ORGANIZATION, image_id)
        (upload,) = rows.at_once(lambda: _image(rows, "d4"))
        rows.wait_for_blocked()
    assert unused is not None
    upload.result(timeout=5)
    (blob,) = rows.all("SELECT id FROM image_blobs WHERE digest = 'd4'")
    assert blob["id"] != unused, "under a key of its own"


def test_nobody_holds_bytes_that_were_let_go(rows: Rows) -> None:
    image_id = _image(rows, "d5")

    def hold() -> UUID | None:
        with rows.database.transaction() as tx:
            return images.hold_blob(tx, DEFAULT_ORGANIZATION, "d5")

    with rows.database.transaction() as tx:
        images.delete(tx, DEFAULT_ORGANIZATION, image_id)
        (held,) = rows.at_once(hold)
        rows.wait_for_blocked()
    assert held.result(timeout=5) is None


def test_a_page_of_many_images_costs_an_index(rows: Rows) -> None:
    rows.run(
        "INSERT INTO image_blobs (id, organization_id, digest, size_bytes, media_type, width,"
        " height) VALUES (gen_random_uuid(), :o, 'many', 1, 'image/png', 1, 1)",
        o=DEFAULT_ORGANIZATION,
    )
    rows.run(
        "INSERT INTO images (id, organization_id, blob_id, owner_principal_id, filename)"
        " SELECT gen_random_uuid(), :o, b.id, :p, 'a' FROM image_blobs b,"
        " generate_series(1, 5000) WHERE b.digest = 'many'",
        o=DEFAULT_ORGANIZATION,
        p=ANONYMOUS_PRINCIPAL,
    )
    rows.run("ANALYZE images")
    plan = rows.all(
        "EXPLAIN SELECT i.id FROM images i WHERE i.organization_id = :o"
        " ORDER BY i.created_at DESC, i.id DESC LIMIT 50",
        o=DEFAULT_ORGANIZATION,
    )
    assert "images_newest" in str(plan)
    with rows.database.reading() as tx:
        page, total = images.find_page(
            tx, DEFAULT_ORGANIZATION, session_id=None, offset=0, limit=50
        )
    assert len(page) == 50
    assert total >= 5000
