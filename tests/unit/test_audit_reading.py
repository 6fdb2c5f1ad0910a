"""What the auditor reads by its own hand is what the rules mean: policies, entries, orders, bundles."""

from __future__ import annotations

import base64
from collections.abc import Callable, Mapping
from fractions import Fraction
from typing import get_args

import pytest
from rondgang import canonical
from rondgang.bundles import frame, seal
from rondgang.canonical import Json
from rondgang.signed import sign

from audit import policy
from audit.bundles import Reading, read
from audit.checks.entries import SHAPES, readable
from audit.model import LoggedEntry
from audit.policy import Policy, Sums, Witnesses, read_policy
from audit.reprice import asked
from policies.documents import Document, to_canonical
from policies.rules import entries, evidence
from policies.rules.region_policy import RegionPolicy, WitnessRule
from policies.statistics.programme import Heading, Programme
from policies.statistics.statistic import Statistic
from tests.applicants import signing_key
from tests.made_up import honest, honest_files
from tests.small_study import region_policy

KEY = signing_key("maker of a bundle")
HEADER = evidence.header("region", "FR", 1_800_000_000, KEY.public.hex)


def body(document: Document) -> dict[str, Json]:
    read_back = canonical.decode(to_canonical(document))
    assert isinstance(read_back, dict)
    return read_back


def test_a_policy_means_the_same_to_both() -> None:
    written = region_policy(
        region="AA",
        approval="steward",
        witnesses={"need": 3, "faulty": 0},
        statistics=["count", "mean"],
        variables={"deny": ["incidents"]},
        forbidden_crossings=[["state", "profile"]],
        secure={"own_noise": {"rho": "0.5"}, "attempts": 2, "colluders": 3},
    )
    assert read_policy(body(written)) == Policy(
        version=1,
        region="AA",
        test_only=False,
        cohorts={"c1": Fraction(1, 2)},
        lifetime=Fraction(4, 5),
        programme=Fraction(3, 10),
        steward_approves=True,
        witnesses=Witnesses(3, 0),
        kinds=frozenset({"count", "mean"}),
        denied=frozenset({"incidents"}),
        crossings=(("state", "profile"),),
        sums=Sums(Fraction(1, 2), 2, 3),
    )


def test_a_policy_that_says_little_means_what_the_rules_fill_in() -> None:
    read_back, plain = read_policy(body(region_policy())), region_policy()
    assert read_back is not None
    assert read_back.kinds == set(plain.statistics)
    assert (read_back.witnesses.need, read_back.witnesses.faulty) == (plain.witnesses.need, plain.witnesses.faulty)
    assert read_back.steward_approves is (plain.approval == "steward")
    assert (read_back.sums, plain.secure) == (None, None)


def test_a_policy_that_says_little_of_national_sums_means_what_the_rules_fill_in() -> None:
    written = region_policy(secure={"own_noise": {"rho": "0.5"}})
    read_back, rule = read_policy(body(written)), written.secure
    assert read_back is not None
    assert rule is not None
    assert read_back.sums == Sums(Fraction(1, 2), rule.attempts, rule.colluders)


def test_the_auditor_knows_every_part_of_policies_and_programmes() -> None:
    """A field that is added there is unknown here, and nothing could be audited any more."""
    assert set(RegionPolicy.model_fields) == policy._KNOWN
    assert set(Programme.model_fields) == asked._TOP
    assert set(Heading.model_fields) == asked._HEADING
    assert set(Statistic.model_fields) == asked._STATISTIC


def test_a_rule_of_witnesses_is_sound_for_both_or_for_neither() -> None:
    for m in range(7):
        for need in range(1, 7):
            for faulty in range(5):
                assert Witnesses(need, faulty).sound(m) is WitnessRule(need=need, faulty=faulty).sound(m)


