"""The rules of the diff gate, one family a module; all of them judge git's own records."""
