"""The launcher: one command from a bare clone to a running system, and to its tests.

It stands outside the product: nothing in `api`, `worker` or `common` imports
it, and production never starts it.  `bootstrap` and what it imports use only
the standard library, because they run before anything is installed.
"""
