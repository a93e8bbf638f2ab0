"""The orchestrator: receives labelled issues, plans them, has them worked on, reports."""
