"""Callers of an api that can store secrets, or has keys in its environment."""

from __future__ import annotations

import base64
from dataclasses import replace
from typing import Any

from api.app import create_app
from api.deps import Deps
from common.encryption import MasterKey, SecretBox
from tests.contract.api.client import Api

KEY = MasterKey("kek-test", bytes(range(32)))
KEY_TEXT = f"kek-test:{base64.b64encode(KEY.key).decode()}"


def keyed(deps: Deps, api: Api, **settings: Any) -> Api:
    """The same caller of an api with a master key, and other settings as given."""
    changed = replace(deps.settings, secrets_encryption_key=KEY, **settings)
    app = create_app(replace(deps, settings=changed, secrets=SecretBox(KEY)))
    return Api(app, api.headers, api._document)
