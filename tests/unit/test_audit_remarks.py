"""What is worth a question or a remark but breaks no promise: each comes where it should, and the evidence holds.

Errors are planted as frauds (tests/attack/test_frauds.py); that neither comes in an honest story is tested there too.
"""

from __future__ import annotations

import importlib
import pkgutil
from collections.abc import Callable, Mapping
from dataclasses import dataclass

import pytest
from rondgang import canonical
from rondgang.keys import PublicKey
from rondgang.notes import Note
from rondgang.signed import Signed

import audit.bundles
import audit.checks
import audit.verify
from audit.findings import Rule, Severity
from audit.practise import papers
from audit.practise.folder import counted
from audit.practise.log import Log
from audit.practise.papers import paper
from audit.practise.people import DAY_S, gather
from audit.practise.rounds import national_sum
from audit.practise.story import FR, GR, World, after, instead, lost, masked_too, tell
from audit.verdict import Verdict
from audit.verify import verify
from policies.rules import evidence
from tests.made_up import honest_files, people, study

Files = Mapping[str, bytes]


def changed(change: Callable[[World], None]) -> Files:
    """The honest story with something changed before its files are sealed."""
    world = tell(study())
    change(world)
    return world.sealed()


def without(*names: str) -> Files:
    return {file: data for file, data in honest_files().items() if file not in names}


def twice() -> Files:
    return {**honest_files(), "copy.bundle": honest_files()["GR.bundle"]}


