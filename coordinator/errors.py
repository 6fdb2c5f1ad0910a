"""Faults of the national desk.

    CoordinatorError
    ├── BadHome          the folder is not a coordinator's or researcher's, or not a whole one
    ├── BadBackup        a copy of the store cannot be made or put back
    ├── StoreTooNew      the store was written by a newer version
    ├── StoreAway        the database does not answer, or too many wait for it
    ├── TooManyRuns      a researcher has more programmes under way than one may have
    ├── NotPermitted     the caller may not do this
    ├── UnknownRun       no run has this name
    ├── UnknownCodebook  the desk works by no such codebook
    ├── Unreachable      the desk does not answer
    ├── CallFailed       the desk could not do what was asked
    │   └── NotFound     the desk knows no run or codebook of that name
    └── DeskRefused      the desk or every region said no

A refusal is a value inside this room; `NotPermitted` and `DeskRefused` carry one to a caller in another process.
"""

from __future__ import annotations

from collections.abc import Mapping

from policies.rules.refusals import Reason, Refused


class CoordinatorError(Exception):
    """Root of every fault raised by this room."""


class BadHome(CoordinatorError):
    """The folder cannot be used; the message says what to do."""


class BadBackup(CoordinatorError):
    """A copy of the store cannot be made or put back; the message says what to do."""


class StoreTooNew(CoordinatorError):
    """The store has a revision that this version does not know."""

    def __init__(self, revision: str) -> None:
        self.revision = revision
        super().__init__(
            f"The store was written by a newer version (revision {revision}). Install that one or use another store."
        )


class StoreAway(CoordinatorError):
    """The database does not answer, or too many wait for it; nothing was changed. Trying again later is safe."""

    def __init__(self, why: str) -> None:
        super().__init__(f"The desk cannot reach its store ({why}). Nothing was changed. Try again later.")


class TooManyRuns(CoordinatorError):
    """A researcher has as many programmes under way as one may have. Trying again later is safe."""

    def __init__(self, most: int) -> None:
        super().__init__(f"You have {most} programmes that still wait for regions. Submit more once some are done.")


class NotPermitted(CoordinatorError):
    """The caller may not do this."""

    def __init__(self, refused: Refused) -> None:
        self.refused = refused
        super().__init__(refused.sentence)

    @property
    def reason(self) -> Reason:
        return self.refused.reason


class UnknownRun(CoordinatorError):
    """No run has this name."""

    def __init__(self, run: str) -> None:
        self.run = run
        super().__init__(f"There is no run {run}. `rondgang coordinator submit` prints the name of its run.")


class UnknownCodebook(CoordinatorError):
    """The desk works by no such codebook."""

    def __init__(self, label: str) -> None:
        self.label = label
        super().__init__(f"The desk works by no codebook {label}. Ask the consortium which one is in force.")


class Unreachable(CoordinatorError):
    """The desk does not answer. Trying again later is safe."""

    def __init__(self, address: str, why: str) -> None:
        self.address = address
        super().__init__(f"The desk at {address} cannot be reached ({why}). Try again later.")


class CallFailed(CoordinatorError):
    """The desk could not do what was asked; the message is the desk's."""


class NotFound(CallFailed):
    """The desk knows no run or codebook of that name."""


class DeskRefused(CoordinatorError):
    """The desk said no, or every region that attends did; `regions` then holds their reasons."""

    def __init__(self, refused: Refused, regions: Mapping[str, Refused] | None = None) -> None:
        self.refused = refused
        self.regions = dict(regions or {})
        super().__init__(refused.sentence)
