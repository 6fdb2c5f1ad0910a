"""The coordinator's order: a signed wish that a region answers one programme, in one run, before a deadline."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from policies.documents import Document
from policies.statistics.programme import Hash

RunId = Annotated[str, Field(pattern=r"^run-[0-9a-f]{16}$")]


class Order(Document):
    """`issued` and `deadline` are unix seconds; after the deadline a node debits nothing for it."""

    run: RunId
    programme: Hash
    issued: int
    deadline: int
