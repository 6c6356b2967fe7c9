"""The API's documents: OpenAPI as JSON, and a page to read it in that needs no network."""

from __future__ import annotations

from base64 import b64encode
from hashlib import sha256
from pathlib import Path
from typing import Final, cast

import flask_swagger_ui
import orjson
from apiflask import APIBlueprint, APIFlask
from flask import Response, abort, current_app, send_from_directory

from api.endpoint import JSON_TYPE, needing
from api.openapi import document
from common.domain.access import Admission
from common.domain.browser import CONTENT_SECURITY, page_security

blueprint = APIBlueprint("reference", __name__, enable_openapi=False)

_FILES: Final = Path(flask_swagger_ui.__file__).parent / "dist"
_SERVED: Final = (
    "swagger-ui.css",
    "swagger-ui-bundle.js",
    "swagger-ui-standalone-preset.js",
    "favicon-32x32.png",
)
_CACHED: Final = "everturn_openapi"
_PAGE: Final = """<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>everturn API</title>
<link rel="icon" type="image/png" href="/docs/favicon-32x32.png">
<link rel="stylesheet" href="/docs/swagger-ui.css">
</head>
<body>
<div id="reference"></div>
<script src="/docs/swagger-ui-bundle.js"></script>
<script src="/docs/swagger-ui-standalone-preset.js"></script>
<script>{script}</script>
</body>
</html>
"""
_SCRIPT: Final = """
SwaggerUIBundle({
  url: "/openapi.json",
  dom_id: "#reference",
  deepLinking: true,
  validatorUrl: null,
  presets: [SwaggerUIBundle.presets.apis],
});
"""
_SECURITY: Final = page_security(f"sha256-{b64encode(sha256(_SCRIPT.encode()).digest()).decode()}")


@blueprint.get("/openapi.json")
@blueprint.get("/api-doc/openapi.json")
@needing(Admission.PUBLIC)
def openapi() -> Response:
    """The OpenAPI document; made once a process."""
    cached = current_app.extensions.get(_CACHED)
    if cached is None:
        cached = orjson.dumps(document(cast(APIFlask, current_app)))
        current_app.extensions[_CACHED] = cached
    return Response(cached, content_type=JSON_TYPE)


@blueprint.get("/docs")
@needing(Admission.PUBLIC)
def page() -> Response:
    """The reference page."""
    return Response(
        _PAGE.replace("{script}", _SCRIPT),
        headers={CONTENT_SECURITY: _SECURITY},
        content_type="text/html; charset=utf-8",
    )


@blueprint.get("/docs/<file>")
@needing(Admission.PUBLIC)
def page_file(file: str) -> Response:
    """A file of the page."""
    if file not in _SERVED:
        abort(404)
    response = send_from_directory(_FILES, file, max_age=3600)
    response.direct_passthrough = False
    return response
