"""The researcher's face of the desk in Python.

from coordinator.client import Desk

with Desk.open("~/rondgang/researcher") as desk:
    programme = desk.plan("cohort3.programme.yaml")
    run = desk.submit(programme).run
    for progress in desk.watch(run):
        print(progress.state)
    frame = desk.results(run)
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Self, TypeVar

import grpc
from rondgang.keys import PublicKey, SigningKey
from rondgang.signed import Signed, sign

from coordinator.desk.views import Prices, Progress, RegionView, Results, Submitted
from coordinator.errors import DeskRefused
from coordinator.home import Home, ResearcherConfig
from coordinator.remote.wire import RemoteDesk
from coordinator.table import frame, read_trends
from coordinator.transport import channel
from policies.documents import Document, load_yaml, to_canonical
from policies.rules.refusals import Reason, Refused
from policies.statistics.plan import plan
from policies.statistics.programme import Draft, Programme
from policies.study.adoption import Adopted, NotAdopted, adopt
from policies.study.calendar import Calendar
from policies.study.codebook import Codebook

if TYPE_CHECKING:
    import pandas as pd

D = TypeVar("D", bound=Document)
T = TypeVar("T", Prices, Submitted, Results, bytes)


@dataclass(frozen=True, slots=True)
class Planned:
    """A programme as planned and signed, with the draft and the documents it was planned by."""

    signed: Signed
    programme: Programme
    codebook: Codebook
    calendar: Calendar
    draft: Draft

    @property
    def hash(self) -> str:
        return self.signed.digest


class Desk:
    """A researcher at the desk. A context manager; not for use from several threads at once.

    Every call may raise `Unreachable` (try again later) and `NotPermitted`. Refusals of the desk raise `DeskRefused`.
    """

    def __init__(self, remote: RemoteDesk, line: grpc.Channel, key: SigningKey, pinned: PublicKey) -> None:
        self._remote = remote
        self._line = line
        self._key = key
        self._pinned = pinned

    @classmethod
    def open(cls, profile: str | Path) -> Self:
        """A desk by a researcher's folder, as `rondgang coordinator init --role researcher` makes it.

        Nothing is sent yet. Raises `BadHome` and `BadDocument`.
        """
        home = Home(Path(profile).expanduser())
        config = home.config(ResearcherConfig)
        line = channel(config.coordinator, home.tls())
        remote = RemoteDesk(line, config.coordinator, config.call_timeout_s)
        return cls(remote, line, home.signing_key(), home.pinned())

    def plan(self, draft: str | Path | Draft) -> Planned:
        """Plans a draft by the documents the desk works by, checked against the pinned consortium key, and signs it.

        The noise of every block is fixed here, and with it the price. Raises `BadDocument`, `BadPlan`, `BadStatistic`
        and `DeskRefused`.
        """
        written = draft if isinstance(draft, Draft) else load_yaml(Draft, Path(draft))
        codebook, calendar = self._study(written.programme.codebook)
        hashes = codebook.digest, calendar.digest
        programme = plan(written, codebook.document, calendar.document, hashes, int(time.time()))
        signed = sign("programme", to_canonical(programme), self._key)
        return Planned(signed, programme, codebook.document, calendar.document, written)

    def price(self, planned: Planned) -> Prices:
        """What each region would say. Touches no data and spends nothing."""
        return _granted(self._remote.price(planned.signed.to_bytes()))

    def submit(self, planned: Planned, *, again: bool = False) -> Submitted:
        """Opens the run of a programme. The same programme has one run: regions that refused are asked anew.

        With `again`, regions that answered and attend send the bytes they kept once more, at no cost.
        """
        return _granted(self._remote.submit(planned.signed.to_bytes(), again=again))

    def watch(self, run: str, timeout_s: float | None = None) -> Iterator[Progress]:
        """Progress of a run at every change, until it is complete or closed; `Unreachable` after `timeout_s`."""
        return self._remote.watch(run, timeout_s)

    def fetch(self, run: str) -> Results:
        """The result of a run as the desk sends it: state, programme, rows and the signed answers under them."""
        return _granted(self._remote.results(run))

    def results(self, run: str) -> pd.DataFrame:
        """The estimates of a run so far, with exactly the contract's columns; `cell` as `key=value;...`."""
        return frame(self.fetch(run).rows_json)

    def trends(self, run: str) -> list[dict[str, str]]:
        """The statistics of a run over the cohorts, one object a figure; its columns: `coordinator.estimates.trends`.

        Runs of this desk, and published figures beside them with their source. Numbers are decimal text.
        """
        return read_trends(_granted(self._remote.trends(run)))

    def regions(self) -> tuple[RegionView, ...]:
        """Every region with a certificate in force: on the line or not, last seen when."""
        return self._remote.regions()

    def calendar(self) -> Calendar:
        """The rotation in force, checked against the pinned consortium key."""
        documents = self._remote.study("")
        return self._genuine(adopt(Calendar, "calendar", documents.signed_calendar, self._pinned)).document

    def codebook(self, label: str) -> Codebook:
        """The codebook of this name, such as cohort3@1, checked against the pinned consortium key."""
        return self._study(label)[0].document

    def close(self) -> None:
        self._line.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def _study(self, label: str) -> tuple[Adopted[Codebook], Adopted[Calendar]]:
        documents = self._remote.study(label)
        calendar = self._genuine(adopt(Calendar, "calendar", documents.signed_calendar, self._pinned))
        if len(documents.signed_codebooks) != 1:
            raise DeskRefused(Refused(Reason.CODEBOOK_MISMATCH, f"The desk gave no codebook {label}."))
        return self._genuine(adopt(Codebook, "codebook", documents.signed_codebooks[0], self._pinned)), calendar

    def _genuine(self, found: Adopted[D] | NotAdopted) -> Adopted[D]:
        if isinstance(found, NotAdopted):
            raise DeskRefused(Refused(Reason.UNKNOWN_SIGNER, f"From the desk: {found.sentence}"))
        return found


def _granted(outcome: T | Refused) -> T:
    if isinstance(outcome, Refused):
        raise DeskRefused(outcome)
    return outcome
