"""The embedded GitHub behaves as GitHub does."""
