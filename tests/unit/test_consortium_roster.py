"""What a roster answers about keys, and how one is taken over."""

from __future__ import annotations

from dataclasses import replace

import pytest
from pydantic import ValidationError
from rondgang.canonical import encode
from rondgang.keys import SigningKey
from rondgang.roles import Party, Role
from rondgang.signed import Signed, sign
from rondgang.tls import new_tls_key

from compose.consortium.documents import sign_roster, sign_study
from compose.consortium.register import Refusal, Register
from policies.documents import BadDocument, from_canonical, to_canonical
from policies.rules.refusals import Reason
from policies.study.adoption import Adopted, NotAdopted, adopt, adopt_roster
from policies.study.calendar import Calendar
from policies.study.enrolment import Purpose
from policies.study.roster import Member, Roster, check_member, check_peer
from tests.applicants import DAY_S, NOW, Applicant, authority, calendar, enrolled, signing_key

FRIESLAND = Applicant.new(Role.REGION, "FR")
DESK = Applicant.new(Role.COORDINATOR)
RESEARCHER = Applicant.new(Role.RESEARCHER)
CONSORTIUM = authority()
PINNED = CONSORTIUM.signing.public
REGISTER, _ = enrolled(CONSORTIUM, FRIESLAND, DESK, RESEARCHER)


def _roster(register: Register = REGISTER) -> Roster:
    return register.roster(NOW)[1]


def _revoked(who: str) -> Register:
    outcome = REGISTER.revoke(who)
    assert not isinstance(outcome, Refusal)
    return outcome[0]


def _check(
    roster: Roster, key: SigningKey, role: Role = Role.RESEARCHER, purpose: Purpose = "signing", now: int = NOW
) -> Member | Reason:
    return check_member(roster, key.public, role, purpose, now)


def test_a_live_member_is_found_by_key_role_and_purpose() -> None:
    member = _check(_roster(), RESEARCHER.keys["signing"])
    assert isinstance(member, Member)
    assert member.name == RESEARCHER.name
    steward = _check(_roster(), FRIESLAND.keys["steward"], Role.REGION, "steward")
    assert isinstance(steward, Member)
    assert steward.region == "FR"


def test_every_way_of_not_being_one_has_its_reason() -> None:
    key = RESEARCHER.keys["signing"]
    assert _check(_roster(), signing_key("stranger")) is Reason.UNKNOWN_SIGNER
    assert _check(_roster(), DESK.keys["signing"]) is Reason.WRONG_ROLE
    assert _check(_roster(), key, Role.COORDINATOR) is Reason.WRONG_ROLE
    assert _check(_roster(), FRIESLAND.keys["steward"], Role.REGION, "checkpoint") is Reason.WRONG_ROLE
    assert _check(_roster(_revoked(RESEARCHER.name)), key) is Reason.REVOKED
    assert _check(_roster(), key, now=NOW + 31 * DAY_S) is Reason.EXPIRED
    assert _check(_roster(), key, now=NOW - DAY_S) is Reason.EXPIRED


def test_validity_includes_its_first_and_last_second() -> None:
    member = _check(_roster(), RESEARCHER.keys["signing"])
    assert isinstance(member, Member)
    assert member.live(member.valid_from)
    assert member.live(member.valid_to)
    assert not member.live(member.valid_from - 1)
    assert not member.live(member.valid_to + 1)


def test_an_old_certificate_does_not_spoil_a_renewed_party() -> None:
    later = NOW + 31 * DAY_S
    register, _ = enrolled(CONSORTIUM, replace(FRIESLAND, tls_key=new_tls_key()), register=REGISTER, now=later)
    found = _check(_roster(register), FRIESLAND.keys["checkpoint"], Role.REGION, "checkpoint", later)
    assert isinstance(found, Member)
    assert found.valid_to == later + 30 * DAY_S


def test_who_calls_is_known_by_tls_key_and_role() -> None:
    roster = _roster()
    member = REGISTER.members[0]
    assert roster.member_by_tls(member.tls) == member
    assert roster.member_by_tls("0" * 64) is None
    assert check_peer(roster, member.tls, FRIESLAND.party, NOW) == member
    assert check_peer(roster, "0" * 64, FRIESLAND.party, NOW) is Reason.UNKNOWN_SIGNER
    assert check_peer(roster, member.tls, Party(Role.REGION, "DR"), NOW) is Reason.WRONG_ROLE
    assert check_peer(roster, member.tls, FRIESLAND.party, NOW + 31 * DAY_S) is Reason.EXPIRED
    assert check_peer(_roster(_revoked("FR")), member.tls, FRIESLAND.party, NOW) is Reason.REVOKED


