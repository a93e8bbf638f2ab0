"""The embedded GitHub for rehearsal and tests; an island in its own process."""
