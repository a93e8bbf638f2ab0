"""The repository's own tests: which command runs them, and what their reports and output say."""
