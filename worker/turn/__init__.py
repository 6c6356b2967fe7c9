"""The turn engine: a pure core that decides, a shell that acts."""
