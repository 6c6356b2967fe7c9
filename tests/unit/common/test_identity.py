import pytest

from common.domain.access import GRANTS_OF, Admission, Grants, Role, Scope
from common.domain.identity import email_of, may_change, password_fault


@pytest.mark.parametrize(
    ("given", "kept"),
    [
        ("a@b", "a@b"),
        ("  Some.One+tag@Example.COM \n", "some.one+tag@example.com"),
        ("u\u0308@example.com", "\u00fc@example.com"),
    ],
)
def test_an_address_has_one_spelling(given: str, kept: str) -> None:
    assert email_of(given) == email_of(kept) == kept


@pytest.mark.parametrize(
    "given", ["", "@", "a@", "@b", "a b@c", "a@b@c", "a@b\x00", "a\n@b", "x" * 250 + "@b.cd"]
)
def test_what_is_no_address_is_refused(given: str) -> None:
    with pytest.raises(ValueError, match="email"):
        email_of(given)


@pytest.mark.parametrize(
    ("password", "is_good"),
    [("eleven 1 ch", False), ("twelve 1 chr", True), ("no digit here", False), ("1" * 12, True)],
)
def test_a_password_is_long_and_has_a_digit(password: str, *, is_good: bool) -> None:
    assert (password_fault(password) is None) is is_good


def test_every_role_reads_and_each_does_no_more_than_the_one_above() -> None:
    allowed = {role: {each for each in Scope if GRANTS_OF[role].allow(each)} for role in Role}

    assert set(allowed) == set(GRANTS_OF)
    assert allowed[Role.OWNER] == allowed[Role.ADMIN] == set(Scope)
    assert allowed[Role.MEMBER] < allowed[Role.ADMIN]
    assert allowed[Role.VIEWER] < allowed[Role.MEMBER]
    reading = {each for each in Scope if each.value.endswith(":read")}
    assert allowed[Role.VIEWER] == reading - {Scope.AUDIT_READ}
    beyond = allowed[Role.ADMIN] - allowed[Role.MEMBER]
    assert {each.value.partition(":")[0] for each in beyond} == {
        "audit",
        "mcp-servers",
        "members",
        "operations",
        "organizations",
        "providers",
        "webhooks",
    }


@pytest.mark.parametrize("acting", [Role.ADMIN, Role.MEMBER, Role.VIEWER])
def test_owners_and_the_operator_alone_make_and_unmake_owners(acting: Role) -> None:
    for member in (None, *Role):
        for wanted in (None, *Role):
            assert may_change(None, member, wanted)
            assert may_change(Role.OWNER, member, wanted)
            assert may_change(acting, member, wanted) is (Role.OWNER not in (member, wanted))


def test_what_is_granted_within_something_is_never_more() -> None:
    both = Grants(("*",), within=GRANTS_OF[Role.MEMBER])

    assert both.allow(Scope.AGENTS_WRITE)
    assert not both.allow(Scope.PROVIDERS_WRITE)
    assert both.allow(Admission.ANYONE)
    assert both.cover(Grants(("agents:*", "sessions:read")))
    assert not both.cover(Grants(("*",)))
    assert not Grants(("agents:read",), within=both).cover(Grants(("agents:*",)))
    assert "agents:write" in both.shown
    assert "providers:write" not in both.shown
    assert Grants(("sessions:*",)).shown == ["sessions:*"]
    assert Grants(("sessions:*",), within=GRANTS_OF[Role.OWNER]).shown == ["sessions:*"]
