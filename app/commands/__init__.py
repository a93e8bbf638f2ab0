"""The bodies of the command line's verbs, one module each; `app.cli` holds only their signatures."""
