"""Coding agents, a module each behind one Protocol."""
