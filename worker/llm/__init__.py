"""LLM drivers: one provider a module, translation and streaming without policy."""