def test_a_roster_has_one_form_and_leaves_defaults_out() -> None:
    roster = _roster(_revoked("FR"))
    data = to_canonical(roster)
    assert from_canonical(Roster, data) == roster
    assert data.count(b'"revoked":true') == 1
    assert b'"revoked":false' not in data
    assert data.count(b'"region"') == 2  # the role of one member and the code of the same


def test_a_roster_in_which_keys_are_shared_is_no_roster() -> None:
    one, two, three = REGISTER.members
    for members in (
        (one, one),
        (one, two.model_copy(update={"tls": one.tls})),
        (two, three.model_copy(update={"keys": two.keys})),
        (one, two.model_copy(update={"keys": {"signing": one.keys["steward"]}})),
    ):
        with pytest.raises(ValidationError):
            Roster(serial=1, issued=NOW, members=members)


def test_serials_grow_with_every_roster() -> None:
    register, first = REGISTER.roster(NOW)
    register, second = register.roster(NOW)
    assert (first.serial, second.serial, register.serial) == (1, 2, 2)


def test_revoking_names_one_party() -> None:
    tls = REGISTER.members[0].tls
    assert [member.revoked for member in _revoked(tls[:8]).members] == [True, False, False]
    assert [member.revoked for member in _revoked(DESK.name).members] == [False, True, False]
    for who, register, reason in (
        ("ZZ", REGISTER, "unknown_member"),
        (tls[:7], REGISTER, "unknown_member"),
        ("FR", _revoked("FR"), "already_revoked"),
    ):
        outcome = register.revoke(who)
        assert isinstance(outcome, Refusal)
        assert outcome.reason == reason
    steward = Applicant.new(Role.STEWARD, "FR")
    both, _ = enrolled(CONSORTIUM, steward, register=REGISTER)
    ambiguous = both.revoke("FR")
    assert isinstance(ambiguous, Refusal)
    assert ambiguous.reason == "ambiguous"


def _signed_roster(serial: int, key: SigningKey = CONSORTIUM.signing) -> bytes:
    return sign_roster(Roster(serial=serial, issued=NOW, members=REGISTER.members), key).to_bytes()


def test_a_roster_is_taken_over_forwards_only() -> None:
    first = adopt_roster(_signed_roster(3), PINNED, None)
    assert isinstance(first, Adopted)
    assert first.document.serial == 3
    assert first.digest == Signed.from_bytes(first.data).digest
    assert adopt_roster(_signed_roster(3), PINNED, first) == first
    assert isinstance(adopt_roster(_signed_roster(4), PINNED, first), Adopted)
    older = adopt_roster(_signed_roster(2), PINNED, first)
    assert isinstance(older, NotAdopted)
    assert "serial 2" in older.sentence
    fewer = sign_roster(Roster(serial=3, issued=NOW), CONSORTIUM.signing).to_bytes()
    assert isinstance(adopt_roster(fewer, PINNED, first), NotAdopted)


def test_what_the_pinned_key_did_not_sign_as_a_roster_is_not_taken_over() -> None:
    roster = to_canonical(_roster())
    calendar_signed = sign("calendar", to_canonical(calendar()), CONSORTIUM.signing)
    for data, told in (
        (_signed_roster(1, authority("another").signing), "not signed by the consortium key"),
        (_signed_roster(1, DESK.keys["signing"]), "not signed by the consortium key"),
        (sign("roster", roster).to_bytes(), "not signed by the consortium key"),
        (calendar_signed.to_bytes(), "a signed calendar, not a roster"),
        (replace(calendar_signed, kind="roster").to_bytes(), "not signed by the consortium key"),
        (_signed_roster(1) + b"\n", "not a signed roster"),
        (b"", "not a signed roster"),
    ):
        outcome = adopt(Roster, "roster", data, PINNED)
        assert isinstance(outcome, NotAdopted)
        assert told in outcome.sentence


def test_a_signed_document_that_does_not_fit_is_the_consortiums_fault() -> None:
    data = sign("roster", encode({"serial": 0}), CONSORTIUM.signing).to_bytes()
    with pytest.raises(BadDocument):
        adopt(Roster, "roster", data, PINNED)


def test_a_signed_version_never_changes() -> None:
    one = calendar()
    signed = sign_study(one, None, CONSORTIUM.signing)
    assert isinstance(signed, Signed)
    assert sign_study(one, signed, CONSORTIUM.signing) == signed
    assert isinstance(adopt(Calendar, "calendar", signed.to_bytes(), PINNED), Adopted)
    changed = one.model_copy(update={"limits": one.limits.model_copy(update={"households_per_region": 7})})
    refused = sign_study(changed, signed, CONSORTIUM.signing)
    assert isinstance(refused, Refusal)
    assert refused.reason == "version_taken"
