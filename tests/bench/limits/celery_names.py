"""Names that a worker and who sends to it share."""

NOOP = "bench.noop"
TELL = "bench.tell"
