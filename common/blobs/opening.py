"""Which backend the settings ask for."""

from __future__ import annotations

from pathlib import Path

from common.blobs.filesystem import FilesystemBlobs
from common.blobs.store import BlobStore
from common.settings import Settings


def open_blobs(settings: Settings) -> BlobStore:
    """The store that the settings name; nothing is reached yet.  Call it after any fork."""
    if settings.storage_blob_backend == "filesystem":
        return FilesystemBlobs(Path(settings.storage_directory) / "blobs")
    from common.blobs.s3 import Bucket, S3Blobs  # noqa: PLC0415 - the other backend needs none of it

    return S3Blobs(
        Bucket(
            name=settings.s3_bucket,
            region=settings.s3_region,
            endpoint_url=settings.s3_endpoint_url or None,
            access_key_id=settings.s3_access_key_id or None,
            secret_access_key=settings.s3_secret_access_key or None,
        )
    )
