"""The guard of outgoing requests: what a tool may connect to is decided at the connection.

A host is resolved once, every address it has is judged (`common.domain.outbound`), and the
connection goes to one of those very addresses, with the name kept for the Host header, SNI
and the certificate.  So neither a second look-up (rebinding) nor a redirect nor a difference
between two URL parsers leads past the rules.  Proxies of the environment are not used.
"""
