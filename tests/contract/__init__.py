"""GitHub's own description of its API, and that our checking against it can fail."""
