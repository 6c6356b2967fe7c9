"""The HTTP API.  Imports common, never worker."""
