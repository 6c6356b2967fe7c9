"""The WSGI application of the api process."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, Any, cast

from apiflask import APIFlask

from api import admission, audit, bootstrap, errors, openapi, requests
from api.blueprints import (
    access,
    agent_versions,
    agents,
    audit_log,
    capabilities,
    channels,
    diagnosis,
    durable,
    events,
    files,
    harnesses,
    health,
    images,
    logins,
    mcp_servers,
    messages,
    models,
    nested_sessions,
    old_names,
    organizations,
    providers,
    reference,
    session_storage,
    sessions,
    unbuilt,
    users,
    waiting,
    webhooks,
    workflows,
    workspaces,
)
from api.deps import Deps, install
from api.gate import open_gate
from api.throttle import Throttle

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment

_BLUEPRINTS = (
    access,
    agents,
    agent_versions,
    harnesses,
    channels,
    sessions,
    messages,
    models,
    old_names,
    providers,
    events,
    diagnosis,
    health,
    capabilities,
    mcp_servers,
    nested_sessions,
    reference,
    waiting,
    webhooks,
    workspaces,
    files,
    images,
    session_storage,
    durable,
    workflows,
    logins,
    organizations,
    users,
    audit_log,
    unbuilt,
)


class _Application(APIFlask):
    def ensure_sync(self, func: Callable[..., Any]) -> Callable[..., Any]:
        # Neither views nor hooks are coroutines; Flask looks at each of them in each request.
        return func


def create_app(deps: Deps | None = None) -> APIFlask:
    """Build the application; without dependencies it takes them from the environment."""
    built = bootstrap.build_from_environment() if deps is None else deps
    app = _Application(
        "api",
        title="everturn",
        version=openapi.VERSION,
        json_errors=False,
        spec_path=None,
        docs_path=None,
        static_folder=cast(str, None),
    )
    install(app.extensions, built)
    # Clients do not follow redirects (contract 1.7), so no route may answer with one.
    app.url_map.strict_slashes = False
    app.url_map.merge_slashes = False
    app.url_map.redirect_defaults = False
    openapi.configure(app)
    requests.observe(app)
    gate = open_gate(built.settings, built.database, built.redis)
    admission.guard(app, gate, Throttle(built.settings, built.rates))
    audit.record(app)
    errors.register(app)
    for module in _BLUEPRINTS:
        app.register_blueprint(module.blueprint)
    vars(app)["wsgi_app"] = _under_both_prefixes(app.wsgi_app)
    return app


def _under_both_prefixes(wsgi_app: WSGIApplication) -> WSGIApplication:
    """Serve `/api/v1` as `/v1`: one route table, one idempotency scope, one document."""

    def serve(environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[Any]:
        path = environ.get("PATH_INFO", "")
        if path == "/api/v1" or path.startswith("/api/v1/"):
            environ["PATH_INFO"] = path.removeprefix("/api")
            environ["SCRIPT_NAME"] = environ.get("SCRIPT_NAME", "") + "/api"
        return wsgi_app(environ, start_response)

    return serve
