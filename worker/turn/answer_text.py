"""Where an answer's thinking and text go while the model speaks: one text stream at a time.

A step that is not to think begins with its answer's stream open.  One that is to think
opens its streams as they come: thinking with its first piece, and with the first piece
of the answer, or at its end, closes that and opens the answer's.  Thinking that comes
once the answer's stream is open is not streamed (design 4).
"""

from __future__ import annotations

from collections.abc import Callable
from types import TracebackType
from typing import Self
from uuid import UUID

from common.domain.events import EventDraft
from common.live import TextChunk
from worker.text_stream import OpenText, TextStreams
from worker.turn.narration import Narrator

# Stores events in mid-call and tells subscribers, after the text that precedes them.
Append = Callable[[list[EventDraft], TextChunk | None], None]


class AnswerText:
    """The text streams of one reason step, over all its tries; use it in a `with` block.

    Attributes:
        model: what is being asked; said with its thinking.
    """

    def __init__(
        self, narrator: Narrator, streams: TextStreams, session_id: UUID, append: Append
    ) -> None:
        self.model: str | None = None
        self._narrator = narrator
        self._streams = streams
        self._session_id = session_id
        self._append = append
        self._thinking: OpenText | None = None
        self._thought: list[str] = []
        stream = narrator.stream
        self._text = None if stream is None else streams.opened(session_id, stream.opener)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        for stream in (self._thinking, self._text):
            if stream is not None:
                stream.close()

    def think(self, text: str) -> bool:
        """Show more thinking; False when it can no longer be streamed.

        Raises:
            common.domain.errors.LeaseLost: the turn is no longer ours.
        """
        if self._text is not None:
            return False
        if self._thinking is None:
            self._append([self._narrator.thinking_opened(self.model)], None)
            opener = self._narrator.thinking_opener
            self._thinking = self._streams.opened(self._session_id, opener)
        self._thought.append(text)
        self._thinking.add(text)
        return True

    def add(self, text: str) -> None:
        """Show more of the answer.

        Raises:
            common.domain.errors.LeaseLost: the turn is no longer ours.
        """
        self._open().add(text)

    def finish(self) -> TextChunk | None:
        """The answer is complete; what of its text is still to be sent.

        Raises:
            common.domain.errors.LeaseLost: the turn is no longer ours.
        """
        text = self._open()
        text.close()
        return text.tail()

    def _open(self) -> OpenText:
        """The answer's own stream; the thinking before it is complete."""
        if self._text is None:
            drafts, tail = [self._narrator.reply_opened()], None
            if self._thinking is not None:
                self._thinking.close()
                tail = self._thinking.tail()
                drafts.insert(0, self._narrator.thinking_completed("".join(self._thought)))
            self._append(drafts, tail)
            opener = self._narrator.open_stream.opener
            self._text = self._streams.opened(self._session_id, opener)
        return self._text