@pytest.mark.parametrize(
    "change",
    [
        {"more": 1},
        {"policy": {"version": True}},
        {"policy": 1},
        {"region": 1},
        {"test_only": "yes"},
        {"cohorts": {"c1": {"rho": "-0.1"}}},
        {"cohorts": {"c1": {"rho": 0}}},
        {"cohorts": {"c1": {"rho": "1", "more": 1}}},
        {"cohorts": []},
        {"lifetime": {"rho": "1001"}},
        {"programme": None},
        {"approval": "later"},
        {"witnesses": {"need": 0}},
        {"witnesses": {"need": "2"}},
        {"witnesses": {"more": 2}},
        {"witnesses": []},
        {"statistics": "count"},
        {"statistics": [1]},
        {"variables": {"deny": 1}},
        {"variables": {"allow": []}},
        {"forbidden_crossings": [["a"]]},
        {"forbidden_crossings": [["a", "b", "c"]]},
        {"forbidden_crossings": {}},
        {"secure": {}},
        {"secure": {"own_noise": {"rho": "-1"}}},
        {"secure": {"own_noise": {"rho": "1001"}}},
        {"secure": {"own_noise": {"rho": "1"}, "attempts": 0}},
        {"secure": {"own_noise": {"rho": "1"}, "colluders": True}},
        {"secure": {"own_noise": {"rho": "1"}, "dropouts": 1}},
    ],
    ids=str,
)
def test_a_policy_that_is_none_is_not_read(change: dict[str, Json]) -> None:
    assert read_policy(body(region_policy()) | change) is None


def test_a_cap_beyond_the_ordinary_is_for_tests_alone() -> None:
    wide = body(region_policy()) | {"lifetime": {"rho": "1000000"}}
    assert read_policy(wide) is None
    assert read_policy(wide | {"test_only": True}) is not None


def test_the_auditor_knows_every_entry_that_a_node_writes_and_no_other() -> None:
    events = {model.model_fields["event"].annotation: model for model in get_args(get_args(entries.Event)[0])}
    models = {get_args(literal)[0]: model for literal, model in events.items()}
    assert {event: set(shape) | {"event"} for event, shape in SHAPES.items()} == {
        event: set(model.model_fields) for event, model in models.items()
    }


def test_every_entry_of_an_honest_log_can_be_read_and_none_with_a_part_too_few_or_too_many() -> None:
    for epoch in honest().sheaves["GR.bundle"].entries.values():
        for value in epoch:
            event = value["body"]
            assert isinstance(event, dict)
            assert readable(logged(event))
            assert not readable(logged(event | {"more": 1}))
            assert not readable(logged({key: part for key, part in event.items() if key != max(event)}))
            assert not readable(logged(event | {min(set(event) - {"event"}): True}))
            if event["event"] == "debited":
                assert readable(logged(event | {"attempt": 5}))
                assert not any(readable(logged(event | {"attempt": wrong})) for wrong in (0, 6, "1", True, None))


def logged(event: Mapping[str, Json]) -> LoggedEntry:
    return LoggedEntry("FR", 1, 0, 0, "", event, b"")


def sealed(*records: dict[str, Json]) -> bytes:
    return b"".join(seal(map(frame, records), KEY))


def codes(reading: Reading) -> list[tuple[str, str]]:
    return [(one.code, one.entry) for one in reading.findings]


def test_an_honest_bundle_is_read_whole() -> None:
    for file, data in honest_files().items():
        reading = read(file, data)
        assert reading.findings == ()
        assert reading.bundle is not None
        assert reading.bundle.fingerprint == canonical.digest(data) == reading.fingerprint
    sheaf, bundle = honest().sheaves["GR.bundle"], read("GR.bundle", honest_files()["GR.bundle"]).bundle
    assert bundle is not None
    assert {epoch: [one.data for one in log] for epoch, log in bundle.entries.items()} == {
        epoch: [canonical.encode(one) for one in log] for epoch, log in sheaf.entries.items()
    }
    assert [paper.envelope for paper in bundle.papers.values()] == [one.to_bytes() for one in sheaf.papers]
    assert [paper.document for paper in bundle.papers.values()] == [one.document for one in sheaf.papers]
    assert [note.to_text() for note in bundle.checkpoints] == [note.to_text() for note in sheaf.notes]


def test_an_answer_keeps_the_bytes_in_which_it_came() -> None:
    sheaf, bundle = honest().sheaves["coordinator.bundle"], read("c", honest_files()["coordinator.bundle"]).bundle
    assert bundle is not None
    came = [canonical.digest(reply.signed.to_bytes()) for _, reply in sheaf.replies]
    assert [answer.hash for answer in bundle.answers] == came


