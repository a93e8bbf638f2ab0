"""Where WorkflowManagers run."""
