"""Texts for people, and measured numbers."""
