"""Tests mirror the source; journeys tell the whole way."""
