"""The models' door: a proxy outside the sandbox that holds the keys, counts, and enforces the attempt's budget."""
