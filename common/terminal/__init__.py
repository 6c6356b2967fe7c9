"""The terminal as a client: it knows a server by its address and over HTTP alone."""
