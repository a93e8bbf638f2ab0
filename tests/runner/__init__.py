"""The WorkflowManager against real git, real processes and a scripted app."""
