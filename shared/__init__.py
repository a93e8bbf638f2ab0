"""Values that cross between app and runner, and what both really use."""
