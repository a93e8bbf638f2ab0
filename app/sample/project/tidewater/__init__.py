"""Bookkeeping for a small harbour."""
