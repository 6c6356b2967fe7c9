"""One verb a file; each owns its transaction, and tells others after its commit."""
