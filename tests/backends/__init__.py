"""Tests of app/backends."""
