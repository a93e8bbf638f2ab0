"""Tests of app/github."""
