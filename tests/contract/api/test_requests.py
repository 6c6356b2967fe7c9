"""What every request gets: a log line without content (I10), and headers for browsers."""

import gzip
import re
from base64 import b64encode
from collections.abc import Iterator
from dataclasses import replace
from hashlib import sha256

import pytest
import structlog
from structlog.testing import LogCapture

from api.app import create_app
from api.deps import Deps
from common.settings import Settings
from tests.contract.api.client import Api, Document, saying
from tests.contract.api.uploads import uploaded

WORDS = "xyzzy-private-words"


@pytest.fixture
def logged() -> Iterator[LogCapture]:
    capture = LogCapture()
    before = structlog.get_config()
    structlog.configure(
        processors=[structlog.contextvars.merge_contextvars, capture],
        cache_logger_on_first_use=False,
    )
    yield capture
    structlog.configure(**before)


def test_no_log_line_holds_what_a_caller_wrote(api: Api, logged: LogCapture) -> None:
    agent = api.agent(name=WORDS, system_prompt=WORDS, description=WORDS)
    session = api.session(agent_id=agent["id"], title=WORDS)
    path = f"/v1/sessions/{session['id']}"
    api.with_headers(Authorization=WORDS).post(f"{path}/messages", saying(WORDS))
    api.post(f"{path}/messages", {"message": {"content": WORDS, "role": WORDS}})
    api.post(f"{path}/messages", f'{{"{WORDS}": }}'.encode())
    api.get(f"{path}/events?q={WORDS}&types={WORDS}")
    api.get(f"{path}/events?q={WORDS}")
    api.get(f"/v1/agents/{WORDS}")
    api.get(f"/v1/{WORDS}")

    lines = [entry for entry in logged.entries if entry["event"] == "request"]
    assert len(lines) == 9
    assert WORDS not in str(logged.entries)
    assert lines[-1]["route"] is None
    assert lines[2]["route"] == "/v1/sessions/<session_id>/messages"
    assert {"method", "status", "duration_ms", "request_id"} <= set(lines[2])


def test_a_fault_is_logged_by_its_kind_and_place(
    deps: Deps, document: Document, logged: LogCapture
) -> None:
    def fail() -> None:
        raise RuntimeError(WORDS)

    broken = replace(deps, new_id=fail)  # type: ignore[arg-type]  # it never returns
    api = Api(create_app(broken), {"X-Request-Id": "a"}, document)
    assert api.post("/v1/sessions", {}).status == 500

    (entry,) = [found for found in logged.entries if found["event"] == "request_failed"]
    assert entry["error"] == "RuntimeError"
    assert any("test_requests" in place for place in entry["at"])
    assert WORDS not in str(logged.entries)


@pytest.fixture
def browsed(deps: Deps, api: Api, document: Document) -> Api:
    settings = Settings.from_env(
        {
            "DATABASE_URL": deps.settings.database_url,
            "REDIS_URL": "redis://localhost:1",
            "CORS_ALLOWED_ORIGINS": "https://a.example,https://b.example",
        }
    )
    return Api(create_app(replace(deps, settings=settings)), api.headers, document)


def test_a_configured_origin_may_read_answers(browsed: Api) -> None:
    ours = browsed.with_headers(Origin="https://b.example")

    for path in ("/v1/agents", "/v1/nothing"):
        headers = ours.get(path).headers
        assert headers["Access-Control-Allow-Origin"] == "https://b.example"
        assert headers["Access-Control-Allow-Credentials"] == "true"
        assert headers["Vary"] == "Origin"
    preflight = ours.send("OPTIONS", "/v1/agents")
    assert preflight.status == 204
    assert "Idempotency-Key" in preflight.headers["Access-Control-Allow-Headers"]


def test_every_answer_tells_browsers_to_do_nothing_with_it(api: Api) -> None:
    answers = [
        api.get("/v1/agents"),
        api.get("/v1/nothing"),
        api.get("/health"),
        api.send("OPTIONS", "/v1/agents"),
        api.get("/openapi.json"),
        api.get("/docs"),
        api.get("/docs/swagger-ui.css"),
        api.get(f"/v1/images/{uploaded(api)['id']}"),
        api.post("/v1/sessions", b"{"),
    ]
    for answer in answers:
        assert answer.headers["X-Content-Type-Options"] == "nosniff"
        assert answer.headers["Referrer-Policy"] == "no-referrer"
        policy = answer.headers["Content-Security-Policy"]
        assert policy.startswith("default-src 'none'")
        assert "frame-ancestors 'none'" in policy or "sandbox" in policy
        assert "Strict-Transport-Security" not in answer.headers
        assert len(answer.headers.getlist("Content-Security-Policy")) == 1


def test_a_compressed_body_is_not_unpacked(api: Api) -> None:
    bomb = gzip.compress(b'{"name": "' + b"x" * 5_000_000 + b'"}')
    for coding in ("gzip", "identity"):
        refused = api.post("/v1/agents", bomb, headers={"Content-Encoding": coding})
        assert (refused.status, refused.body["code"]) == (400, "bad_request")


def test_what_is_somebodys_own_is_kept_nowhere(api: Api) -> None:
    session = api.session()
    for path in ("/v1/sessions", f"/v1/sessions/{session['id']}/events", "/v1/nothing"):
        assert api.get(path).headers["Cache-Control"] == "no-store"


def test_tls_is_demanded_of_browsers_only_when_told(deps: Deps, document: Document) -> None:
    settings = replace(deps.settings, hsts_seconds=600)
    told = Api(create_app(replace(deps, settings=settings)), {}, document)

    assert told.get("/health").headers["Strict-Transport-Security"] == "max-age=600"


def test_the_pages_own_script_is_the_one_that_its_policy_lets_run(api: Api) -> None:
    page = api.get("/docs")
    (script,) = re.findall(r"<script>(.*?)</script>", page.text, re.DOTALL)
    digest = b64encode(sha256(script.encode()).digest()).decode()

    (allowed,) = re.findall(r"script-src ([^;]*)", page.headers["Content-Security-Policy"])
    assert allowed == f"'self' 'sha256-{digest}'"


def test_other_origins_may_not(browsed: Api, api: Api) -> None:
    other = browsed.with_headers(Origin="https://evil.example").get("/v1/agents").headers
    unset = api.with_headers(Origin="https://a.example").get("/v1/agents").headers

    assert "Access-Control-Allow-Origin" not in other
    assert other["Vary"] == "Origin"
    assert "Access-Control-Allow-Origin" not in unset
    assert "Vary" not in unset
