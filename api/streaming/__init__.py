"""The stream process: relays a session's events to its subscribers (design 7).

A small ASGI app without a framework.  `relay`, `text_buffer`, `entry` and `sse` decide
and format and do no I/O; the other modules carry frames from Redis and PostgreSQL to
sockets.  Never imports Flask, Celery, SQLAlchemy or the worker.
"""
