"""Reads this desk's finished runs for what they say of the statistics of another one."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping

from rondgang.signed import Signed
from sqlalchemy import Connection

from coordinator.estimates.history import Past
from coordinator.store.finished import document, finished, one_result
from coordinator.store.store import Store
from coordinator.table import Value
from policies.documents import from_canonical
from policies.rules.result import COLUMNS, Result, ResultRow
from policies.statistics.programme import Programme
from policies.study.codebook import Codebook

_KEPT_COLUMNS = tuple(name for name in COLUMNS if name in ResultRow.model_fields)
Wanted = Callable[[Programme], bool]


def past_runs(store: Store, wanted: Wanted) -> tuple[Past, ...]:
    """The finished runs whose programme is wanted, the oldest first, in one transaction.

    A run whose codebook the desk never kept, from before it kept them, is left out.
    """
    return store.within(lambda connection: tuple(_wanted(connection, wanted)))


def _wanted(connection: Connection, wanted: Wanted) -> Iterator[Past]:
    for one in finished(connection):
        programme = from_canonical(Programme, Signed.from_bytes(one.signed_programme).document)
        if not wanted(programme):
            continue
        codebook, told = document(connection, programme.codebook_hash), one_result(connection, one.run)
        if codebook is not None and told is not None:
            rows = from_canonical(Result, Signed.from_bytes(told).document).rows
            known = from_canonical(Codebook, codebook.document)
            yield Past(one.run, one.opened, programme, known, rows)


def result_row(row: Mapping[str, Value]) -> ResultRow:
    """A row of the estimates table, its numbers as text, as a result holds it."""
    fields: dict[str, object] = {name: "" if row[name] is None else row[name] for name in _KEPT_COLUMNS}
    cell = row["cell"]
    return ResultRow.model_validate(fields | {"cell": tuple(cell.items()) if isinstance(cell, dict) else ()})
