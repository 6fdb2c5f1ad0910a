"""The desk's store as that of a witness. Each function is one transaction, durable on return."""

from __future__ import annotations

from collections.abc import Sequence

from rondgang.keys import SigningKey
from rondgang.notes import Note

from coordinator.store.store import Store
from coordinator.witness.memory import SqlMemory
from policies.rules.witness import Ask, Exchanged, Reply, add_checkpoint, exchange
from policies.study.roster import Roster


def add(store: Store, asks: Sequence[Ask], key: SigningKey, now: int) -> list[Reply]:
    """Considers what regions brought, in order, and cosigns with `key`: all in one commit."""

    def work(memory: SqlMemory) -> list[Reply]:
        return [add_checkpoint(memory, key, ask, now) for ask in asks]

    return store.within(lambda connection: work(SqlMemory(connection)))


def exchange_with(store: Store, roster: Roster, region: str, shown: Sequence[Note], now: int) -> Exchanged:
    """Takes in what a region's node saw of others, and gives what is known here."""
    return store.within(lambda connection: exchange(SqlMemory(connection), roster, region, shown, now))
