"""gunicorn's threads for clients of any kind: none may keep one for as long as it likes."""

from __future__ import annotations

from typing import Any, Final

from gunicorn.workers.gthread import _DEFER, ThreadWorker

from api.pace import Pace, PacedSocket

# A connection that says nothing waits with the poller, not on a thread.
_FIRST_WORD_SECONDS: Final = 0.005


class PacedWorker(ThreadWorker):  # type: ignore[misc]  # gunicorn ships no types
    """As `gthread`, with a pace that clients have to keep."""

    pace = Pace()

    def handle(self, conn: Any) -> Any:
        """Serve one request; called on a thread, for each request of a connection."""
        is_new = not conn.initialized and not conn.data_ready
        if is_new and not conn.wait_for_data(_FIRST_WORD_SECONDS):
            return _DEFER
        if not isinstance(conn.sock, PacedSocket):
            conn.sock = PacedSocket.take(conn.sock, self.pace)
        conn.sock.begin()
        outcome = super().handle(conn)
        if outcome is False:
            # gunicorn would do so on the thread that accepts, for two seconds a client.
            conn.sock.part()
        return outcome
