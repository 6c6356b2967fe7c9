"""The simulated model: answers without a provider, for development, tests and demos."""
