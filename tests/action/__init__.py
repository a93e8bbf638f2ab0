"""The action's own steps, run as GitHub's runner runs them."""
