"""What planning and deciding ask of the world."""
