"""What an agent may be granted: tools and prompt additions, one capability a module."""
