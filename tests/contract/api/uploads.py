"""Uploading images, and looking at what is left of them."""

import io
from pathlib import Path
from typing import Any
from uuid import UUID

from sqlalchemy import text
from werkzeug.datastructures import FileStorage
from werkzeug.test import encode_multipart

from api.deps import Deps
from common.storage.engine import Database
from tests.contract.api.client import Api, Reply
from tests.corpus import saved, two_halves

PNG = saved(two_halves(), "PNG")


def upload(api: Api, data: bytes = PNG, name: str = "photo.png", **options: Any) -> Reply:
    fields = options.pop("fields", {})
    # Encoded here: the client would put a large form into a file that it never closes.
    file = FileStorage(io.BytesIO(data), filename=name)
    boundary, body = encode_multipart({**fields, "file": file})
    return api.post(
        options.pop("path", "/v1/images"),
        body,
        content_type=f"multipart/form-data; boundary={boundary}",
        **options,
    )


def uploaded(api: Api, data: bytes = PNG, **options: Any) -> dict[str, Any]:
    made = upload(api, data, **options)
    assert made.status == 201, made.text
    image: dict[str, Any] = made.body
    return image


def files(deps: Deps) -> list[Path]:
    root = Path(deps.settings.storage_directory)
    return [path for path in root.rglob("*") if path.is_file()]


def rows(database: Database, organization: UUID) -> int:
    with database.reading() as tx:
        number: int = tx.execute(
            text("SELECT count(*) FROM images WHERE organization_id = :o"), {"o": organization}
        ).scalar_one()
    return number


def is_close(found: Any, wanted: tuple[int, ...]) -> bool:
    return all(abs(a - b) <= 14 for a, b in zip(found, wanted, strict=True))
