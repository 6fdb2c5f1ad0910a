"""Cheating about what is shown: files that leave out, put in or contradict, and witnesses that pretend."""

from __future__ import annotations

from collections.abc import Iterable

from rondgang.bundles import frame, seal
from rondgang.canonical import Json
from rondgang.notes import Checkpoint, cosign, sign_checkpoint

from audit.practise.fraud import Forger, Fraud, Planted, damaged, record_place, rewritten
from audit.practise.log import Log, Reply
from audit.practise.people import gather
from audit.practise.story import FR, World, instead, tell
from audit.practise.story import first as first_chapter
from audit.practise.study import Study
from policies.rules import evidence

_HEADER = "record 0, byte 0"


def beginning_destroyed(data: bytes, _world: World) -> tuple[bytes, str]:
    return bytes(64) + data[64:], _HEADER


def record_put_in(world: World) -> tuple[str, Iterable[str]]:
    """A node's file with a record that only a coordinator writes."""
    sheaf, (region, reply) = world.sheaves["FR.bundle"], world.sheaves["coordinator.bundle"].replies[0]
    sheaf.replies = [(region, reply)]
    return "FR.bundle", (record_place(sheaf.sealed(), "answer", 0),)


def two_files(study: Study) -> Planted:
    """The node made two files: in the second one another programme was answered first."""

    def otherwise(log: Log) -> None:
        log.wait(60)
        first_chapter(log)

    world, other = tell(study), tell(study, instead(FR, "first", otherwise))
    files = world.sealed() | {"FR-again.bundle": other.sheaves["FR.bundle"].sealed()}
    return Planted(files, "FR-again.bundle", tuple(f"FR/1#{at}" for at in range(9)))


def without_certificate(study: Study) -> Planted:
    """The records of FR's file without its certificates, sealed by FR."""
    world = tell(study)
    sheaf = world.sheaves["FR.bundle"]
    kept = [one for one in sheaf.records() if one["record"] != "certificate"]
    return Planted(world.sealed() | {"FR.bundle": b"".join(seal(map(frame, kept), sheaf.key))}, "FR.bundle", (_HEADER,))


def certificate_of_another_consortium(world: World) -> tuple[str, Iterable[str]]:
    """A certificate for FR, issued by somebody who is not the consortium."""
    others = gather(world.study.entropy)
    sheaf = world.sheaves["FR.bundle"]
    sheaf.certificates = (others.regions["FR"].certificate, others.root)
    return "FR.bundle", (_HEADER, record_place(sheaf.sealed(), "certificate", 0))


def made_before(world: World) -> tuple[str, Iterable[str]]:
    """The file says that it was made a week before its last entries."""
    sheaf, log = world.sheaves["FR.bundle"], world.logs["FR"]
    sheaf.header = evidence.header("region", "FR", log.now - 7 * 86_400, world.people.consortium.public.hex)
    return "FR.bundle", tuple(f"FR/1#{at}" for at in range(len(log.entries[1])))


def without_a_roster(world: World) -> tuple[str, Iterable[str]]:
    """Nobody shows who may sign."""
    for sheaf in world.sheaves.values():
        sheaf.papers = [one for one in sheaf.papers if one.kind != "roster"]
    return "", ("",)


def came_before(world: World) -> tuple[str, Iterable[str]]:
    """The coordinator had an answer an hour before it was logged."""
    sheaf, log = world.sheaves["coordinator.bundle"], world.logs["FR"]
    region, reply = sheaf.replies[0]
    sheaf.replies[0] = (region, Reply(reply.run, reply.received - 3600, reply.signed))
    answered = next(at for at, one in enumerate(log.entries[1]) if _event(one) == "answered")
    return "FR.bundle", (f"FR/1#{answered}",)


def _event(entry: dict[str, Json]) -> Json:
    match entry["body"]:
        case {"event": event}:
            return event
        case _:
            return None


def made_up_checkpoint(world: World) -> tuple[str, Iterable[str]]:
    """The coordinator shows a checkpoint that FR never signed."""
    people = world.people
    fake = sign_checkpoint(Checkpoint("FR/1", 500, bytes(32)), people.stranger.signing)
    note = fake.with_signature(cosign(fake, people.desk.signing, world.logs["FR"].now))
    sheaf = world.sheaves["coordinator.bundle"]
    sheaf.notes.append(note)
    return "coordinator.bundle", (record_place(sheaf.sealed(), "checkpoint", len(sheaf.notes) - 1), "FR/1#499")


