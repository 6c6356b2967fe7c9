"""Routes: each view is a contract and a few lines; writes go through a use case."""
