"""Durable state: inbox, rows, outbox."""
