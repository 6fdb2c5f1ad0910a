"""`rondgang coordinator export-evidence` beside a running desk: everything it was given, as it came, under its seal."""

from __future__ import annotations

import json
from contextlib import ExitStack
from pathlib import Path
from typing import Any

from rondgang import canonical
from rondgang.bundles import records, seal_of
from rondgang.keys import PublicKey
from rondgang.notes import cosigned_at
from rondgang.signed import Signed, verify
from typer.testing import CliRunner

from audit.bundles import read
from audit.model import Bundle
from coordinator.cli import app
from coordinator.gather import State
from coordinator.store import papers
from coordinator.store.papers import MOST_OTHERS
from coordinator.store.store import RunRecord, open_store
from tests.desk import Country, DeskThread, all_nodes, answer_bytes, draft, now
from tests.region_log import Log
from tests.witness_world import Caller


def exported(country: Country, out: Path) -> tuple[dict[str, Any], Bundle]:
    """What the verb printed and what an auditor reads, which has nothing to find fault with."""
    words = ["export-evidence", "--out", str(out), "--home", str(country.desk.folder), "--json"]
    done = CliRunner().invoke(app, words)
    assert done.exit_code == 0, (done.output, done.exception)
    data = out.read_bytes()
    seal = seal_of(list(records(data)), data)
    assert seal is not None
    assert (seal.whole, seal.key) == (True, country.desk.signing_key().public.hex)
    found = read("coordinator.bundle", data)
    assert found.findings == ()
    assert found.bundle is not None
    return json.loads(done.stdout), found.bundle


def test_the_desk_hands_over_what_it_worked_by_asked_and_was_given(tmp_path: Path) -> None:
    country, before = Country.found(tmp_path), now()
    log = Log("AA", country.regions["AA"][0].keys["checkpoint"])
    with DeskThread(country) as server, country.open() as desk, ExitStack() as stack:
        nodes = all_nodes(stack, country, server.port)
        programme = desk.plan(draft()).signed
        run = desk.submit(desk.plan(draft())).run
        *_, _ = desk.watch(run)
        first = dict(zip(("AA", "BB", "CC"), desk.fetch(run).signed_answers, strict=True))
        other = answer_bytes("BB", programme, nodes["BB"].checkpoint, value=41)
        nodes["BB"].respond = lambda _, __: other
        desk.submit(desk.plan(draft()), again=True)
        *_, _ = desk.watch(run)
        country.adopt(country.consortium.roster())
        with Caller(server.port, country.regions["AA"][1]) as caller:
            for given in (log.brings(3), log.brings(8, 3), log.branched(1, "another").brings(8, 8)):
                caller.add(given)
        facts, bundle = exported(country, tmp_path / "running.bundle")
    key = country.desk.signing_key().public
    assert (facts["documents"], facts["checkpoints"], facts["forks"], facts["answers"]) == (6, 2, 1, 4)
    assert facts["sealed_by"] == key.fingerprint
    assert (bundle.maker, bundle.name, bundle.consortium) == ("coordinator", "Desk", country.consortium.public.hex)
    assert [paper.kind for paper in bundle.papers.values()] == [
        "roster", "calendar", "codebook", "roster", "programme", "order",
    ]  # fmt: skip
    order = next(paper for paper in bundle.papers.values() if paper.kind == "order")
    assert verify(Signed.from_bytes(order.envelope), key)
    assert order.envelope == nodes["AA"].orders[0].signed_order
    assert order.body["programme"] == programme.digest
    came = {(one.region, one.paper.envelope) for one in bundle.answers}
    assert came == {*first.items(), ("BB", other)}
    assert all(one.run == run and before <= one.received <= now() for one in bundle.answers)
    assert [note.checkpoint for note in bundle.checkpoints] == [log.note(3).checkpoint, log.note(8).checkpoint]
    assert all((cosigned_at(note, key) or 0) >= before for note in bundle.checkpoints)
    assert [(fork.region, fork.why) for fork in bundle.forks] == [("AA", "forked")]
    _, later = exported(country, tmp_path / "stopped.bundle")
    assert (later.papers, later.checkpoints, later.answers) == (bundle.papers, bundle.checkpoints, bundle.answers)


def test_a_region_that_sends_ever_new_answers_does_not_fill_the_disk(tmp_path: Path) -> None:
    with open_store(f"sqlite:///{tmp_path / 'desk.sqlite'}") as store:
        store.open_run(RunRecord("run-00", "a" * 64, b"programme", 1, 2, State.ASKING))
        for number in range(2 * MOST_OTHERS):
            store.keep_answer("run-00", "AA", canonical.encode({"answer": number}), 10 + number)
            store.keep_answer("run-00", "AA", canonical.encode({"answer": 2}), 12)
        kept = store.within(lambda connection: papers.received(connection, "run-00"))
    assert len(kept) == 1 + MOST_OTHERS
    assert [(one.received, one.data) for one in kept] == [
        (10 + number, canonical.encode({"answer": number})) for number in range(1 + MOST_OTHERS)
    ]


def test_a_desk_that_never_ran_has_nothing_to_hand_over(tmp_path: Path) -> None:
    country = Country.found(tmp_path)
    words = ["export-evidence", "--out", str(tmp_path / "x"), "--home", str(country.desk.folder), "--json"]
    done = CliRunner().invoke(app, words)
    assert done.exit_code == 2
    assert json.loads(done.stdout)["error"] == "bad_input"
    assert not (tmp_path / "x").exists()


def test_the_key_under_the_seal_is_the_one_on_the_roster(tmp_path: Path) -> None:
    country = Country.found(tmp_path)
    with DeskThread(country):
        pass
    _, bundle = exported(country, tmp_path / "empty.bundle")
    (roster,) = [paper for paper in bundle.papers.values() if paper.kind == "roster"]
    assert f'"signing":"{PublicKey.from_hex(bundle.sealed_by).hex}"' in roster.envelope.decode()
