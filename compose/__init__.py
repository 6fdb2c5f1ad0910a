"""Putting a federation up: the consortium's key, the demo, and what continuous integration runs."""
