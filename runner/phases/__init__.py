"""The nine phases, one module each."""
