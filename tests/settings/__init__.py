"""Tests of app/settings.py."""
