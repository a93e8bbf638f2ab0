"""The diff gate's rules, one family a file."""
