"""Looking into images that callers send: always in a child process with a kill deadline."""
