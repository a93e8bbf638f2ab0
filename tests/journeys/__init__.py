"""Stories from label to check run."""