def exported_before_the_end(world: World) -> None:
    """FR's file was made a day before its last chapter, which others know."""
    log, sheaf = world.logs["FR"], world.sheaves["FR.bundle"]
    last = log.entries[1][-5]["time"]
    assert isinstance(last, int)
    early = [one for one in log.entries[1] if isinstance(one["time"], int) and one["time"] < last - DAY_S // 2]
    sheaf.entries = {1: early}
    sheaf.notes = [note for note in sheaf.notes if note.checkpoint.size <= len(early)]
    sheaf.header |= {"made": early[-1]["time"]}


def old_epoch_lost(world: World) -> None:
    """GR's old ledger file is gone, with its notes; the others' remember."""
    sheaf = world.sheaves["GR.bundle"]
    del sheaf.entries[1]
    sheaf.notes = [note for note in sheaf.notes if note.checkpoint.epoch == 2]


def answer_never_sent(world: World) -> None:
    del world.sheaves["coordinator.bundle"].replies[1]


def order_not_shown(world: World) -> None:
    sheaf = world.sheaves["coordinator.bundle"]
    run = sheaf.replies[0][1].run
    sheaf.papers = [one for one in sheaf.papers if one.kind != "order" or f'"{run}"' not in one.document.decode()]


def member_until(world: World, name: str, seconds: int) -> None:
    """A newer roster, in the coordinator's file alone, by which somebody's certificate ended before the files."""
    body = papers.roster(world.people, 3, world.logs["FR"].now + 1)
    members = body["members"]
    assert isinstance(members, list)
    for member in members:
        if isinstance(member, dict) and member["name"] == name:
            member["valid_to"] = world.logs["FR"].now - seconds
    world.sheaves["coordinator.bundle"].papers.append(paper("roster", body, world.people.consortium))


def certificate_ended(world: World) -> None:
    member_until(world, "Made-up auditor", 3600)


def other_root(world: World) -> None:
    """The witness's certificate is its own, under another root."""
    others = gather(counted("another root"))
    body = papers.roster(world.people, 3, world.logs["FR"].now + 1)
    members = body["members"]
    assert isinstance(members, list)
    for member in members:
        if isinstance(member, dict) and member["name"] == others.auditor.name:
            member["tls"] = others.auditor.tls
    world.sheaves["coordinator.bundle"].papers.append(paper("roster", body, world.people.consortium))
    world.sheaves["auditor.bundle"].certificates = (others.auditor.certificate, others.root)


def unsigned_gossip(world: World) -> None:
    sheaf = world.sheaves["GR.bundle"]
    (note,) = sheaf.seen
    sheaf.seen = [Note(note.text, note.signatures[1:])]


def witness_forgot(world: World) -> None:
    del world.sheaves["auditor.bundle"].notes[3]


def unproved_extension(world: World) -> None:
    """A witness kept two checkpoints of one log: nothing was proved between them, and nothing is wrong with them."""
    one, other = world.logs["FR"].notes[:2]
    kept = evidence.fork("FR", "bad_proof", world.logs["FR"].now, one.to_text(), other.to_text())
    world.sheaves["auditor.bundle"].forks.append(kept)


def lists_left_out(world: World) -> None:
    sheaf = world.sheaves["coordinator.bundle"]
    sheaf.papers = [one for one in sheaf.papers if one.kind != "sharing"]


def sum_not_shown(world: World) -> None:
    sheaf = world.sheaves["coordinator.bundle"]
    sheaf.papers = [one for one in sheaf.papers if one.kind != "national_sum"]


def sum_lost() -> Files:
    """GR lost the part of its log in which its vector left."""

    def again(log: Log) -> None:
        masked_too(log)
        lost(log)

    world = tell(study(), FR, instead(GR, "masked", again))
    sheaf = world.sheaves["GR.bundle"]
    del sheaf.entries[2]
    sheaf.notes = [note for note in sheaf.notes if note.checkpoint.epoch != 2]
    return world.sealed()


def came_too_late() -> Files:
    """Three regions are asked, of which one may drop out: GR attempts, and is not in the sum."""

    def chapter(log: Log) -> None:
        asked = of_four(log)
        log.ask(asked)
        log.spend(asked)
        debit = log.debit(asked, number=1)
        log.look()
        rounds = without_gr(log, asked)
        log.sent += rounds
        log.vector(asked, debit, participants=rounds[0].digest)
        log.look()

    return tell(study(), after(FR, "first", chapter), after(GR, "wider", chapter)).sealed()


def of_four(log: Log) -> Signed:
    """A programme of four regions, two of which nobody has evidence of."""
    body = papers.nationally(log.study.programme_body("of_four"), dropouts=1, attempts=1)
    weights: dict[str, canonical.Json] = dict.fromkeys(("DR", "FR", "GR", "UT"), 1000)
    return log.study.programme("of_four", **{**body, "weights": weights})


def without_gr(log: Log, asked: Signed) -> list[Signed]:
    """All four are named and share; GR's vector does not come."""
    desk, run = people().desk.signing, log.study.run(asked.digest)
    four: list[canonical.Json] = ["DR", "FR", "GR", "UT"]
    three: list[canonical.Json] = ["DR", "FR", "UT"]
    here: dict[str, canonical.Json] = {"run": run, "programme": asked.digest, "attempt": 1}
    keys: dict[str, canonical.Json] = {str(region): "5" * 64 for region in four}
    named = paper("participants", here | {"keys": keys}, desk)
    sharing = paper("sharing", {"participants": named.digest, "regions": four}, desk)
    survivors = paper("survivors", {"sharing": sharing.digest, "regions": three}, desk)
    body = national_sum(counted("sum of three"), here, asked, survivors.digest, ["DR", "FR", "UT"])
    return [named, sharing, survivors, paper("national_sum", body, desk)]


def dearer_than_it_needs() -> Files:
    """A programme that takes a household for two: paid twice over, and nobody exposed."""

    def chapter(log: Log) -> None:
        blocks = [papers.block("n1", 3, 2, 40_000_000)]
        count: canonical.Json = {"id": "households", "kind": "count", "unit": "household", "wave": "T1"}
        assert isinstance(count, dict)
        price = {"rho": str(papers.price(blocks))}
        asked = log.study.programme(
            "dear", statistics=[count | {"by": ["profile"]}], blocks=[*blocks], charge={**price}
        )
        log.ask(asked)
        log.spend(asked)

    return tell(study(), after(FR, "first", chapter), GR).sealed()


def revoked_elsewhere() -> Files:
    """GR never heard of the roster that revokes a researcher, whose question it answers."""

    def chapter(log: Log) -> None:
        asked = log.study.programme("of_the_leaver", people().leaver.signing)
        log.ask(asked)
        log.wait(5 * DAY_S)
        asked = log.study.programme("of_the_leaver_again", people().leaver.signing)
        log.ask(asked)
        log.spend(asked)

    return tell(study(), FR, after(GR, "wider", chapter)).sealed()


def calendar_rewritten() -> Files:
    """A calendar that the consortium signed opens the release window a day before the first one did."""

    def chapter(log: Log) -> None:
        body = papers.calendar()
        match body:
            case {"cohorts": {"c1": {"windows": {"release": list(window)}}}} if isinstance(window[0], int):
                window[0] -= DAY_S
        body |= {"calendar": {"id": "madeup_rotation", "version": 2, "labels": papers.labels("x", "x")}}
        log.adopt("calendar", "madeup_rotation@2", paper("calendar", body, people().consortium))

    return tell(study(), after(FR, "first", chapter), GR).sealed()


@dataclass(frozen=True)
class Remark:
    """Which finding is expected of files, and about which of them."""

    code: str
    files: Callable[[], Files]
    about: str
    entry: str = ""
    pinned: bool = True


REMARKS = (
    Remark("calendar.rewritten", calendar_rewritten, "FR.bundle"),
    Remark("consortium.unpinned", honest_files, "", pinned=False),
    Remark("coverage.coordinator", lambda: without("coordinator.bundle"), ""),
    Remark("coverage.witness", lambda: without("auditor.bundle"), ""),
    Remark("file.twice", twice, "copy.bundle"),
    Remark("given.not_compared", lambda: without("FR.bundle"), "coordinator.bundle"),
    Remark("given.missing", lambda: changed(answer_never_sent), "FR.bundle", "FR/1#15"),
    Remark("given.no_order", lambda: changed(order_not_shown), "coordinator.bundle"),
    Remark("history.stale", lambda: changed(exported_before_the_end), "FR.bundle"),
    Remark("epoch.lost", lambda: changed(old_epoch_lost), "GR.bundle", "GR/2#0"),
    Remark("given.lost", lambda: changed(old_epoch_lost), "coordinator.bundle"),
    Remark("certificate.revoked", lambda: changed(certificate_ended), "auditor.bundle"),
    Remark("certificate.root", lambda: changed(other_root), "auditor.bundle"),
    Remark("checkpoint.gossip", lambda: changed(unsigned_gossip), "GR.bundle"),
    Remark("witness.forgot", lambda: changed(witness_forgot), "auditor.bundle"),
    Remark("fork.kept", lambda: changed(unproved_extension), "auditor.bundle"),
    Remark("price.bound_large", dearer_than_it_needs, "FR.bundle"),
    Remark("roster.behind", revoked_elsewhere, "GR.bundle"),
    Remark("sum.papers", lambda: changed(lists_left_out), "coordinator.bundle"),
    Remark("sum.missing", lambda: changed(sum_not_shown), "FR.bundle", "FR/1#39"),
    Remark("sum.not_compared", lambda: without("GR.bundle"), "coordinator.bundle"),
    Remark("sum.not_compared", sum_lost, "GR.bundle"),
    Remark("sum.not_in", came_too_late, "GR.bundle"),
)


def verdict(files: Files, pinned: PublicKey | None) -> Verdict:
    return verify(list(files.items()), pinned)


@pytest.mark.parametrize("remark", REMARKS, ids=lambda remark: remark.code)
def test_a_remark_comes_where_it_should_and_the_evidence_holds(remark: Remark) -> None:
    found = verdict(remark.files(), people().consortium.public if remark.pinned else None)
    told = [(one.severity.value, one.code, one.bundle, one.entry, one.what) for one in found.findings]
    assert found.sound, told
    assert any(one.code == remark.code and one.bundle == remark.about for one in found.findings), told
    assert not remark.entry or remark.entry in {one.entry for one in found.findings}, told


def test_every_remark_that_verify_knows_is_made_here() -> None:
    rooms = [audit.bundles, audit.verify]
    names = (one.name for one in pkgutil.iter_modules(audit.checks.__path__))
    rooms += [importlib.import_module(f"audit.checks.{name}") for name in names]
    rules = [rule for room in rooms for rule in vars(room).values() if isinstance(rule, Rule)]
    assert {rule.code for rule in rules if rule.severity is not Severity.ERROR} == {one.code for one in REMARKS}


def test_the_honest_story_needs_no_remark() -> None:
    assert verdict(honest_files(), people().consortium.public).findings == ()


def test_the_key_to_compare_is_in_the_remark_that_nobody_compared_it() -> None:
    found = verdict(honest_files(), None)
    assert [one.code for one in found.findings] == ["consortium.unpinned"]
    assert people().consortium.public.fingerprint in found.findings[0].what
    assert found.consortium == people().consortium.public.hex


def test_the_sentence_says_what_there_was_and_what_was_lost() -> None:
    whole = verdict(honest_files(), None)
    most = max(sum(spend.charge for spend in region.spends) for region in whole.regions)
    assert whole.sentence.startswith("The evidence of 2 regions holds: ")
    assert f"{len(whole.regions[0].spends) + len(whole.regions[1].spends)} debits" in whole.sentence
    assert f" of at most {most / 10**9} rho in a region" in whole.sentence
    assert whole.sentence.endswith("nothing was spent that is not in the logs.")
    assert "a lost ledger" in verdict(changed(old_epoch_lost), None).sentence
    assert verdict(changed(witness_forgot), None).sentence.endswith("in the logs; 1 warning to be asked about.")
    assert verdict({}, None).sentence == "There is no evidence here that could be read."
    broken = verdict({"FR.bundle": honest_files()["FR.bundle"][:-9]}, None)
    assert not broken.sound


def test_the_fingerprint_names_these_files_in_any_order_and_no_others() -> None:
    files = honest_files()
    backwards = dict(reversed(files.items()))
    renamed = {f"other-{file}": data for file, data in files.items()}
    assert len({verdict(some, None).fingerprint for some in (files, backwards, renamed, twice())}) == 1
    assert verdict(without("GR.bundle"), None).fingerprint != verdict(files, None).fingerprint


def test_a_region_s_history_has_every_debit_with_its_price_its_caps_and_its_witnesses() -> None:
    fr, gr = verdict(honest_files(), None).regions
    assert (fr.code, gr.code) == ("FR", "GR")
    assert all(spend.price == spend.charge for region in (fr, gr) for spend in region.spends)
    answers = [entry for entry in fr.entries if entry.event == "answered"]
    assert [spend.answered for spend in fr.spends if spend.answered is not None] == answers
    assert any(spend.answered is None for spend in fr.spends)
    assert [caps.paper.body["policy"] for caps in fr.caps] == [{"version": 1}, {"version": 2}]
    assert {name for seen in fr.seen for name, _ in seen.by} == {"Made-up auditor", "Made-up desk"}
    assert [seen.origin for seen in gr.seen] == ["GR/1"] * 3 + ["GR/2"] * (len(gr.seen) - 3)
    assert all(isinstance(spend.programme, audit.model.Paper) for spend in fr.spends)


def test_two_files_of_one_region_are_one_history_where_one_begins_the_other() -> None:
    files = {**honest_files(), "FR-then.bundle": changed(exported_before_the_end)["FR.bundle"]}
    found = verdict(files, people().consortium.public)
    assert found.sound
    assert [region.bundle.file for region in found.regions] == ["FR.bundle", "GR.bundle"]


def test_a_signature_that_was_signed_as_another_kind_is_worth_nothing() -> None:
    """The steward's own signature, on the same words, but as an approval instead of a policy."""

    def change(world: World) -> None:
        sheaf = world.sheaves["FR.bundle"]
        at, policy = next((at, one) for at, one in enumerate(sheaf.papers) if one.kind == "policy")
        steward = world.people.regions["FR"].keys["steward"]
        sheaf.papers[at] = Signed("policy", policy.document, paper("approval", papers_body(policy), steward).signatures)

    found = verdict(changed(change), people().consortium.public)
    assert ("document.unsigned", "FR/1#4") in [(one.code, one.entry) for one in found.findings]


def papers_body(signed: Signed) -> dict[str, canonical.Json]:
    body = canonical.decode(signed.document)
    assert isinstance(body, dict)
    return body
