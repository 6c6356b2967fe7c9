"""The worker: runs turns.  Never imports `api`, flask or marshmallow."""
