"""The coordinator's order: a signed wish that a region answers one programme, in one run, before a deadline."""

from __future__ import annotations

from pydantic import Field

from policies.documents import Document
from policies.study.text import Hash, RunId


class Order(Document):
    """`issued` and `deadline` are unix seconds; after the deadline a node debits nothing for it.

    `attempt` 0 asks for the region's own answer; from 1 on it begins that attempt at the programme's national sums.
    """

    run: RunId
    programme: Hash
    issued: int
    deadline: int
    attempt: int = Field(default=0, ge=0, le=5)
