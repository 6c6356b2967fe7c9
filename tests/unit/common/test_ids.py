from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from common.domain.errors import InvalidId
from common.domain.ids import Kind, parse_id, show_id

_VALUE = UUID("01937abc-def0-7000-8000-00000000abcd")
_HEX = _VALUE.hex
_PREFIXES = {
    Kind.ORGANIZATION: "org_",
    Kind.AGENT: "agent_",
    Kind.AGENT_VERSION: "agentver_",
    Kind.HARNESS: "harness_",
    Kind.SESSION: "session_",
    Kind.MESSAGE: "message_",
    Kind.EVENT: "event_",
    Kind.TURN: "turn_",
    Kind.EXEC: "exec_",
    Kind.IMAGE: "img_",
    Kind.MODEL: "model_",
    Kind.PROVIDER: "provider_",
    Kind.WORKSPACE: "wsp_",
    Kind.MCP_SERVER: "mcp_",
    Kind.PARTICIPANT: "part_",
    Kind.WORKER: "worker_",
    Kind.TASK: "task_",
    Kind.DEAD_LETTER: "dlq_",
    Kind.API_KEY: "key_",
    Kind.WEBHOOK: "webhook_",
    Kind.WEBHOOK_DELIVERY: "whd_",
    Kind.USER: "user_",
    Kind.LOGIN: "login_",
    Kind.INVITATION: "invite_",
    Kind.AUDIT_ENTRY: "audit_",
}


def test_every_kind_is_listed_here() -> None:
    assert set(_PREFIXES) == set(Kind)


@pytest.mark.parametrize("kind", Kind)
@pytest.mark.parametrize("digits", [_HEX, str(_VALUE)], ids=["hex", "dashed"])
@pytest.mark.parametrize("has_prefix", [True, False])
def test_all_spellings_of_an_id_name_the_same_thing(
    kind: Kind, digits: str, *, has_prefix: bool
) -> None:
    spelling = (_PREFIXES[kind] if has_prefix else "") + digits
    for accepted in (spelling, spelling.upper(), spelling.title(), f"  {spelling}\n"):
        assert parse_id(kind, accepted) == _VALUE


@pytest.mark.parametrize("prefix", ["img_", "image_", "IMAGE_"])
def test_an_image_answers_to_both_its_prefixes(prefix: str) -> None:
    assert parse_id(Kind.IMAGE, prefix + _HEX) == _VALUE


def test_an_agent_may_bring_an_id_that_is_no_uuid_of_any_version() -> None:
    assert parse_id(Kind.AGENT, "agent_" + "f" * 32) == UUID(int=2**128 - 1)


@pytest.mark.parametrize(
    ("kind", "other"),
    [(kind, other) for kind in Kind for other in Kind if kind is not other],
)
def test_the_prefix_of_another_kind_is_refused(kind: Kind, other: Kind) -> None:
    with pytest.raises(InvalidId):
        parse_id(kind, _PREFIXES[other] + _HEX)


@pytest.mark.parametrize(
    "garbage",
    [
        "",
        "session_",
        "session",
        "stats",
        _HEX[:-1],
        _HEX + "0",
        "session_" + _HEX[:-1],
        "session_" + _HEX + "0",
        "session__" + _HEX,
        "sessionx_" + _HEX,
        "_" + _HEX,
        "session-" + _HEX,
        "session_session_" + _HEX,
        "g" * 32,
        "session_" + "g" * 32,
        "-" * 36,
        _HEX[:16] + " " + _HEX[16:],
        _HEX + "\x00",
        "{" + str(_VALUE) + "}",
        "urn:uuid:" + str(_VALUE),
        "\u0663" * 32,  # Arabic digits: `int` would take them
        "0x" + _HEX[2:],
        "\u017fession_" + _HEX,  # a long s, which ignoring case folds to an s
    ],
)
def test_anything_else_is_refused(garbage: str) -> None:
    with pytest.raises(InvalidId):
        parse_id(Kind.SESSION, garbage)


@given(st.text(max_size=60))
def test_no_text_does_worse_than_being_refused(text: str) -> None:
    try:
        parse_id(Kind.SESSION, text)
    except InvalidId as refused:
        # The answer goes back to the client: it quotes nothing of what was sent.
        assert refused.message.startswith("Not a valid session id")  # noqa: PT017


@given(kind=st.sampled_from(Kind), value=st.uuids())
def test_what_is_shown_is_read_back(kind: Kind, value: UUID) -> None:
    assert parse_id(kind, show_id(kind, value)) == value


@pytest.mark.parametrize("kind", Kind)
def test_messages_images_and_users_are_shown_bare_and_all_else_prefixed(kind: Kind) -> None:
    if kind in (Kind.MESSAGE, Kind.IMAGE, Kind.USER):
        assert show_id(kind, _VALUE) == str(_VALUE)
    else:
        assert show_id(kind, _VALUE) == _PREFIXES[kind] + _HEX
