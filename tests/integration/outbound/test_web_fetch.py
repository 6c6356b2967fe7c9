import json
import threading
import time
from typing import Any
from urllib.parse import quote

import orjson
import pytest

from common.domain.turn import ToolCall
from tests.integration.outbound.conftest import Site, context, fetched, refused, tool
from worker.capabilities.capability import ToolFailed, ToolOutcome, ToolSucceeded
from worker.capabilities.execution import ToolExecutor
from worker.capabilities.tool_result import RESULT_LIMIT_BYTES
from worker.capabilities.web_fetch import exchange, rendering


def test_text_comes_with_what_is_known_of_it(site: Site) -> None:
    assert fetched(f"{site.url}/text") == {
        "url": f"{site.url}/text",
        "status_code": 200,
        "content_type": "text/plain",
        "size": 5,
        "format": "raw",
        "last_modified": "Mon, 02 Mar 2026 10:00:00 GMT",
        "filename": "a.txt",
        "content": "hello",
    }


def test_a_page_as_markdown_text_or_raw(site: Site) -> None:
    markdown = fetched(f"{site.url}/page", as_markdown=True)
    text = fetched(f"{site.url}/page", as_text=True)
    raw = fetched(f"{site.url}/page")

    assert markdown["format"] == "markdown"
    assert markdown["content"].endswith("# Größe\n\nIt is **big**.")
    assert (text["format"], text["content"]) == ("text", "T\nGröße\nIt is\nbig\n.")
    assert (raw["format"], "<h1>" in raw["content"]) == ("raw", True)
    assert "evil" not in markdown["content"] + text["content"]


def test_head_has_no_content(site: Site) -> None:
    found = fetched(f"{site.url}/text", method="HEAD")

    assert "content" not in found
    assert (found["status_code"], found["size"]) == (200, 5)
    assert [method for method, *_ in site.seen] == ["HEAD"]


def test_a_status_of_failure_is_an_answer(site: Site) -> None:
    found = fetched(f"{site.url}/nothing")

    assert (found["status_code"], found["content"]) == (404, "no such page")


@pytest.mark.parametrize(
    ("path", "content"),
    [("latin", "Größe"), ("meta", "Größe"), ("odd-charset", "hello")],
)
def test_text_is_decoded_by_its_charset(site: Site, path: str, content: str) -> None:
    assert content in fetched(f"{site.url}/{path}")["content"]


@pytest.mark.parametrize("path", ["gzip", "deflate"])
def test_compressed_text_is_unpacked(site: Site, path: str) -> None:
    assert fetched(f"{site.url}/{path}")["content"] == "packed"


@pytest.mark.parametrize(("path", "size"), [("binary", 256), ("unnamed", 3)])
def test_binary_content_is_a_success_without_content(site: Site, path: str, size: int) -> None:
    found = fetched(f"{site.url}/{path}")

    assert "content" not in found
    assert (found["status_code"], found["size"]) == (200, size)
    assert "not text" in found["error"]


def test_a_huge_body_is_cut(site: Site) -> None:
    found = fetched(f"{site.url}/huge")

    assert found["truncated"] is True
    assert found["size"] == exchange.READ_BYTES
    shown, mark, _ = found["content"].partition("\n\n[Truncated")
    assert (set(shown), mark) == ({"x"}, "\n\n[Truncated")
    assert len(orjson.dumps(found)) == RESULT_LIMIT_BYTES


@pytest.mark.parametrize("sign", ["\0", "\1", '"', "\\", "\n", "é", "𝄞"])
def test_text_of_any_kind_keeps_the_result_s_shape_and_size(site: Site, sign: str) -> None:
    number = 70_000
    url = f"{site.url}/many?{quote(sign)}*{number}"
    executor = ToolExecutor({"web_fetch": tool()})
    outcome = executor.run(ToolCall("c", "web_fetch", {"url": url}), context()).outcome

    assert isinstance(outcome, ToolSucceeded)
    found = outcome.result
    assert (found["url"], found["status_code"], found["truncated"]) == (url, 200, True)
    assert found["content"].startswith(("\ufffd" if sign == "\0" else sign) * 1000)
    assert RESULT_LIMIT_BYTES - 8 < len(orjson.dumps(found)) <= RESULT_LIMIT_BYTES


def test_a_bomb_is_not_unpacked_whole(site: Site) -> None:
    found = fetched(f"{site.url}/bomb")

    assert found["truncated"] is True
    assert found["size"] == exchange.READ_BYTES


@pytest.mark.parametrize("path", ["brotli", "broken-gzip"])
def test_what_cannot_be_unpacked_is_a_failure(site: Site, path: str) -> None:
    assert "cannot be read" in refused(f"{site.url}/{path}")


