"""A caller of the api whose every answer is held against the OpenAPI document."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

import orjson
from apiflask import APIFlask
from flask import request
from jsonschema import Draft202012Validator
from referencing import Registry, Resource
from referencing.jsonschema import DRAFT202012
from werkzeug.test import TestResponse

Json = dict[str, Any]


class Document:
    """The OpenAPI document as a judge of answers."""

    def __init__(self, document: Json) -> None:
        self.document = document
        resource: Resource[Any] = Resource.from_contents(
            document, default_specification=DRAFT202012
        )
        self._registry: Registry[Any] = Registry().with_resource("urn:api", resource)
        self._validators: dict[str, Draft202012Validator] = {}

    @classmethod
    def made(cls) -> Document:
        from api.print_openapi import printed  # noqa: PLC0415 - builds an application

        return cls(orjson.loads(printed()))

    def judge(self, rule: str, method: str, response: TestResponse) -> None:
        """Fail unless the status and the body are documented for the route."""
        path = rule.replace("<path:", "<").replace("<", "{").replace(">", "}")
        operation = self.document["paths"].get(path, {}).get(method.lower())
        if operation is None:
            return
        status = str(response.status_code)
        documented = operation["responses"]
        common = ("405", "413", "421", "500", "503")
        assert status in documented or status in common, (
            f"{method} {path} answered {status}, which is not documented: {response.text[:500]}"
        )
        content = documented.get(status, {}).get("content", {}).get("application/json")
        if content is not None:
            self._validator(content["schema"]).validate(response.json)

    def _validator(self, schema: Json) -> Draft202012Validator:
        name = json.dumps(schema)
        if name not in self._validators:
            absolute = json.loads(name.replace('"#/', '"urn:api#/'))
            self._validators[name] = Draft202012Validator(absolute, registry=self._registry)
        return self._validators[name]


@dataclass(frozen=True, slots=True)
class Reply:
    """An answer."""

    status: int
    body: Any
    headers: Any
    raw: bytes

    @property
    def text(self) -> str:
        return self.raw.decode()


class Api:
    """Sends requests as one caller."""

    def __init__(self, app: APIFlask, headers: dict[str, str], document: Document) -> None:
        self.app = app
        self.headers = headers
        self._document = document

    def with_headers(self, **headers: str) -> Api:
        given = {name.replace("_", "-"): value for name, value in headers.items()}
        return Api(self.app, {**self.headers, **given}, self._document)

    def send(self, method: str, path: str, body: object = None, **options: Any) -> Reply:
        headers = {**self.headers, **options.pop("headers", {})}
        if isinstance(body, bytes):
            options.setdefault("data", body)
            options.setdefault("content_type", "application/json")
        elif body is not None:
            options["data"] = json.dumps(body)
            options["content_type"] = "application/json"
        with self.app.test_client(use_cookies=False) as client:
            response = client.open(path, method=method, headers=headers, **options)
            raw = response.data
            rule = request.url_rule.rule if request.url_rule else ""
            self._document.judge(rule, method, response)
            response.close()
        is_json = response.mimetype == "application/json"
        reply = Reply(
            response.status_code,
            orjson.loads(raw) if is_json and raw else None,
            response.headers,
            raw,
        )
        if reply.status >= 400:
            check_envelope(reply)
        return reply

    def get(self, path: str, **options: Any) -> Reply:
        return self.send("GET", path, **options)

    def post(self, path: str, body: object = None, **options: Any) -> Reply:
        return self.send("POST", path, body, **options)

    def put(self, path: str, body: object = None, **options: Any) -> Reply:
        return self.send("PUT", path, body, **options)

    def patch(self, path: str, body: object = None, **options: Any) -> Reply:
        return self.send("PATCH", path, body, **options)

    def delete(self, path: str, **options: Any) -> Reply:
        return self.send("DELETE", path, **options)

    def agent(self, **fields: Any) -> Json:
        made = self.post("/v1/agents", {"name": "Assistant", "system_prompt": "Hi"} | fields)
        assert made.status in (200, 201), made.text
        agent: Json = made.body
        return agent

    def session(self, **fields: Any) -> Json:
        made = self.post("/v1/sessions", fields)
        assert made.status == 201, made.text
        session: Json = made.body
        return session

    def message(self, session_id: str, text: str = "Hello", **options: Any) -> Json:
        made = self.post(f"/v1/sessions/{session_id}/messages", saying(text), **options)
        assert made.status == 201, made.text
        message: Json = made.body
        return message


def saying(text: str) -> Json:
    return {"message": {"content": [{"type": "text", "text": text}]}}


def paths(api: Api, listing: str) -> list[str]:
    """The paths of a listing of files."""
    return [each["path"] for each in api.get(listing).body["data"]]


def check_envelope(reply: Reply) -> None:
    body = reply.body
    assert body["status"] == reply.status
    for name in ("error", "code", "message", "title", "detail"):
        assert isinstance(body[name], str), name
    assert body["error"] == body["message"]
    for problem in body.get("errors", []):
        assert set(problem) == {"field", "message"}
    if reply.status in (429, 503):
        assert reply.headers["Retry-After"] == str(body["retry_after_seconds"])
