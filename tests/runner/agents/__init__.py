"""Agents: their command lines, what they say, and what that is worth."""
