"""The rehearsal and its sample project."""
