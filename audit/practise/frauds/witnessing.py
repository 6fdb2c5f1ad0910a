"""Cheating about the witnesses: too few of them, the wrong ones, at the wrong moment."""

from __future__ import annotations

from collections.abc import Iterable

from rondgang.canonical import Json
from rondgang.notes import NoteSignature, cosign

from audit.practise.fraud import Forger, Fraud, Tale, lived, record_place, rewritten
from audit.practise.log import Log
from audit.practise.people import Person
from audit.practise.story import World


def _cosigned_by(name: str, pick: str) -> Tale:
    """A tale in which the checkpoint between debit and answer has other names on it."""

    def tale(log: Log) -> Iterable[int]:
        people = log.study.people
        by: dict[str, tuple[Person, ...]] = {
            "desk": (people.desk,),
            "auditor": (people.auditor,),
            "stranger": (people.desk, people.stranger),
            "twice": (people.desk, people.desk),
        }
        asked = log.study.programme(name)
        log.ask(asked)
        debit = log.debit(asked)
        log.look(*by[pick])
        answered = log.answer(asked, debit)
        log.look()
        return debit, answered

    return tale


def no_checkpoint(log: Log) -> Iterable[int]:
    asked = log.study.programme("unwitnessed")
    log.ask(asked)
    debit = log.debit(asked)
    answered = log.answer(asked, debit)
    log.look()
    return debit, answered


def left_early(log: Log) -> Iterable[int]:
    """The answer left an hour before the checkpoint that has it was cosigned: copies of the node could give others."""
    asked = log.study.programme("left_early")
    log.ask(asked)
    debit = log.debit(asked)
    log.look()
    answered = log.answer(asked, debit)
    log.wait(3600)
    log.look()
    return (answered,)


def desk_twice(log: Log) -> Iterable[int]:
    """The coordinator's cosignature stands there twice, made at two moments."""
    desk = log.study.people.desk
    asked = log.study.programme("desk_twice")
    log.ask(asked)
    debit = log.debit(asked)
    note = log.look(desk)
    log.notes[-1] = note.with_signature(cosign(note, desk.signing, log.now + 1))
    answered = log.answer(asked, debit)
    log.look()
    return debit, answered


def _rule(rule: Json, *witnesses: str) -> Tale:
    """A tale in which the steward signs another rule for witnesses, and it is kept to the letter."""

    def tale(log: Log) -> Iterable[int]:
        people = log.study.people
        policy = log.study.policy(log.region, 7, "1.2", "1.5", witnesses=rule)
        adopted = log.adopt("policy", "7", policy)
        log.look()
        asked = log.study.programme("other_rule")
        log.ask(asked)
        debit = log.debit(asked)
        by = [one for one in people.witnesses if not witnesses or one.party.role.value in witnesses]
        log.look(*by)
        log.answer(asked, debit)
        log.look()
        return adopted, debit

    return tale


def time_altered(world: World) -> tuple[str, Iterable[str]]:
    """The time in one cosignature is an hour earlier; the signature under it no longer holds."""
    note = world.sheaves["FR.bundle"].notes[1]
    line = note.signatures[2]
    early = int.from_bytes(line.value[:8], "big") - 3600
    changed = NoteSignature(line.name, line.key_id, early.to_bytes(8, "big") + line.value[8:])
    world.sheaves["FR.bundle"].notes[1] = type(note)(note.text, (*note.signatures[:2], changed))
    here = record_place(world.sheaves["FR.bundle"].sealed(), "checkpoint", 1)
    return "FR.bundle", (here, f"FR/1#{note.checkpoint.size - 1}")


def of_another_region(world: World) -> tuple[str, Iterable[str]]:
    """One of FR's checkpoints is GR's."""
    theirs = world.logs["GR"].notes[0]
    world.sheaves["FR.bundle"].notes.insert(1, theirs)
    here = record_place(world.sheaves["FR.bundle"].sealed(), "checkpoint", 1)
    return "FR.bundle", (here, f"GR/1#{theirs.checkpoint.size - 1}")


def _fraud(name: str, what: str, codes: set[str], tale: Tale, forger: Forger = Forger.NODE) -> Fraud:
    return Fraud(name, what, forger, frozenset(codes), lived(tale, behind="first"))


_TOO_FEW = {"witness.missing"}

FRAUDS = (
    _fraud("no-checkpoint", "Nobody cosigned between a debit and its answer.", _TOO_FEW, no_checkpoint),
    _fraud(
        "answer-left-early",
        "An answer left before enough witnesses had cosigned that it exists.",
        {"given.unwitnessed"},
        left_early,
    ),
    _fraud(
        "coordinator-alone",
        "The coordinator alone cosigned a debit.",
        _TOO_FEW,
        _cosigned_by("desk_alone", "desk"),
        Forger.NODE_AND_DESK,
    ),
    _fraud(
        "auditor-alone",
        "One witness alone cosigned a debit; the policy wants two.",
        _TOO_FEW,
        _cosigned_by("auditor_alone", "auditor"),
    ),
    _fraud(
        "unknown-witness",
        "The second name under a debit is on no roster.",
        _TOO_FEW,
        _cosigned_by("unknown_witness", "stranger"),
        Forger.NODE_AND_DESK,
    ),
    _fraud(
        "coordinator-twice",
        "The coordinator cosigned a debit twice, and nobody else.",
        _TOO_FEW,
        desk_twice,
        Forger.NODE_AND_DESK,
    ),
    _fraud(
        "need-of-one",
        "The policy lets one witness suffice.",
        {"witness.unsound"},
        _rule({"need": 1, "faulty": 0}, "coordinator"),
        Forger.NODE_AND_STEWARD,
    ),
    _fraud(
        "unsound-rule",
        "The policy's rule of witnesses lets two histories both be cosigned.",
        {"witness.unsound"},
        _rule({"faulty": 2}),
        Forger.NODE_AND_STEWARD,
    ),
    Fraud(
        "cosignature-time-altered",
        "The time of a cosignature was put an hour back.",
        Forger.NODE,
        frozenset({"cosignature.false"}),
        rewritten(time_altered),
    ),
    Fraud(
        "checkpoint-of-another-region",
        "A checkpoint of GR stands among those of FR.",
        Forger.NODE,
        frozenset({"checkpoint.foreign"}),
        rewritten(of_another_region),
    ),
)
