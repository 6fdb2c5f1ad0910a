"""Cheating about the files, and about what the coordinator was given."""

from __future__ import annotations

from collections.abc import Iterable

from rondgang import canonical
from rondgang.bundles import records
from rondgang.canonical import Json
from rondgang.signed import Signed

from audit.practise import papers
from audit.practise.fraud import Forger, Fraud, Planted, damaged, lived, record_place, rewritten
from audit.practise.log import Log, Reply
from audit.practise.papers import body_of, paper
from audit.practise.people import gather
from audit.practise.story import World, tell
from audit.practise.study import Study


def cut_in_a_record(data: bytes, _world: World) -> tuple[bytes, str]:
    record = list(records(data))[12]
    return data[: record.offset + 100], f"record 12, byte {record.offset}"


def cut_between_records(data: bytes, _world: World) -> tuple[bytes, str]:
    record = list(records(data))[40]
    return data[: record.offset], f"record 40, byte {record.offset}"


def length_altered(data: bytes, _world: World) -> tuple[bytes, str]:
    record = list(records(data))[20]
    longer = (int.from_bytes(data[record.offset : record.offset + 4], "big") + 1).to_bytes(4, "big")
    return data[: record.offset] + longer + data[record.offset + 4 :], f"record 20, byte {record.offset}"


def digit_flipped(data: bytes, _world: World) -> tuple[bytes, str]:
    """One digit of a charge, in the file alone."""
    record = next(one for one in records(data) if one.value["record"] == "entry" and b'"charge":"1' in one.data)
    at = record.offset + 4 + record.data.index(b'"charge":"1') + 10
    return data[:at] + b"3" + data[at + 1 :], f"record {record.number}, byte {record.offset}"


def record_taken_out(data: bytes, _world: World) -> tuple[bytes, str]:
    """A whole record is gone, with its length; the seal was kept."""
    record = [one for one in records(data) if one.value["record"] == "entry"][7]
    return data[: record.offset] + data[
        record.offset + 4 + len(record.data) :
    ], f"record {record.number}, byte {record.offset}"


def sealed_by_a_stranger(study: Study) -> Planted:
    world = tell(study)
    files = world.sealed() | {"FR.bundle": world.sheaves["FR.bundle"].sealed(study.people.stranger.signing)}
    last = len(list(records(files["FR.bundle"]))) - 1
    return Planted(files, "FR.bundle", (f"record {last}",))


def wrong_certificate(world: World) -> tuple[str, Iterable[str]]:
    """The certificate is that of another region."""
    sheaf, people = world.sheaves["FR.bundle"], world.people
    sheaf.certificates = (people.regions["GR"].certificate, people.root)
    return "FR.bundle", ("record 1",)


def another_consortium(study: Study) -> Planted:
    """Everything of FR is true under another consortium, which the auditor did not pin."""
    others = Study(gather(study.entropy), study.entropy)
    files = tell(study).sealed() | {"FR.bundle": tell(others).sealed()["FR.bundle"]}
    return Planted(files, "FR.bundle", ("record 0",))


def header_of_another(world: World) -> tuple[str, Iterable[str]]:
    """GR's history under FR's name."""
    world.sheaves["FR.bundle"].entries = dict(world.sheaves["GR.bundle"].entries)
    return "FR.bundle", ("FR/1#0", "GR/1#0")


def _unlogged(log: Log) -> Iterable[int]:
    """An answer leaves of which the log says nothing at all."""
    asked = log.study.programme("unlogged")
    order = log.study.order(log.study.run(asked.digest), asked, log.now)
    log.sent += [asked, order]
    log.replies.append(Reply(log.study.run(asked.digest), log.now, log.reply(asked)))
    return ()


def hidden_debit(study: Study) -> Planted:
    planted = lived(_unlogged, behind="first")(study)
    return Planted(
        planted.files, "coordinator.bundle", (record_place(planted.files["coordinator.bundle"], "answer", 1),)
    )


def _altered(reply: Reply) -> dict[str, Json]:
    """The answer with its first block's numbers replaced."""
    body = body_of(reply.signed)
    match body["blocks"]:
        case [{"id": str(name), "values": str(values)}, *rest]:
            # As many numbers as before.
            return body | {"blocks": [{"id": name, "values": "A" * (len(values) - 2) + values[-2:]}, *rest]}
        case _:
            raise ValueError("not an answer")


