"""How Alembic reaches the store: over the connection that `coordinator.store.migrate` gives it."""

from __future__ import annotations

from alembic import context

from coordinator.store.tables import METADATA

context.configure(connection=context.config.attributes["connection"], target_metadata=METADATA)
with context.begin_transaction():
    context.run_migrations()
