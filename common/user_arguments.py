"""What `everturn users` takes; apart from what it does, which takes longer to import."""

from __future__ import annotations

import argparse
from typing import Final
from uuid import UUID

from common.domain.access import Role
from common.domain.errors import InvalidId
from common.domain.identity import USER_NAME_CHARACTERS, email_of
from common.domain.ids import DEFAULT_ORGANIZATION, Kind, parse_id

_EPILOG: Final = (
    "Exits with 0 when it was done, with 1 when it cannot be, with 2 when it could not be tried."
)


def add_to(parser: argparse.ArgumentParser) -> None:
    """Add what follows `everturn users`."""
    deeds = parser.add_subparsers(dest="deed", required=True)
    making = _deed(deeds, "create", "make an account; the password is read from input")
    making.add_argument("--name", type=_name, help="the address when left out")
    making.add_argument(
        "--operator",
        action="store_true",
        help="they may change what all organizations share",
    )
    joining = _deed(deeds, "join", "make a user a member, or a member another")
    for each in (making, joining):
        each.add_argument(
            "--organization",
            type=_organization,
            default=DEFAULT_ORGANIZATION,
            metavar="ID",
            help="the default one when left out",
        )
        each.add_argument(
            "--role",
            type=Role,
            choices=list(Role),
            help="when left out: owner if there is no member yet, else member",
        )
    listing = _deed(deeds, "list", "list the users")
    password = _deed(deeds, "password", "give a user another password, read from input")
    disabling = _deed(deeds, "disable", "let nobody in as this user")
    enabling = _deed(deeds, "enable", "let them in again")
    for each in (making, joining, password, disabling, enabling):
        each.add_argument("--email", type=_email, required=True, help="whose account it is")
    for each in (making, joining, listing, password, disabling, enabling):
        each.add_argument("--json", action="store_true", help="print JSON")


def _deed(
    deeds: argparse._SubParsersAction[argparse.ArgumentParser], name: str, summary: str
) -> argparse.ArgumentParser:
    return deeds.add_parser(name, help=summary, description=summary, epilog=_EPILOG)


def _email(text: str) -> str:
    try:
        return email_of(text)
    except ValueError as wrong:
        raise argparse.ArgumentTypeError(str(wrong)) from wrong


def _name(text: str) -> str:
    if not text.strip() or len(text) > USER_NAME_CHARACTERS:
        raise argparse.ArgumentTypeError(f"must have 1 to {USER_NAME_CHARACTERS} characters")
    return text


def _organization(text: str) -> UUID:
    try:
        return parse_id(Kind.ORGANIZATION, text)
    except InvalidId as malformed:
        raise argparse.ArgumentTypeError(malformed.message) from malformed
