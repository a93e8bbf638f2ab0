"""Maintenance of generated files."""
