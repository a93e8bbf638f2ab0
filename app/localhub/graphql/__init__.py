"""The embedded GitHub's GraphQL: as much of the language and of the schema as its callers use, and not a field more."""
