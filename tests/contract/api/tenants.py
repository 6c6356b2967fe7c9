"""What a tenant has: one thing of every kind that a path may name, made when first asked for."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Final

from sqlalchemy import text

from common.clock import new_id
from common.domain.access import Role
from common.domain.ids import Kind, parse_id, show_id
from common.storage import members, users
from common.storage.engine import Database
from common.storage.users import NewUser
from tests.contract.api import worker
from tests.contract.api.client import Api, Reply
from tests.contract.api.uploads import upload


class Things:
    """One tenant's, by the name that a path's argument has for them.

    `mark` is in every name and text, so that it is seen wherever one of them gets to.
    """

    def __init__(self, api: Api, database: Database, mark: str) -> None:
        self.api = api
        self.mark = mark
        self._database = database
        self._made: dict[str, str] = {}

    def __getitem__(self, name: str) -> str:
        """The id of such a thing.

        Raises:
            KeyError: nobody has said how to make one.
        """
        if name not in self._made:
            self._made[name] = _MAKERS[name](self)
        return self._made[name]

    def make_all(self) -> None:
        for name in _MAKERS:
            self[name]

    def named(self, kind: str) -> str:
        """The id of such a thing, or with `<kind>.name` its name."""
        kind, _, attribute = kind.partition(".")
        if not attribute:
            return self[kind]
        collection = _COLLECTIONS[kind]
        found: str = self.api.get(f"/v1/{collection}/{self[kind]}").body[attribute]
        return found

    def fresh(self) -> Things:
        """The same tenant, with nothing made yet."""
        return Things(self.api, self._database, self.mark)

    def name(self) -> str:
        """One that nothing has yet."""
        return f"{self.mark}-{new_id().hex[-12:]}"

    def _post(self, path: str, body: Any) -> str:
        return _id_in(self.api.post(path, body))

    # --- one method a kind -------------------------------------------------------------

    def _agent(self) -> str:
        return self._post("/v1/agents", {"name": self.name(), "system_prompt": self.mark})

    def _harness(self) -> str:
        return self._post("/v1/harnesses", {"name": self.name()})

    def _session(self) -> str:
        session = self._post("/v1/sessions", {"agent_id": self["agent"], "title": self.mark})
        self.api.message(session, self.mark)
        worker.start_turn(self._database, session)
        worker.finish_turn(self._database, session)
        self._file(f"/v1/sessions/{session}")
        return session

    def _workspace(self) -> str:
        workspace = self._post("/v1/workspaces", {"name": self.name()})
        self._file(f"/v1/workspaces/{workspace}")
        return workspace

    def _file(self, owner: str) -> None:
        reply = self.api.post(f"{owner}/fs/{self['file']}", {"content": self.mark})
        assert reply.status == 201, reply.text

    def _provider(self) -> str:
        return self._post("/v1/providers", {"name": self.name(), "provider_type": "openai"})

    def _model(self) -> str:
        path = f"/v1/providers/{self['provider_id']}/models"
        return self._post(path, {"model_id": self.name()})

    def _server(self) -> str:
        body = {"name": self.name(), "url": "https://m.example.com/"}
        return self._post("/v1/mcp-servers", body)

    def _capability(self) -> str:
        return f"mcp:{parse_id(Kind.MCP_SERVER, self['server_id'])}"

    def _version(self) -> str:
        found: str = self.api.get(f"/v1/agents/{self['agent']}/versions").body[0]["id"]
        return found

    def _image(self) -> str:
        fields = {"session_id": self["session_id"]}
        return _id_in(upload(self.api, name=f"{self.mark}.png", fields=fields))

    def _key(self) -> str:
        return self._post("/v1/auth/api-keys", {"name": self.name(), "agent_id": self["agent"]})

    def _webhook(self) -> str:
        """As the api makes one that has a master key."""
        webhook_id = new_id()
        organization: str = self.api.session()["organization_id"]
        with self._database.transaction() as tx:
            tx.execute(
                text(
                    "INSERT INTO webhooks (id, organization_id, url, description, secret)"
                    " VALUES (:id, :o, 'https://hooks.example.com/', :mark, '{}')"
                ),
                {
                    "id": webhook_id,
                    "o": parse_id(Kind.ORGANIZATION, organization),
                    "mark": self.mark,
                },
            )
        return show_id(Kind.WEBHOOK, webhook_id)

    def _delivery(self) -> str:
        values = {"id": new_id(), "w": parse_id(Kind.WEBHOOK, self["webhook_id"])}
        with self._database.transaction() as tx:
            tx.execute(
                text(
                    "INSERT INTO webhook_deliveries (id, webhook_id, event, turn_id, session_id,"
                    " sequence, status) VALUES (:id, :w, 'turn.failed', :id, :id, 1, 'dead')"
                ),
                values,
            )
        return show_id(Kind.WEBHOOK_DELIVERY, values["id"])

    def _organization(self) -> str:
        found: str = self.api.get("/v1/auth/me").body["organization_id"]
        return found

    def _member(self) -> str:
        user = NewUser(
            id=new_id(), email=f"{self.name()}@example.com", name=self.mark, password_hash=None
        )
        organization_id = parse_id(Kind.ORGANIZATION, self["org"])
        with self._database.transaction() as tx:
            users.insert(tx, user)
            members.add(tx, organization_id, user.id, Role.MEMBER)
        return show_id(Kind.USER, user.id)

    def _invitation(self) -> str:
        body = {"email": f"{self.name()}@example.com"}
        return self._post(f"/v1/orgs/{self['org']}/invitations", body)

    def _workflow(self) -> str:
        session: str = self.api.session(agent_id=self["agent"], title=self.mark)["id"]
        self.api.message(session, self.mark)
        return show_id(Kind.TURN, worker.open_turn_of(self._database, session))

    def _dead_letter(self) -> str:
        session: str = self.api.session(agent_id=self["agent"], title=self.mark)["id"]
        self.api.message(session, self.mark)
        return show_id(Kind.DEAD_LETTER, worker.seal(self._database, session))

    def _event(self) -> str:
        events = self.api.get(f"/v1/sessions/{self['session_id']}/events").body["data"]
        found: str = events[-1]["id"]
        return found

    def _page_token(self) -> str:
        for _ in range(2):
            self.api.session(agent_id=self["agent"])
        path = f"/v1/channels/{self['agent']}/sessions?limit=1"
        found: str = self.api.get(path).body["next_page_token"]
        return found


_MAKERS: Final[Mapping[str, Callable[[Things], str]]] = {
    "agent": Things._agent,
    "channel": lambda things: things["agent"],
    "harness": Things._harness,
    "session_id": Things._session,
    "workspace_id": Things._workspace,
    "provider_id": Things._provider,
    # A breaker is its provider's.
    "key": lambda things: things["provider_id"],
    "model_id": Things._model,
    "server_id": Things._server,
    "capability_id": Things._capability,
    "version_id": Things._version,
    "from_id": lambda things: things["version_id"],
    "to_id": lambda things: things["version_id"],
    "image_id": Things._image,
    "key_id": Things._key,
    "webhook_id": Things._webhook,
    "delivery_id": Things._delivery,
    "org": Things._organization,
    "user_id": Things._member,
    "invitation_id": Things._invitation,
    "workflow_id": Things._workflow,
    "entry_id": Things._dead_letter,
    "event_id": Things._event,
    "page_token": Things._page_token,
    "file": lambda things: f"{things.mark}.txt",
}
_COLLECTIONS: Final = {
    "agent": "agents",
    "harness": "harnesses",
    "server_id": "mcp-servers",
    "provider_id": "providers",
    "workspace_id": "workspaces",
}


def _id_in(reply: Reply) -> str:
    assert reply.status == 201, reply.text
    found: str = reply.body["id"]
    return found
