"""Reads this desk's finished runs for what they say of the statistics of another one."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass

from rondgang.signed import Signed
from sqlalchemy import Connection

from coordinator.estimates.history import Past
from coordinator.store.finished import Finished, document, finished, finished_names, one_result
from coordinator.store.store import Store
from coordinator.table import Value
from policies.documents import from_canonical
from policies.rules.result import COLUMNS, Result, ResultRow
from policies.statistics.programme import Heading, Programme
from policies.study.codebook import Codebook

_KEPT_COLUMNS = tuple(name for name in COLUMNS if name in ResultRow.model_fields)


@dataclass(frozen=True, slots=True)
class Asked:
    """What is looked at of every finished run, and so kept in memory: whose figures they are, and of which data."""

    cohort: str
    data: str
    test_only: bool

    @classmethod
    def of(cls, heading: Heading) -> Asked:
        return cls(heading.cohort, heading.data, heading.test_only)


Wanted = Callable[[Asked], bool]


class PastRuns:
    """The finished runs of a store. Each programme is read once for what was asked; only those wanted are read again.

    For the store's own thread.
    """

    def __init__(self, store: Store) -> None:
        self._store = store
        self._asked: dict[str, Asked] = {}

    def __call__(self, wanted: Wanted) -> tuple[Past, ...]:
        """The finished runs whose programme is wanted, the oldest first, in one transaction.

        A run whose codebook the desk never kept, from before it kept them, is left out.
        """
        return self._store.within(lambda connection: tuple(self._wanted(connection, wanted)))

    def _wanted(self, connection: Connection, wanted: Wanted) -> Iterator[Past]:
        self._learn(connection)
        runs = [run for run, asked in self._asked.items() if wanted(asked)]
        for one in finished(connection, runs):
            programme = _programme(one)
            codebook, told = document(connection, programme.codebook_hash), one_result(connection, one.run)
            if codebook is not None and told is not None:
                rows = from_canonical(Result, Signed.from_bytes(told).document).rows
                known = from_canonical(Codebook, codebook.document)
                yield Past(one.run, one.opened, programme, known, rows)

    def _learn(self, connection: Connection) -> None:
        """Reads the programmes of runs that were finished since the last time."""
        new = [run for run in finished_names(connection) if run not in self._asked]
        for one in finished(connection, new):
            self._asked[one.run] = Asked.of(_programme(one).programme)


def _programme(one: Finished) -> Programme:
    return from_canonical(Programme, Signed.from_bytes(one.signed_programme).document)


def result_row(row: Mapping[str, Value]) -> ResultRow:
    """A row of the estimates table, its numbers as text, as a result holds it."""
    fields: dict[str, object] = {name: "" if row[name] is None else row[name] for name in _KEPT_COLUMNS}
    cell = row["cell"]
    return ResultRow.model_validate(fields | {"cell": tuple(cell.items()) if isinstance(cell, dict) else ()})
