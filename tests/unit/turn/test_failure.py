import pytest

from worker.llm.driver import FailureReason
from worker.turn.failure import GENERIC, Disclosure, disclosure_of, failure_data, visible_text
from worker.turn.machine import LLM_ERROR, MAX_ITERATIONS

_DETAIL = "HTTP 401 from api.example.org"


@pytest.mark.parametrize(
    ("wish", "mode"),
    [
        ("generic", "generic"),
        ("detailed", "detailed"),
        ("standard", "standard"),
        (None, "standard"),
        ("DETAILED", "standard"),
        ({"mode": "detailed"}, "standard"),
    ],
)
def test_a_message_chooses_how_much_it_wants_to_know(wish: object, mode: Disclosure) -> None:
    assert disclosure_of(wish) == mode


@pytest.mark.parametrize(
    ("wish", "most", "mode"),
    [
        ("detailed", "standard", "standard"),
        ("detailed", "generic", "generic"),
        ("standard", "generic", "generic"),
        (None, "generic", "generic"),
        ("generic", "standard", "generic"),
        ("detailed", "detailed", "detailed"),
    ],
)
def test_nobody_is_told_more_than_the_operator_allows(
    wish: object, most: Disclosure, mode: Disclosure
) -> None:
    assert disclosure_of(wish, most) == mode


@pytest.mark.parametrize(
    "reason", [each for each in FailureReason if each is not FailureReason.PROCESSING_ERROR]
)
def test_every_reason_has_words_of_its_own(reason: FailureReason) -> None:
    text = visible_text(LLM_ERROR, reason, "standard")
    assert text != GENERIC
    others = {visible_text(LLM_ERROR, other, "standard") for other in FailureReason} - {text}
    assert len(others) == len(FailureReason) - 1


@pytest.mark.parametrize("reason", [*FailureReason, "a_code_of_a_newer_version", None])
def test_generic_disclosure_tells_nothing(reason: str | None) -> None:
    assert visible_text(LLM_ERROR, reason, "generic") == GENERIC


@pytest.mark.parametrize("reason", [FailureReason.PROCESSING_ERROR, "a_newer_code", None])
def test_an_unknown_reason_has_the_neutral_sentence(reason: str | None) -> None:
    assert visible_text(LLM_ERROR, reason, "standard") == GENERIC


def test_the_limit_of_iterations_is_no_secret() -> None:
    texts = {
        visible_text(MAX_ITERATIONS, None, mode) for mode in ("generic", "standard", "detailed")
    }
    assert len(texts) == 1
    assert GENERIC not in texts


def test_the_provider_s_own_words_are_for_those_who_ask_for_detail() -> None:
    told = {
        mode: failure_data(LLM_ERROR, "provider_misconfigured", mode, detail=_DETAIL)
        for mode in ("generic", "standard", "detailed")
    }
    assert told["detailed"]["error"] == _DETAIL
    for mode in ("generic", "standard"):
        assert _DETAIL not in str(told[mode])


def test_detail_that_is_missing_leaves_the_standard_words() -> None:
    data = failure_data(LLM_ERROR, "model_unavailable", "detailed", detail=None)
    assert data["error"] == visible_text(LLM_ERROR, "model_unavailable", "standard")


def test_the_codes_are_coarse_and_fine() -> None:
    assert failure_data(LLM_ERROR, "model_unavailable", "standard", detail=None) == {
        "error": visible_text(LLM_ERROR, "model_unavailable", "standard"),
        "error_code": "llm_error",
        "error_disclosure": "standard",
        "error_fields": {"reason": "model_unavailable"},
    }
    limit = failure_data(MAX_ITERATIONS, None, "standard", detail=None)
    assert (limit["error_code"], "error_fields" in limit) == ("max_iterations", False)
