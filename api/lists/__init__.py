"""Answers that are long lists: written out in slices, never held as a whole (I11)."""
