"""What a driver is played against: a mock provider server, or none for the simulated model."""

from __future__ import annotations

import threading
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Protocol

from tests import plain_http
from worker.llm.border import answer_of
from worker.llm.driver import (
    Endpoint,
    LLMDriver,
    LLMFailure,
    LLMRequest,
    ModelMessage,
    Reply,
    Stop,
    TextDelta,
    ThinkingDelta,
    ToolDeclaration,
)
from worker.llm.registry import driver_for

KEY = "sk-test-0123456789abcdef"
WEATHER = ToolDeclaration(
    "get_weather",
    "The weather in a city.",
    {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]},
)
ASKED = ModelMessage("user", "What is the weather in Tokyo and in Oslo?")
PATHS = {"openai": "/v1", "openai_completions": "/v1", "anthropic": "/anthropic"}
REMOTE = tuple(PATHS)

Call = tuple[str, Mapping[str, Any]]


@dataclass(slots=True)
class Heard:
    """All that came of one call."""

    texts: list[str] = field(default_factory=list)
    thoughts: list[str] = field(default_factory=list)
    reply: Reply | None = None
    failure: LLMFailure | None = None

    @property
    def text(self) -> str:
        return "".join(self.texts)

    @property
    def thinking(self) -> str:
        return "".join(self.thoughts)

    @property
    def end(self) -> Reply:
        assert self.failure is None, self.failure.detail
        assert self.reply is not None
        return self.reply

    @property
    def fault(self) -> LLMFailure:
        assert self.reply is None
        assert self.failure is not None
        return self.failure


class Stage(Protocol):
    """A provider that does as it is told, and the driver that speaks to it."""

    endpoint: Endpoint

    def says(
        self, text: str = "", *, calls: Sequence[Call] = (), finish_reason: str | None = None
    ) -> None:
        """What the next answer is."""
        ...

    def request(self, *messages: ModelMessage, **options: Any) -> LLMRequest: ...


def a_request(*messages: ModelMessage, **options: Any) -> LLMRequest:
    return LLMRequest(
        model=options.pop("model", "a-model"),
        system_prompt=options.pop("system_prompt", ""),
        messages=messages or (ASKED,),
        **options,
    )


def hear(endpoint: Endpoint, request: LLMRequest, *, stop: Stop | None = None) -> Heard:
    """Make the call and listen to its end."""
    driver: LLMDriver = driver_for(endpoint, allow_simulated=True)
    heard = Heard()
    try:
        for item in answer_of(driver, request, stop=stop or threading.Event()):
            assert heard.reply is None, "something came after the reply"
            match item:
                case TextDelta():
                    heard.texts.append(item.text)
                case ThinkingDelta():
                    heard.thoughts.append(item.text)
                case Reply():
                    heard.reply = item
    except LLMFailure as failure:
        heard.failure = failure
    return heard


class MockedProvider:
    """The mock server as one provider type sees it; told what to do over HTTP."""

    def __init__(self, url: str, provider_type: str) -> None:
        self._url = url
        self.endpoint = Endpoint(
            "provider_test", provider_type, base_url=url + PATHS[provider_type], api_key=KEY
        )
        self.reset()

    def reset(self) -> None:
        plain_http.post(f"{self._url}/_llmock/reset").raise_for_status()

    def does(self, kind: str, /, **behavior: Any) -> None:
        self.does_in_turn({"type": kind, **behavior})

    def does_in_turn(self, *behaviors: Mapping[str, Any]) -> None:
        """What becomes of the next requests, one each."""
        body = {"behaviors": list(behaviors)}
        plain_http.post(f"{self._url}/_llmock/scenario", json=body).raise_for_status()

    def says(
        self, text: str = "", *, calls: Sequence[Call] = (), finish_reason: str | None = None
    ) -> None:
        tool_calls = [{"name": name, "arguments": arguments} for name, arguments in calls]
        self.does("reply", text=text, tool_calls=tool_calls, finish_reason=finish_reason)

    def breaks_stream(self, kind: str, *, after_chunks: int, **more: Any) -> None:
        self.does("stream_fault", kind=kind, after_chunks=after_chunks, **more)

    def request(self, *messages: ModelMessage, **options: Any) -> LLMRequest:
        return a_request(*messages, **options)

    def with_settings(self, **settings: Any) -> Endpoint:
        return replace(self.endpoint, settings=settings)

    def received(self) -> list[dict[str, Any]]:
        """The requests it got, oldest first."""
        answer = plain_http.get(f"{self._url}/_llmock/requests").raise_for_status()
        requests: list[dict[str, Any]] = answer.json()["requests"]
        return requests


class SimulatedProvider:
    """The simulated model, told by the request's settings."""

    def __init__(self) -> None:
        self.endpoint = Endpoint("provider_test", "llmsim")
        self._settings: dict[str, Any] = {}

    def says(
        self, text: str = "", *, calls: Sequence[Call] = (), finish_reason: str | None = None
    ) -> None:
        tool_calls = [{"name": name, "arguments": arguments} for name, arguments in calls]
        turn = {"text": text, "tool_calls": tool_calls}
        self._settings = {"response": {"type": "scripted", "turns": [turn]}}
        if finish_reason is not None:
            self._settings["finish_reason"] = finish_reason

    def request(self, *messages: ModelMessage, **options: Any) -> LLMRequest:
        return a_request(*messages, settings=self._settings, **options)