def not_cosigned(world: World) -> tuple[str, Iterable[str]]:
    """The coordinator keeps among its own what only the auditor cosigned."""
    sheaf, log = world.sheaves["coordinator.bundle"], world.logs["FR"]
    sheaf.notes[1] = log.cosigned[world.people.auditor.name][1]
    size = sheaf.notes[1].checkpoint.size
    return "coordinator.bundle", (record_place(sheaf.sealed(), "checkpoint", 1), f"FR/1#{size - 1}")


def went_back(world: World) -> tuple[str, Iterable[str]]:
    """The coordinator cosigned the log's beginning once more, a day after its end."""
    sheaf, log = world.sheaves["coordinator.bundle"], world.logs["FR"]
    note = log.cosigned[world.people.desk.name][0]
    later = cosign(note, world.people.desk.signing, log.now + 86_400)
    sheaf.notes[0] = note.with_signature(later)
    size = note.checkpoint.size
    return "coordinator.bundle", (f"FR/1#{size}", f"FR/1#{size - 1}")


def accused(world: World) -> tuple[str, Iterable[str]]:
    """The coordinator says that FR contradicted itself, by a checkpoint that FR never signed."""
    people, held = world.people, world.logs["FR"].notes[0]
    fake = sign_checkpoint(Checkpoint("FR/1", held.checkpoint.size, bytes(32)), people.stranger.signing)
    sheaf = world.sheaves["coordinator.bundle"]
    sheaf.forks.append(evidence.fork("FR", "forked", world.logs["FR"].now, held.to_text(), fake.to_text()))
    return "coordinator.bundle", (record_place(sheaf.sealed(), "fork", 0),)


FRAUDS = (
    Fraud(
        "beginning-destroyed",
        "The first bytes of the file are gone.",
        Forger.NOBODY,
        frozenset({"file.no_bundle"}),
        damaged(beginning_destroyed),
    ),
    Fraud(
        "record-put-in",
        "A node's file holds a record that only a coordinator writes.",
        Forger.NODE,
        frozenset({"record.malformed"}),
        rewritten(record_put_in),
    ),
    Fraud(
        "two-files-of-one-region",
        "The node made two files that tell different histories.",
        Forger.NODE_AND_WITNESSES,
        frozenset({"history.two_files"}),
        two_files,
    ),
    Fraud(
        "certificate-left-out",
        "A file does not say by which certificate its maker takes part.",
        Forger.NODE,
        frozenset({"certificate.missing"}),
        without_certificate,
    ),
    Fraud(
        "certificate-of-another-consortium",
        "A certificate for FR was issued by somebody who is not the consortium.",
        Forger.NODE,
        frozenset({"certificate.unknown"}),
        rewritten(certificate_of_another_consortium),
    ),
    Fraud(
        "made-before-its-end",
        "A file says that it was made a week before its last entries.",
        Forger.NODE,
        frozenset({"clock.export"}),
        rewritten(made_before),
    ),
    Fraud(
        "roster-left-out",
        "No file shows who takes part.",
        Forger.NODE_AND_WITNESSES,
        frozenset({"roster.none"}),
        rewritten(without_a_roster),
    ),
    Fraud(
        "answer-before-its-entry",
        "The coordinator had an answer an hour before the log has it.",
        Forger.NODE_AND_DESK,
        frozenset({"given.before"}),
        rewritten(came_before),
    ),
    Fraud(
        "checkpoint-made-up",
        "The coordinator shows a checkpoint that the region never signed.",
        Forger.DESK,
        frozenset({"checkpoint.unsigned"}),
        rewritten(made_up_checkpoint),
    ),
    Fraud(
        "not-its-own-cosignature",
        "The coordinator keeps as its own what only the auditor cosigned.",
        Forger.DESK,
        frozenset({"checkpoint.not_cosigned"}),
        rewritten(not_cosigned),
    ),
    Fraud(
        "witness-went-back",
        "The coordinator cosigned a smaller log after a larger one.",
        Forger.NODE_AND_DESK,
        frozenset({"witness.went_back"}),
        rewritten(went_back),
    ),
    Fraud(
        "falsely-accused",
        "The coordinator says that a region contradicted itself, and made the proof up.",
        Forger.DESK,
        frozenset({"fork.false"}),
        rewritten(accused),
    ),
)
