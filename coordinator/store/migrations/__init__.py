"""The store's history, run by Alembic when the desk starts. A released step never changes."""
