"""The honest story of two regions, in chapters; a fraud adds a chapter, or tells one otherwise."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from audit.practise.log import Log
from audit.practise.papers import CALENDAR, CODEBOOK
from audit.practise.people import DAY_S, People
from audit.practise.sheaf import Sheaf, of_coordinator, of_region, of_witness
from audit.practise.study import Study

Chapter = Callable[[Log], None]
Chapters = Mapping[str, Chapter]

FRISIAN_CAPS, GRONINGEN_CAPS = ("1.2", "1.5"), ("0.5", "0.8")


def opening(log: Log, caps: tuple[str, str]) -> None:
    """Everything is adopted, and data are there."""
    log.open()
    study = log.study
    log.adopt("roster", "1", study.rosters[0])
    log.adopt("calendar", CALENDAR, study.calendar)
    log.adopt("codebook", CODEBOOK, study.codebook)
    log.adopt("policy", "1", study.policy(log.region, 1, *caps))
    log.load()
    log.look()


def first(log: Log) -> None:
    """A programme that all regions answer."""
    asked = log.study.programme("outcomes")
    log.ask(asked)
    log.spend(asked)


def refused(log: Log) -> None:
    """Too dear: nothing is charged."""
    asked = log.study.programme("too_dear")
    log.ask(asked)
    log.refuse(asked, "over_programme_cap")


def steward(log: Log) -> None:
    """From here on the steward sees every programme first."""
    log.adopt("policy", "2", log.study.policy(log.region, 2, *FRISIAN_CAPS, approval="steward"))
    log.look()


def approved(log: Log) -> None:
    asked = log.study.programme("approved_one")
    log.ask(asked)
    log.wait(600)
    log.approve(asked)
    log.spend(asked)


def declined(log: Log) -> None:
    asked = log.study.programme("declined_one")
    log.ask(asked)
    log.approve(asked, "purpose")
    log.refuse(asked, "declined")
    log.look()


def roster(log: Log) -> None:
    """A researcher is revoked."""
    log.adopt("roster", "2", log.study.rosters[1])
    log.look()


def together(log: Log) -> None:
    """Two programmes in one batch: two debits under one checkpoint, two answers under the next."""
    one, two = log.study.programme("batch_one"), log.study.programme("batch_two")
    for asked in (one, two):
        log.ask(asked)
        log.approve(asked)
    debits = [log.debit(asked) for asked in (one, two)]
    log.look()
    for asked, debit in zip((one, two), debits, strict=True):
        log.answer(asked, debit)
    log.look()


def crashed(log: Log) -> None:
    """The process ends between debit and answer: the money is gone, and the next attempt is charged anew."""
    asked = log.study.programme("crashed_once")
    log.ask(asked)
    log.approve(asked)
    log.debit(asked)
    log.look()
    log.wait(3600)
    log.spend(asked)


def masked(log: Log) -> None:
    """A programme of both kinds: the region's own answer, and its part in a national sum, which comes back."""
    asked = log.study.national("masked_one")
    log.ask(asked)
    if log.region == "FR":
        log.approve(asked)
    log.spend(asked)
    log.attempt(asked)
    log.keep_sum(asked)
    log.look()


def masked_too(log: Log) -> None:
    """The same, on the same day as in FR."""
    log.wait(4 * DAY_S)
    masked(log)


def returned(log: Log) -> None:
    """The national figures of the first programme come back."""
    asked = log.study.programme("outcomes")
    log.write("result", run=log.study.run(asked.digest), programme=asked.digest, hash=log.study.draw(64))
    log.look()


def lost(log: Log) -> None:
    """The disk was in doubt: a new epoch in which all that was left is charged."""
    log.reset()
    log.adopt_again()
    log.look()


def dry(log: Log) -> None:
    """Nothing is left after a reset."""
    asked = log.study.programme("after_reset")
    log.ask(asked)
    log.refuse(asked, "over_cohort_cap")
    log.look()


def wider(log: Log) -> None:
    """The steward signs wider caps, and one more programme is answered."""
    log.adopt("policy", "2", log.study.policy(log.region, 2, "0.9", "1.2"))
    log.look()
    asked = log.study.programme("wider_one")
    log.ask(asked)
    log.spend(asked)


FR: Chapters = {
    "opening": lambda log: opening(log, FRISIAN_CAPS),
    "first": first,
    "refused": refused,
    "steward": steward,
    "approved": approved,
    "declined": declined,
    "roster": roster,
    "together": together,
    "crashed": crashed,
    "masked": masked,
    "returned": returned,
}
GR: Chapters = {
    "opening": lambda log: opening(log, GRONINGEN_CAPS),
    "first": first,
    "lost": lost,
    "dry": dry,
    "wider": wider,
    "masked": masked_too,
}


@dataclass(slots=True)
class World:
    """Two logs, and the four bundles that are made of them, by file."""

    study: Study
    logs: Mapping[str, Log]
    sheaves: dict[str, Sheaf]

    @property
    def people(self) -> People:
        return self.study.people

    def sealed(self) -> dict[str, bytes]:
        return {file: sheaf.sealed() for file, sheaf in self.sheaves.items()}


def tell(study: Study, fr: Chapters = FR, gr: Chapters = GR) -> World:
    """Lives through both stories, a chapter a day, and collects the evidence."""
    logs = {}
    for region, chapters in (("FR", fr), ("GR", gr)):
        log = logs[region] = Log(study, study.people.regions[region])
        for chapter in chapters.values():
            log.sleep()
            chapter(log)
    both = list(logs.values())
    sheaves = {f"{log.region}.bundle": of_region(study.people, log, [o for o in both if o is not log]) for log in both}
    sheaves["coordinator.bundle"] = of_coordinator(study.people, both)
    sheaves["auditor.bundle"] = of_witness(study.people, both)
    return World(study, logs, sheaves)


def after(chapters: Chapters, name: str, added: Chapter) -> Chapters:
    """The story with one more chapter behind the named one."""
    told: dict[str, Chapter] = {}
    for title, chapter in chapters.items():
        told[title] = chapter
        if title == name:
            told["fraud"] = added
    return told


def instead(chapters: Chapters, name: str, other: Chapter) -> Chapters:
    """The story with the named chapter told otherwise."""
    return {title: other if title == name else chapter for title, chapter in chapters.items()}
