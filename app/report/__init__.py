"""Pure text: everything a person reads on GitHub."""
