"""Where the bytes of uploads are kept: one small interface, two backends."""
