"""The HTTP front: webhooks and the runner API."""
