"""Look at a session with everything that is known of it, and say why it does not go on."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from uuid import UUID

from common.diagnosis import Diagnosis, Timing, diagnose
from common.domain.errors import NotFound, Unavailable
from common.domain.provider_breaker import ProviderBreaker
from common.event_codec import show_time
from common.provider_breakers import BreakerBoard
from common.settings import Settings
from common.storage import situations
from common.storage.engine import Tx
from common.storage.situations import SessionDeleted


@dataclass(frozen=True, slots=True)
class Examiner:
    """What an examination looks at besides the database.

    Attributes:
        backlog: wake-ups that lie in the broker, None when it cannot be asked.
    """

    settings: Settings
    breakers: BreakerBoard
    backlog: Callable[[], int | None]

    @property
    def timing(self) -> Timing:
        return Timing(self.settings.lease_seconds, self.settings.sweep_seconds)

    def examine(self, tx: Tx, organization_id: UUID, session_id: UUID) -> Diagnosis:
        """Why the session does not go on.

        Raises:
            NotFound: there is no such session, or no more.
        """
        silent_after = self.settings.lease_seconds
        try:
            found = situations.find(tx, organization_id, session_id, silent_after=silent_after)
        except SessionDeleted as deleted:
            at = show_time(deleted.at)
            raise NotFound(f"The session was deleted at {at}; nothing of it runs") from deleted
        if found is None:
            raise NotFound("Session not found")
        step = found.step
        provider_id = None if step is None or step.kind == "tools" else step.provider_id
        breaker = None if provider_id is None else self._breaker(provider_id)
        complete = replace(found, breaker=breaker, backlog=self.backlog())
        return diagnose(complete, self.timing)

    def _breaker(self, provider_id: str) -> ProviderBreaker | None:
        """None when Redis cannot be asked; that is not what holds up a turn."""
        try:
            (found,) = self.breakers.read([provider_id])
        except Unavailable:
            return None
        return found
