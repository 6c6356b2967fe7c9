"""Other names of routes, older and newer ones.

`/llm-providers…` is `/providers…`, `/llm-models…` is `/models…`, and
`/auth/personal-access-tokens…` is `/auth/api-keys…`.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

from apiflask import APIBlueprint

from api.blueprints import access, models, providers

blueprint = APIBlueprint("old_names", __name__, url_prefix="/v1", enable_openapi=False)

_PROVIDER: Final = "/llm-providers/<provider_id>"
_MODEL: Final = "/llm-models/<model_id>"
_KEYS: Final = "/auth/personal-access-tokens"
_ROUTES: Final[tuple[tuple[str, str, Callable[..., Any]], ...]] = (
    ("GET", "/llm-providers", providers.list_providers),
    ("POST", "/llm-providers", providers.create_provider),
    ("GET", "/llm-providers/config", providers.show_provider_config),
    ("GET", _PROVIDER, providers.get_provider),
    ("PATCH", _PROVIDER, providers.update_provider),
    ("DELETE", _PROVIDER, providers.delete_provider),
    ("GET", f"{_PROVIDER}/models", providers.list_provider_models),
    ("POST", f"{_PROVIDER}/models", providers.add_provider_model),
    ("POST", f"{_PROVIDER}/sync-models", providers.sync_provider_models),
    ("GET", "/llm-models", models.list_models),
    ("GET", "/llm-models/config", models.show_model_policies),
    ("GET", _MODEL, models.get_model),
    ("PATCH", _MODEL, models.update_model),
    ("DELETE", _MODEL, models.delete_model),
    ("GET", _KEYS, access.list_api_keys),
    ("POST", _KEYS, access.create_api_key),
    ("DELETE", f"{_KEYS}/<key_id>", access.revoke_api_key),
)

for _method, _path, _view in _ROUTES:
    blueprint.add_url_rule(_path, _view.__name__, _view, methods=[_method])
