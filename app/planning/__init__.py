"""Pure planning: text to evidence to graph to estimates to schedule."""