@pytest.mark.parametrize(
    "data", [b"", b"no bundle", b"\0\0\0\2{}", frame({"record": "entry"}), b"\xff" * 100], ids=repr
)
def test_what_does_not_begin_as_a_bundle_is_none(data: bytes) -> None:
    reading = read("file", data)
    assert (reading.no_bundle, reading.bundle, codes(reading)) == (True, None, [("file.no_bundle", "record 0, byte 0")])


def test_a_bundle_of_a_later_version_is_left_to_a_later_version() -> None:
    reading = read("file", sealed(HEADER | {"version": 2}))
    assert (codes(reading), reading.no_bundle) == ([("file.version", "record 0, byte 0")], False)


@pytest.mark.parametrize(
    "change",
    [{"made": -1}, {"made": True}, {"of": "node"}, {"name": "fr"}, {"name": 5}, {"consortium": "x"}, {"more": 1}],
    ids=str,
)
def test_a_header_that_says_something_else_is_not_believed(change: dict[str, Json]) -> None:
    reading = read("file", sealed(HEADER | change))
    assert (codes(reading), reading.bundle) == ([("record.malformed", "record 0, byte 0")], None)


ROSTER = sign("roster", canonical.encode({}), KEY)
BROKEN: tuple[dict[str, Json], ...] = (
    {"record": "unknown"},
    {"record": "header"},
    {"record": "answer"},
    {"record": "certificate", "what": "own", "der": "?"},
    {"record": "certificate", "what": "other", "der": ""},
    {"record": "document", "hash": "0" * 64, "signed": canonical.decode(ROSTER.to_bytes())},
    {"record": "document", "hash": ROSTER.digest, "signed": {"document": {}, "kind": "roster", "signatures": [1]}},
    {"record": "document", "hash": ROSTER.digest, "signed": {"document": {}, "kind": "other", "signatures": []}},
    {"record": "document", "hash": ROSTER.digest, "signed": {"document": [], "kind": "roster", "signatures": []}},
    {"record": "entry", "epoch": 0, "entry": []},
    {"record": "entry", "epoch": True, "entry": {}},
    {"record": "checkpoint", "note": "no note"},
    {"record": "checkpoint", "note": 1},
    {"record": "seen", "note": "FR/1\n5\nAAAA\n\n\u2014 FR/1 AAAAAAAA\n"},
)


@pytest.mark.parametrize("value", BROKEN, ids=str)
def test_a_record_that_is_none_is_named_and_left_out(value: dict[str, Json]) -> None:
    reading = read("file", sealed(HEADER, value))
    assert codes(reading) == [("record.malformed", f"record 1, byte {len(frame(HEADER))}")]
    assert reading.bundle is not None


def test_the_same_certificate_twice_is_one_too_many() -> None:
    one: dict[str, Json] = {"record": "certificate", "what": "own", "der": base64.b64encode(b"x").decode()}
    assert [code for code, _ in codes(read("file", sealed(HEADER, one, one)))] == ["record.malformed"]


Damage = Callable[[bytes], bytes]


@pytest.mark.parametrize(
    ("damage", "code"),
    [
        (lambda data: data[:-1], "file.broken"),
        (lambda data: data + b"x", "file.broken"),
        (lambda data: data[: data.rindex(b'{"digests"') - 4], "seal.missing"),
        (lambda data: data.replace(b'"made":1800000000', b'"made":1800000001'), "seal.broken"),
        (lambda data: data[:-5] + b"0" + data[-4:], "seal.broken"),
    ],
    ids=["cut", "longer", "unsealed", "changed", "resealed"],
)
def test_a_file_that_is_not_whole_is_a_finding_and_never_a_fault(damage: Damage, code: str) -> None:
    reading = read("file", damage(sealed(HEADER)))
    assert [one for one, _ in codes(reading)] == [code]
    assert (reading.bundle is None) is (code != "seal.broken")


def test_a_seal_that_was_changed_itself_is_named_not_the_record_it_lists() -> None:
    data = sealed(HEADER)
    at = data.index(b'"digests":"') + 11
    changed = data[:at] + (b"0" if data[at : at + 1] != b"0" else b"1") + data[at + 1 :]
    assert codes(read("file", changed)) == [("seal.broken", f"record 1, byte {len(frame(HEADER))}")]
