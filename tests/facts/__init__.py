"""Tests of app/facts."""
