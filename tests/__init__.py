"""Tests, a folder for each kind."""
