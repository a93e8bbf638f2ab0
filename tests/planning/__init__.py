"""Planning: from text to schedule, and the laws that every schedule keeps."""
