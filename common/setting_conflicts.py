"""Which settings do not go together, each being right by itself."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

LOOPBACK: Final = ("127.0.0.1", "::1", "localhost")
_LEAST_ORPHAN_SECONDS: Final = 60


def contradictions(values: Mapping[str, Any]) -> list[str]:
    """What is wrong with settings that were read, by their names."""
    faults = []
    is_open = values["auth_mode"] == "none" and values["bind_host"] not in LOOPBACK
    if is_open and not values["auth_allow_open"]:
        faults.append(
            "AUTH_MODE=none lets everyone in, so BIND_HOST must be a loopback address,"
            " unless AUTH_ALLOW_OPEN=1 says otherwise"
        )
    faults += _faults_of_logins(values)
    if values["pubsub_url"] != values["live_text_url"]:
        faults.append(
            "PUBSUB_URL and LIVE_TEXT_URL must name one server: text is stored and published"
            " in one step"
        )
    current, previous = (values[f"secrets_encryption_key{which}"] for which in ("", "_previous"))
    if current and previous and current.name == previous.name and current.key != previous.key:
        faults.append(
            "SECRETS_ENCRYPTION_KEY and SECRETS_ENCRYPTION_KEY_PREVIOUS are different keys of"
            " one name: give the new key a new name"
        )
    if values["storage_blob_backend"] == "s3" and not values["s3_bucket"]:
        faults.append("STORAGE_BLOB_BACKEND=s3 needs S3_BUCKET")
    if values["blob_orphan_seconds"] < _LEAST_ORPHAN_SECONDS:
        faults.append(
            f"BLOB_ORPHAN_SECONDS must be at least {_LEAST_ORPHAN_SECONDS}: an upload that has"
            " just been put gets its name a moment later"
        )
    if values["renew_seconds"] * 2 > values["lease_seconds"]:
        faults.append("LEASE_SECONDS must be at least twice RENEW_SECONDS")
    return faults


def _faults_of_logins(values: Mapping[str, Any]) -> list[str]:
    faults = []
    if bool(values["auth_admin_email"]) != bool(values["auth_admin_password"]):
        faults.append("AUTH_ADMIN_EMAIL and AUTH_ADMIN_PASSWORD need one another")
    is_used = values["auth_mode"] == "full" or (
        values["auth_mode"] == "admin" and values["auth_admin_email"]
    )
    if is_used and not (values["auth_jwt_secret"] or values["secrets_encryption_key"]):
        faults.append(
            "users log in, so access tokens need AUTH_JWT_SECRET or SECRETS_ENCRYPTION_KEY"
        )
    return faults
