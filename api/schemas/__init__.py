"""Shapes and bounds of requests and answers.  Never any I/O."""
