"""What `everturn keys` takes; apart from what it does, which takes longer to import."""

from __future__ import annotations

import argparse
from datetime import timedelta
from typing import Final
from uuid import UUID

from common.domain.access import LONGEST_DAYS, NAME_CHARACTERS, is_grant
from common.domain.agent import AgentRef, agent_ref
from common.domain.errors import InvalidId
from common.domain.ids import DEFAULT_ORGANIZATION, Kind, parse_id

_EPILOG: Final = (
    "Exits with 0 when it was done, with 1 when there is nothing to do it to, with 2 when it could"
    " not be done."
)


def add_to(parser: argparse.ArgumentParser) -> None:
    """Add what follows `everturn keys`."""
    deeds = parser.add_subparsers(dest="deed", required=True)
    making = _deed(deeds, "create", "make a key; its text is printed this once")
    making.add_argument("--name", required=True, type=_name, help="for people to know it by")
    making.add_argument(
        "--organization",
        type=_organization,
        default=DEFAULT_ORGANIZATION,
        metavar="ID",
        help="where it can be used; the default one when left out",
    )
    granted = making.add_mutually_exclusive_group()
    granted.add_argument(
        "--agent",
        type=_agent,
        metavar="AGENT",
        help="id or name of the only agent whose sessions it is for",
    )
    granted.add_argument(
        "--scope",
        action="append",
        type=_scope,
        metavar="SCOPE",
        help="what it grants, such as sessions:read; repeat for more; everything when left out",
    )
    making.add_argument("--expires-in-days", type=_days, metavar="DAYS", help="never when left out")
    listing = _deed(deeds, "list", "list the keys that are not revoked")
    revoking = _deed(deeds, "revoke", "let a key open nothing any more")
    revoking.add_argument("key", type=_key, help="its id, as `list` shows it")
    for each in (making, listing, revoking):
        each.add_argument("--json", action="store_true", help="print JSON")


def _deed(
    deeds: argparse._SubParsersAction[argparse.ArgumentParser], name: str, summary: str
) -> argparse.ArgumentParser:
    return deeds.add_parser(name, help=summary, description=summary, epilog=_EPILOG)


def _name(text: str) -> str:
    if not text.strip() or len(text) > NAME_CHARACTERS:
        raise argparse.ArgumentTypeError(f"must have 1 to {NAME_CHARACTERS} characters")
    return text


def _scope(text: str) -> str:
    if not is_grant(text):
        raise argparse.ArgumentTypeError(f"there is no scope {text!r}")
    return text


def _days(text: str) -> timedelta:
    if not (text.isascii() and text.isdecimal()) or not 1 <= int(text[:6]) <= LONGEST_DAYS:
        raise argparse.ArgumentTypeError(f"must be a whole number, 1 to {LONGEST_DAYS}")
    return timedelta(days=int(text))


def _agent(text: str) -> AgentRef:
    try:
        return agent_ref(text)
    except InvalidId as malformed:
        raise argparse.ArgumentTypeError(malformed.message) from malformed


def _organization(text: str) -> UUID:
    return _id(Kind.ORGANIZATION, text)


def _key(text: str) -> UUID:
    return _id(Kind.API_KEY, text)


def _id(kind: Kind, text: str) -> UUID:
    try:
        return parse_id(kind, text)
    except InvalidId as malformed:
        raise argparse.ArgumentTypeError(malformed.message) from malformed
