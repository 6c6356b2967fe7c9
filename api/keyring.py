"""Keys that this process has seen lately, so that a request with a known key costs no SQL.

One thread asks PostgreSQL every two seconds which of them are still good, in one statement
for all, and hears over Redis at once which one was revoked.  It does the same for logins
(`api.login_desk`).  A key that could not be asked
about for ten seconds is looked up again by the request that brings it.  The thread also
writes when keys were last used, once a minute.
"""

from __future__ import annotations

import threading
import time
from collections import defaultdict
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Final, Protocol
from uuid import UUID

import structlog
from redis import Redis

from common.domain.access import ApiKey, is_same
from common.live import CONTROL_CHANNEL, REVOKED
from common.storage import api_keys
from common.storage.api_keys import Standing
from common.storage.engine import Database, DatabaseError

REFRESH_SECONDS: Final = 2.0
_TRUSTED_SECONDS: Final = 10.0
_IDLE_SECONDS: Final = 300.0
_NOTE_SECONDS: Final = 60.0
_MOST_KNOWN: Final = 20_000
_POLL_SECONDS: Final = 0.25

_log = structlog.get_logger()


class Beside(Protocol):
    """Something else that the thread asks about and hears of."""

    def refresh(self) -> None:
        """Ask."""

    def forget(self, revoked: UUID) -> None:
        """Something of this id was revoked or changed."""


@dataclass(slots=True)
class _Known:
    """A key with what the process knows of it; times are of its monotonic clock."""

    key: ApiKey
    digest: str
    ends_at: float
    asked_at: float
    used_at: float
    noted_at: float


