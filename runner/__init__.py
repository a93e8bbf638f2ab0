"""The WorkflowManager: one attempt through nine phases."""
