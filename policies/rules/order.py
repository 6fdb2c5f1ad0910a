"""The coordinator's order: a signed wish that a region answers one programme, in one run, before a deadline."""

from __future__ import annotations

from policies.documents import Document
from policies.study.text import Hash, RunId


class Order(Document):
    """`issued` and `deadline` are unix seconds; after the deadline a node debits nothing for it."""

    run: RunId
    programme: Hash
    issued: int
    deadline: int
