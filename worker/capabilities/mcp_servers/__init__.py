"""MCP servers as capabilities: `mcp:<uuid>`, each with the tools that the server lists.

A connection is made for each call and each listing: two or three round trips more than a
kept one, and no state of a server survives between calls.  In return nothing has to be
healed when a worker, a server or a network goes away, and a changed key counts at once.
"""
