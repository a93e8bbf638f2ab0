"""Decisions: stories, and a search through the protocol."""
