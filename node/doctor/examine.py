"""All of the doctor's lines about one home, in order."""

from __future__ import annotations

import os
from collections.abc import Mapping

from node import operations
from node.doctor.lines import Line, broken
from node.doctor.local import local
from node.doctor.papers import papers
from node.doctor.reach import ways
from node.errors import NodeError
from node.home import Home


def examine(home: Home, environment: Mapping[str, str] = os.environ, *, away: bool = True) -> tuple[Line, ...]:
    """What is well and what is not. Without `away` nobody else is dialled. Changes nothing. Raises BadHome.

    A ledger or document that cannot be used is a line like the others: the rest is looked at all the same.
    """
    lines = [*local(home)]
    try:
        lines += papers(home, operations.status(home), operations.facts(home))
    except NodeError as error:
        lines.append(broken("ledger", "unusable", detail=str(error)))
    if away and home.enrolled:
        lines += ways(home, environment)
    return tuple(lines)
