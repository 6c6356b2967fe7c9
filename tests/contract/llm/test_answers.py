"""What every driver makes of an answer, the official libraries and real HTTP between."""

import base64

import pytest

from common.domain.turn import ToolCall
from tests.contract.llm.stage import ASKED, WEATHER, MockedProvider, Stage, hear
from worker.llm.driver import InlineImage, LinkedImage, ModelMessage

_POEM = "Roses are red, violets are blue, and streams come in pieces."
_TOKYO = ("get_weather", {"city": "Tokyo"})
_OSLO = ("get_weather", {"city": "Oslo, the capital of Norway"})


def test_text_comes_in_pieces_and_the_reply_at_the_end(stage: Stage) -> None:
    stage.says(_POEM)
    heard = hear(stage.endpoint, stage.request())
    assert heard.text == _POEM
    assert len(heard.texts) > 3
    assert heard.end.finish_reason == "stop"
    assert heard.end.model == "a-model"
    assert heard.end.response_id
    assert heard.end.tool_calls == ()
    assert heard.end.thinking == ()


def test_usage_counts_what_went_in_and_came_out(stage: Stage) -> None:
    stage.says(_POEM)
    short = hear(stage.endpoint, stage.request()).end.usage
    stage.says(_POEM)
    long = hear(stage.endpoint, stage.request(ModelMessage("user", "tell me " * 200))).end.usage
    assert 0 < short.input_tokens < long.input_tokens
    assert short.output_tokens == long.output_tokens > 5


def test_several_calls_come_in_one_answer_with_text_before_them(stage: Stage) -> None:
    stage.says("Let me look.", calls=[_TOKYO, _OSLO])
    heard = hear(stage.endpoint, stage.request(tools=(WEATHER,)))
    assert heard.text == "Let me look."
    assert heard.end.finish_reason == "tool_calls"
    assert [(call.name, call.arguments) for call in heard.end.tool_calls] == [_TOKYO, _OSLO]
    assert all(call.malformed is None for call in heard.end.tool_calls)
    assert len({call.id for call in heard.end.tool_calls} - {""}) == 2


def test_a_call_may_come_without_text_and_without_arguments(stage: Stage) -> None:
    stage.says("", calls=[("now", {})])
    heard = hear(stage.endpoint, stage.request(tools=(WEATHER,)))
    assert heard.texts == []
    assert [(call.name, call.arguments) for call in heard.end.tool_calls] == [("now", {})]


def test_an_answer_that_was_cut_says_so(stage: Stage) -> None:
    stage.says(_POEM, finish_reason="length")
    heard = hear(stage.endpoint, stage.request())
    assert (heard.text, heard.end.finish_reason) == (_POEM, "length")


@pytest.mark.parametrize("provider", ["openai_completions", "anthropic"], indirect=True)
def test_a_filtered_answer_is_a_refusal(provider: MockedProvider) -> None:
    provider.says("I must not", finish_reason="content_filter")
    assert hear(provider.endpoint, provider.request()).end.finish_reason == "refusal"


def test_arguments_that_are_no_json_are_kept_as_they_are(provider: MockedProvider) -> None:
    provider.does("tool_fault", kind="malformed_arguments")
    heard = hear(provider.endpoint, provider.request(tools=(WEATHER,)))
    (call,) = heard.end.tool_calls
    assert call.name == "get_weather"
    assert call.arguments == {}
    assert call.malformed
    assert '{"city": "mock-city"}'.startswith(call.malformed)


def test_a_whole_tool_turn_is_understood(provider: MockedProvider) -> None:
    first = hear(provider.endpoint, provider.request(tools=(WEATHER,)))
    (call,) = first.end.tool_calls
    asked = ModelMessage("assistant", "", tool_calls=(call,))
    result = ModelMessage("tool", "21 °C", tool_call_id=call.id)
    # The mock server answers in text only once it has found the result.
    second = hear(provider.endpoint, provider.request(ASKED, asked, result, tools=(WEATHER,)))
    assert second.end.finish_reason == "stop"
    assert second.text


def test_a_picture_arrives_byte_for_byte_and_before_the_text(provider: MockedProvider) -> None:
    picture = bytes(range(256)) * 3
    message = ModelMessage(
        "user",
        "What is this?",
        images=(InlineImage("image/png", picture), LinkedImage("https://example.com/a.png")),
    )
    provider.says("A picture.")
    assert hear(provider.endpoint, provider.request(message)).text == "A picture."
    body = provider.received()[-1]["body"]
    content = (body.get("messages") or body["input"])[-1]["content"]
    assert len(content) == 3
    assert content[2]["text"] == "What is this?"
    encoded = base64.b64encode(picture).decode()
    match provider.endpoint.provider_type:
        case "anthropic":
            source = {"type": "base64", "media_type": "image/png", "data": encoded}
            assert content[0]["source"] == source
            assert content[1]["source"] == {"type": "url", "url": "https://example.com/a.png"}
        case "openai":
            assert content[0]["image_url"] == f"data:image/png;base64,{encoded}"
            assert content[1]["image_url"] == "https://example.com/a.png"
        case _:
            assert content[0]["image_url"]["url"] == f"data:image/png;base64,{encoded}"
            assert content[1]["image_url"]["url"] == "https://example.com/a.png"


def test_one_request_is_made_whatever_comes_of_it(provider: MockedProvider) -> None:
    provider.does("fail", status=500, times=None)
    assert hear(provider.endpoint, provider.request()).fault.may_retry
    assert len(provider.received()) == 1


def test_what_was_asked_of_the_generation_arrives(provider: MockedProvider) -> None:
    provider.says("Yes.")
    request = provider.request(
        system_prompt="Be brief.",
        tools=(WEATHER,),
        max_tokens=77,
        temperature=0.25,
        parallel_tool_calls=False,
    )
    assert hear(provider.endpoint, request).end.finish_reason == "stop"
    body = provider.received()[-1]["body"]
    assert body["temperature"] == 0.25
    sizes = {"max_tokens", "max_completion_tokens", "max_output_tokens"} & body.keys()
    assert [body[name] for name in sizes] == [77]
    assert "Be brief." in str(body)
    assert "get_weather" in str(body["tools"])


def test_calls_and_results_of_earlier_steps_are_sent_in_their_order(
    provider: MockedProvider,
) -> None:
    calls = (ToolCall("call_1", "get_weather", {"city": "Tokyo"}), ToolCall("call_2", "now", {}))
    provider.says("Fine.")
    request = provider.request(
        ASKED,
        ModelMessage("assistant", "Let me look.", tool_calls=calls),
        ModelMessage("tool", "sunny", tool_call_id="call_1"),
        ModelMessage("tool", "no such tool", tool_call_id="call_2", is_error=True),
        ModelMessage("user", "And now?"),
    )
    assert hear(provider.endpoint, request).text == "Fine."
    sent = str(provider.received()[-1]["body"])
    words = ["in Oslo?", "Let me look.", "call_1", "call_2", "sunny", "no such tool", "And now?"]
    places = [sent.index(word) for word in words]
    assert places == sorted(places)
