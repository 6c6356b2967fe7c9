"""Pure vocabulary and rules: no clock, no socket, no SQL."""
