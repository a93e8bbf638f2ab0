"""The commands of the `shoal` program, a module each."""