def answer_altered(world: World) -> tuple[str, Iterable[str]]:
    """The coordinator changed an answer; the node's signature no longer holds."""
    sheaf, log = world.sheaves["coordinator.bundle"], world.logs["FR"]
    region, reply = sheaf.replies[0]
    body = canonical.encode(_altered(reply))
    sheaf.replies[0] = (region, Reply(reply.run, reply.received, Signed("answer", body, reply.signed.signatures)))
    answered = next(at for at, one in enumerate(log.entries[1]) if b'"answered"' in canonical.encode(one))
    return "coordinator.bundle", (f"FR/1#{answered}", record_place(sheaf.sealed(), "answer", 0))


def answer_replaced(world: World) -> tuple[str, Iterable[str]]:
    """Node and coordinator put another answer in the place of the one that was logged."""
    sheaf, log = world.sheaves["coordinator.bundle"], world.logs["FR"]
    region, reply = sheaf.replies[0]
    signed = paper("answer", _altered(reply), log.who.signing)
    sheaf.replies[0] = (region, Reply(reply.run, reply.received, signed))
    answered = next(at for at, one in enumerate(log.entries[1]) if b'"answered"' in canonical.encode(one))
    return "coordinator.bundle", (f"FR/1#{answered}", record_place(sheaf.sealed(), "answer", 0))


def revoked_region(log: Log) -> Iterable[int]:
    """The consortium revoked GR; it goes on, and the coordinator takes its answers."""
    people = log.study.people
    body = papers.roster(people, 3, log.now)
    match body["members"]:
        case list(members):
            body["members"] = [
                {**one, "revoked": True} if isinstance(one, dict) and one.get("region") == "GR" else one
                for one in members
            ]
    revoked = paper("roster", body, people.consortium)
    log.study.rosters.append(revoked)
    log.adopt("roster", "3", revoked)
    asked = log.study.programme("revoked_region")
    log.ask(asked)
    debit = log.spend(asked)
    return debit, debit + 1


FRAUDS = (
    Fraud(
        "cut-off-in-a-record",
        "The file ends in the middle of a record.",
        Forger.NOBODY,
        frozenset({"file.broken"}),
        damaged(cut_in_a_record),
    ),
    Fraud(
        "cut-off-between-records",
        "The file ends after a record, without its seal.",
        Forger.NOBODY,
        frozenset({"seal.missing"}),
        damaged(cut_between_records),
    ),
    Fraud(
        "length-altered",
        "The length of a record is one more.",
        Forger.NOBODY,
        frozenset({"file.broken"}),
        damaged(length_altered),
    ),
    Fraud(
        "digit-flipped",
        "One digit of a charge was changed in the file.",
        Forger.NOBODY,
        frozenset({"seal.broken"}),
        damaged(digit_flipped),
    ),
    Fraud(
        "record-taken-out",
        "A whole record was taken out of the sealed file.",
        Forger.NOBODY,
        frozenset({"seal.broken"}),
        damaged(record_taken_out),
    ),
    Fraud(
        "sealed-by-a-stranger",
        "The file is sealed by a key on no roster.",
        Forger.NOBODY,
        frozenset({"seal.unknown"}),
        sealed_by_a_stranger,
    ),
    Fraud(
        "wrong-certificate",
        "FR's file holds GR's certificate.",
        Forger.NODE,
        frozenset({"certificate.bad"}),
        rewritten(wrong_certificate),
    ),
    Fraud(
        "another-consortium",
        "Everything is true, under a consortium that the auditor did not pin.",
        Forger.CONSORTIUM,
        frozenset({"consortium.other"}),
        another_consortium,
    ),
    Fraud(
        "history-of-another-region",
        "FR's file holds GR's log.",
        Forger.NODE,
        frozenset({"entry.region"}),
        rewritten(header_of_another),
    ),
    Fraud(
        "hidden-debit",
        "The coordinator has an answer of which the log says nothing.",
        Forger.NODE,
        frozenset({"given.unlogged"}),
        hidden_debit,
    ),
    Fraud(
        "answer-altered",
        "The coordinator changed the numbers of an answer.",
        Forger.DESK,
        frozenset({"given.unsigned"}),
        rewritten(answer_altered),
    ),
    Fraud(
        "answer-replaced",
        "Node and coordinator put another answer in place of the logged one.",
        Forger.NODE_AND_DESK,
        frozenset({"given.unlogged"}),
        rewritten(answer_replaced),
    ),
    Fraud(
        "revoked-region",
        "A region that the consortium revoked goes on answering.",
        Forger.NODE_AND_WITNESSES,
        frozenset({"debit.revoked"}),
        lived(revoked_region, behind="wider", region="GR"),
    ),
)
