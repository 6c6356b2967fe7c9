"""What only the operator may do: it concerns every organization.

The operator acts in the default organization; without authentication that is whoever calls
for it.
"""

from __future__ import annotations

from uuid import UUID

from api.auth import Caller
from api.deps import Deps
from common.domain.errors import Forbidden, NotFound
from common.domain.ids import DEFAULT_ORGANIZATION, Kind, show_id
from common.domain.provider_breaker import ProviderBreaker
from common.domain.worker import Worker, WorkerStatus
from common.storage import providers, workers


def is_operator(caller: Caller) -> bool:
    """Whether the caller may change what all organizations share."""
    return caller.is_operator and caller.organization_id == DEFAULT_ORGANIZATION


def want_of_worker(deps: Deps, caller: Caller, worker_id: UUID, wanted: WorkerStatus) -> Worker:
    """Say what a worker is to be; it obeys within a heartbeat, mostly at once.

    Raises:
        Forbidden: the caller is not the operator.
        NotFound: there is no such worker.
    """
    if not is_operator(caller):
        raise Forbidden("Workers are all organizations': only the operator may change them")
    with deps.database.transaction() as tx:
        found = workers.want(tx, worker_id, wanted)
    if found is None:
        raise NotFound("Worker not found")
    deps.live.look(worker_id)
    return found


def find_breaker(deps: Deps, caller: Caller, provider_id: UUID) -> ProviderBreaker:
    """The breaker of a provider that the caller may use.

    Raises:
        NotFound: there is no such provider.
        Unavailable: Redis cannot be asked.
    """
    with deps.database.reading() as tx:
        if providers.find(tx, caller.organization_id, provider_id) is None:
            raise NotFound("Circuit breaker not found")
    (found,) = deps.examiner.breakers.read([show_id(Kind.PROVIDER, provider_id)])
    return found


def set_breaker(deps: Deps, caller: Caller, provider_id: UUID, *, is_open: bool) -> ProviderBreaker:
    """Open a provider's breaker, or close it.

    Raises:
        NotFound: there is no such provider.
        Forbidden: it is a built-in one, which all organizations share.
        Unavailable: Redis cannot be reached.
    """
    with deps.database.reading() as tx:
        provider = providers.find(tx, caller.organization_id, provider_id)
    if provider is None:
        raise NotFound("Circuit breaker not found")
    if provider.organization_id is None and not is_operator(caller):
        raise Forbidden("Built-in providers are all organizations': only the operator may do this")
    shown = show_id(Kind.PROVIDER, provider_id)
    if is_open:
        deps.examiner.breakers.open(shown)
    else:
        deps.examiner.breakers.close(shown)
    (found,) = deps.examiner.breakers.read([shown])
    return found
