"""The OpenAPI document: valid, as kept in docs/, complete; and the page that shows it."""

import re
from pathlib import Path

from apiflask import APIFlask
from openapi_spec_validator import OpenAPIV31SpecValidator

from api.blueprints.unbuilt import UNBUILT
from api.endpoint import contract_of
from api.print_openapi import printed
from tests.contract.api.client import Api, Document

ROOT = Path(__file__).resolve().parents[3]


def test_the_document_is_valid(document: Document) -> None:
    assert document.document["openapi"] == "3.1.0"
    OpenAPIV31SpecValidator(document.document).validate()


def test_the_document_is_the_one_in_docs() -> None:
    kept = (ROOT / "docs" / "openapi.json").read_bytes()

    assert kept == printed(), "run: python -m api.print_openapi > docs/openapi.json"


def test_the_document_is_served_at_both_addresses(api: Api, document: Document) -> None:
    for path in ("/openapi.json", "/api-doc/openapi.json"):
        assert api.get(path).body == document.document


def test_every_route_with_a_contract_is_documented(app: APIFlask, document: Document) -> None:
    hidden = ("unbuilt.", "nested_sessions.", "old_names.", "reference.")
    for rule in app.url_map.iter_rules():
        if rule.endpoint.startswith(hidden):
            continue
        assert contract_of(app.view_functions[rule.endpoint]) is not None, rule
        path = rule.rule.replace("<path:", "<").replace("<", "{").replace(">", "}")
        for method in (rule.methods or set()) - {"HEAD", "OPTIONS"}:
            operation = document.document["paths"][path][method.lower()]
            assert operation["summary"]
            assert operation["description"]


def test_every_field_that_is_checked_is_documented(document: Document) -> None:
    schemas = document.document["components"]["schemas"]

    assert schemas["NewMessage"]["required"] == ["message"]
    assert schemas["NewAgent"]["properties"]["capabilities"]["items"]["oneOf"]
    assert schemas["MessageBody"]["properties"]["content"]["oneOf"]
    parameters = document.document["paths"]["/v1/sessions/{session_id}/events"]["get"]["parameters"]
    names = {parameter["name"] for parameter in parameters}
    assert names >= {"session_id", "since_id", "exclude", "around", "order_desc", "X-Org-Id"}


def test_the_page_needs_nothing_from_elsewhere(api: Api) -> None:
    page = api.get("/docs")

    assert page.headers["Content-Type"] == "text/html; charset=utf-8"
    links = re.findall(r'(?:src|href)="([^"]+)"|url: "([^"]+)"', page.text)
    assert len(links) == 5
    for link in (one or other for one, other in links):
        assert link.startswith("/")
        found = api.get(link)
        assert found.status == 200
        assert found.raw
    assert api.get("/docs/index.html").status == 404
    assert api.get("/docs/..%2f..%2fetc%2fpasswd").status == 404


def test_what_is_not_built_says_so(api: Api) -> None:
    for routes in UNBUILT.values():
        for methods, path in routes:
            address = re.sub(r"<[^>]+>", "x", path)
            for method in methods.split():
                for prefix in ("/v1", "/api/v1"):
                    refused = api.send(method, prefix + address)
                    assert (refused.status, refused.body["code"]) == (501, "not_implemented")


def test_the_list_of_what_is_not_built_is_the_one_in_docs() -> None:
    text = (ROOT / "docs" / "compatibility.md").read_text()
    listed = set(re.findall(r"^- `([A-Z ]+) (/[^`]*)`$", text, re.MULTILINE))
    built = {
        (methods, re.sub(r"<(?:path:)?([^>]+)>", r"{\1}", path))
        for routes in UNBUILT.values()
        for methods, path in routes
    }

    assert listed == built


def test_content_parts_are_told_apart_by_their_type(document: Document) -> None:
    schemas = document.document["components"]["schemas"]
    names = [ref["$ref"].rpartition("/")[2] for ref in schemas["ContentPart"]["oneOf"]]

    assert {name: schemas[name]["properties"]["type"]["enum"] for name in names} == {
        "TextPart": ["text"],
        "ImagePart": ["image"],
        "ImageFilePart": ["image_file"],
    }
