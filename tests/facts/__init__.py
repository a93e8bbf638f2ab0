"""What the app knows of the world."""
