"""How the app talks to GitHub: transport, tokens, pacing."""