class Keyring:
    """Thread-safe.  Nothing runs before the first key is looked up.

    `redis` is where revocations are heard of; None: only PostgreSQL tells.
    """

    def __init__(
        self,
        database: Database,
        redis: Redis | None = None,
        *,
        refresh_seconds: float = REFRESH_SECONDS,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self._database = database
        self._redis = redis
        self._refresh_seconds = refresh_seconds
        self._monotonic = monotonic
        self._known: dict[str, _Known] = {}
        self._held: defaultdict[UUID, set[Callable[[], None]]] = defaultdict(set)
        self._lock = threading.Lock()
        self._stopped = threading.Event()
        self._thread: threading.Thread | None = None
        self._beside: Beside | None = None

    def attend(self, beside: Beside) -> None:
        """Let the thread do this besides; who needs it calls `start`."""
        self._beside = beside

    def recall(self, digest: str) -> ApiKey | None:
        """A known key that is good; None says nothing: ask `find`."""
        known = self._known.get(digest)
        if known is None:
            return None
        now = self._monotonic()
        if now >= known.ends_at or now - known.asked_at > _TRUSTED_SECONDS:
            return None
        known.used_at = now
        return known.key

    def find(self, digest: str) -> ApiKey | None:
        """The key with this digest, None when there is none that is good; asks the database."""
        with self._database.reading() as tx:
            found = api_keys.find(tx, digest)
        if found is None or not is_same(found.digest, digest):
            return None
        now = self._monotonic()
        self.start()
        with self._lock:
            before = self._known.get(digest)
            if before is None and len(self._known) >= _MOST_KNOWN:
                return found.key
            self._known[digest] = _Known(
                key=found.key,
                digest=digest,
                ends_at=_end(now, found.seconds_left),
                asked_at=now,
                used_at=now,
                noted_at=float("-inf") if before is None else before.noted_at,
            )
        return found.key

    def hold(self, key_id: UUID, end: Callable[[], None]) -> None:
        """Call `end` when the key is not good any more, on a thread of ours; perhaps repeatedly."""
        with self._lock:
            self._held[key_id].add(end)

    def release(self, key_id: UUID, end: Callable[[], None]) -> None:
        """What was held has ended."""
        with self._lock:
            self._held[key_id].discard(end)
            if not self._held[key_id]:
                del self._held[key_id]

    def forget(self, revoked: UUID) -> None:
        """The key of this id was revoked, or something changed about the user of this id."""
        with self._lock:
            for each in list(self._known.values()):
                if revoked in (each.key.id, each.key.principal_id):
                    del self._known[each.digest]
            ends = list(self._held.get(revoked, ()))
        for end in ends:
            end()

    def close(self) -> None:
        """Let the thread end; nobody waits for it."""
        self._stopped.set()

    # --- the thread -------------------------------------------------------------------

    def start(self) -> None:
        """Let the thread run, if it does not yet."""
        with self._lock:
            if self._thread is None:
                self._thread = threading.Thread(target=self._run, name="keyring", daemon=True)
                self._thread.start()

    def _run(self) -> None:
        while not self._stopped.is_set():
            try:
                self._attend()
            # The thread's edge: it must not end.  redis-py's pub/sub raises all sorts of errors.
            except Exception as failure:  # noqa: BLE001
                _log.info("revocations_unheard", error=type(failure).__name__)
            self._stopped.wait(self._refresh_seconds)

    def _attend(self) -> None:
        """Ask, and then listen for as long as Redis lets us, asking again and again."""
        self._ask()
        if self._redis is None:
            return
        with self._redis.pubsub(ignore_subscribe_messages=True) as channel:  # type: ignore[no-untyped-call]  # redis-py leaves it bare
            channel.subscribe(CONTROL_CHANNEL)
            due = self._monotonic() + self._refresh_seconds
            while not self._stopped.is_set():
                if self._monotonic() >= due:
                    self._ask()
                    due = self._monotonic() + self._refresh_seconds
                message = channel.get_message(timeout=min(_POLL_SECONDS, self._refresh_seconds))
                if message is not None:
                    self._hear(message["data"])

    def _ask(self) -> None:
        self.refresh()
        if self._beside is not None:
            self._beside.refresh()

    def _hear(self, message: bytes) -> None:
        verb, _, shown = message.decode(errors="replace").partition(" ")
        if verb != REVOKED:
            return
        try:
            revoked = UUID(hex=shown)
        except ValueError:
            _log.warning("control_message_malformed")
            return
        self.forget(revoked)
        if self._beside is not None:
            self._beside.forget(revoked)

    def refresh(self) -> None:
        """Ask which keys are still good, and note which were used."""
        now = self._monotonic()
        with self._lock:
            known = self._keep_used(now)
            ids = {each.key.id for each in known} | set(self._held)
        if not ids:
            return
        try:
            with self._database.reading() as tx:
                good = api_keys.still_good(tx, ids)
            self._learn(known, good, now)
            for gone in ids - good.keys():
                self.forget(gone)
            self._note_uses([each for each in known if each.key.id in good], now)
        except DatabaseError as failure:
            _log.warning("keys_unrefreshed", error=type(failure).__name__)
            for each in known:
                if now >= each.ends_at:
                    self.forget(each.key.id)

    def _keep_used(self, now: float) -> list[_Known]:
        kept = {
            digest: each
            for digest, each in self._known.items()
            if now - each.used_at < _IDLE_SECONDS or each.key.id in self._held
        }
        self._known = kept
        return list(kept.values())

    def _learn(self, known: list[_Known], good: dict[UUID, Standing], now: float) -> None:
        for each in known:
            standing = good.get(each.key.id)
            if standing is None:
                continue
            each.asked_at = max(each.asked_at, now)
            each.ends_at = _end(now, standing.seconds_left)
            if each.key.role is not standing.role:
                each.key = replace(each.key, role=standing.role)

    def _note_uses(self, known: list[_Known], now: float) -> None:
        used = [
            each
            for each in known
            if each.used_at > each.noted_at and now - each.noted_at >= _NOTE_SECONDS
        ]
        if not used:
            return
        with self._database.reading() as tx:
            api_keys.note_use(tx, [each.key.id for each in used], at_least=_NOTE_SECONDS)
        for each in used:
            each.noted_at = now


def _end(now: float, seconds_left: float | None) -> float:
    return float("inf") if seconds_left is None else now + seconds_left