def test_a_body_that_stops_is_shown_as_far_as_it_came(
    site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(exchange, "BODY_SECONDS", 1.0)

    found = fetched(f"{site.url}/slow")

    assert found["truncated"] is True
    assert found["content"].startswith("first part\n\n[Truncated")


def test_a_connection_that_breaks_keeps_what_came(site: Site) -> None:
    found = fetched(f"{site.url}/cut")

    assert found["truncated"] is True
    assert found["content"].startswith("first part\n\n[Truncated")


def test_a_server_that_says_nothing_is_not_waited_for(
    site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(exchange, "FIRST_BYTE_SECONDS", 0.5)

    assert "did not begin to answer within 0.5 s" in refused(f"{site.url}/silent")


@pytest.mark.parametrize("path", ["silent", "slow"])
def test_a_stopped_turn_stops_the_wait(site: Site, path: str) -> None:
    stopped = threading.Event()
    outcomes: list[ToolOutcome] = []

    def run() -> None:
        arguments = {"url": f"{site.url}/{path}"}
        outcomes.append(tool().run(arguments, context(is_stopped=stopped.is_set)))

    thread = threading.Thread(target=run)
    thread.start()
    assert site.began.wait(10)
    began = time.monotonic()
    stopped.set()
    thread.join(10)

    assert outcomes == [ToolFailed("The turn was stopped.")]
    assert time.monotonic() - began < exchange.FIRST_BYTE_SECONDS


def test_redirects_are_followed_up_to_five(site: Site) -> None:
    assert fetched(f"{site.url}/to?/to?/to?/to?/to?/text")["url"] == f"{site.url}/text"
    assert "more than 5 times" in refused(f"{site.url}/circle")
    assert site.paths().count("/circle") == 6


@pytest.mark.parametrize("place", ["//:80", "http://<xn--"])
def test_a_redirect_to_no_place_is_a_failure_of_the_tool(site: Site, place: str) -> None:
    assert refused(f"{site.url}/to?{place}").startswith("127.0.0.1 ")


def test_a_post_carries_its_body_and_the_calls_key(site: Site) -> None:
    def sent(**arguments: Any) -> Any:
        return json.loads(fetched(f"{site.url}/echo", method="POST", **arguments)["content"])

    text, value = sent(body="hello"), sent(json={"a": 1})

    assert (text["body"], text["headers"]["Content-Type"]) == (
        "hello",
        "text/plain; charset=utf-8",
    )
    assert (value["body"], value["headers"]["Content-Type"]) == ('{"a":1}', "application/json")
    assert text["headers"]["Idempotency-Key"] == "key-1"


def test_a_get_carries_no_key_and_takes_no_body(site: Site) -> None:
    sent = json.loads(fetched(f"{site.url}/echo")["content"])

    assert "Idempotency-Key" not in sent["headers"]
    assert refused(f"{site.url}/echo", body="x") == "Only POST takes body or json."
    assert "not both" in refused(f"{site.url}/echo", method="POST", body="x", json=1)


def test_a_posts_body_goes_to_no_other_host(site: Site, secret_site: Site) -> None:
    other = f"http://127.0.0.2:{secret_site.server_port}/echo"
    arguments = {"url": f"{site.url}/to-same-method?{other}", "method": "POST", "body": "x"}
    outcome = tool("127.0.0.0/8").run(arguments, context())

    assert isinstance(outcome, ToolFailed)
    assert "not sent the body" in outcome.message
    again = fetched(f"{site.url}/to-same-method?/echo", method="POST", body="x")
    assert json.loads(again["content"])["body"] == "x"
    as_get = tool("127.0.0.0/8").run({**arguments, "url": f"{site.url}/to?{other}"}, context())
    assert isinstance(as_get, ToolSucceeded)
    shown = json.loads(as_get.result["content"])
    assert (shown["method"], shown["body"]) == ("GET", "")
    assert "Idempotency-Key" not in shown["headers"]


def test_only_a_post_that_was_interrupted_is_not_made_again() -> None:
    reconcile = tool().reconcile
    assert reconcile is not None

    assert reconcile({"url": "http://a.example/"}, context()) is None
    assert reconcile({"url": "http://a.example/", "method": "HEAD"}, context()) is None
    assert isinstance(
        reconcile({"url": "http://a.example/", "method": "POST"}, context()), ToolFailed
    )


def test_a_page_that_takes_too_long_to_convert_is_shown_bare(
    site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(rendering, "CONVERT_SECONDS", 0.001)

    found = fetched(f"{site.url}/page", as_markdown=True)

    assert (found["format"], found["content"]) == ("text", "T\nGröße\nIt is\nbig\n.")


@pytest.mark.parametrize(
    "page",
    ["<div>" * 100_000, "<" * 500_000, "<a" * 200_000, "&" * 300_000, "<b><i>" * 50_000],
)
def test_a_hostile_page_costs_a_bounded_time(page: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rendering, "CONVERT_SECONDS", 1.0)
    began = time.monotonic()

    shown, kind = rendering.converted(page, to="markdown", seconds_left=30)

    assert kind in ("markdown", "text")
    assert isinstance(shown, str)
    assert time.monotonic() - began < rendering.CONVERT_SECONDS + 5
