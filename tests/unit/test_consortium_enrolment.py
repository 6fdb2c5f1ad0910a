"""Who may become a member, and what their certificate says."""

from __future__ import annotations

import base64
import json
from dataclasses import replace

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID
from pydantic import ValidationError
from rondgang.roles import Party, Role
from rondgang.tls import host_names, new_tls_key, request_certificate, role_of_certificate

from compose.consortium.authority import SKEW_S, issue
from compose.consortium.enrolment import SERVERS, Enrolled, Terms, enrol
from compose.consortium.register import Refusal, Register
from policies.documents import BadDocument, to_canonical
from policies.study.enrolment import PURPOSES, EnrolmentRequest
from tests.applicants import DAY_S, NOW, Applicant, authority, calendar, enrolled, signing_key

FRIESLAND = Applicant.new(Role.REGION, "FR")
DESK = Applicant.new(Role.COORDINATOR)
RESEARCHER = Applicant.new(Role.RESEARCHER)
CONSORTIUM = authority()


def _ask(
    request: EnrolmentRequest,
    register: Register | None = None,
    *,
    now: int = NOW,
    hosts: tuple[str, ...] | None = None,
    renew: bool = False,
) -> Enrolled | Refusal:
    if hosts is None:
        hosts = ("desk.example.org",) if request.role in SERVERS else ()
    return enrol(CONSORTIUM, register or Register(), calendar(), request, Terms(now, 30, hosts, renew))


def _refused(outcome: Enrolled | Refusal) -> str:
    assert isinstance(outcome, Refusal), outcome
    assert outcome.sentence.endswith((".", "?"))
    return outcome.reason


@pytest.mark.parametrize("role", list(Role))
def test_every_role_can_enrol(role: Role) -> None:
    applicant = Applicant.new(role, "FR" if role is Role.REGION else None)
    outcome = _ask(applicant.request)
    assert isinstance(outcome, Enrolled)
    certified = role_of_certificate(outcome.certificate)
    assert certified.party == applicant.party
    assert certified.tls == outcome.member.tls
    assert outcome.register.members == (outcome.member,)
    assert outcome.member.keys == {purpose: key.public.hex for purpose, key in applicant.keys.items()}


def test_a_certificate_says_what_its_holder_may_do_and_no_more() -> None:
    outcome = _ask(FRIESLAND.request)
    assert isinstance(outcome, Enrolled)
    certificate = x509.load_pem_x509_certificate(outcome.certificate)
    certificate.verify_directly_issued_by(CONSORTIUM.root)
    extensions = certificate.extensions
    assert not extensions.get_extension_for_class(x509.BasicConstraints).value.ca
    assert set(extensions.get_extension_for_class(x509.ExtendedKeyUsage).value) == {
        ExtendedKeyUsageOID.SERVER_AUTH,
        ExtendedKeyUsageOID.CLIENT_AUTH,
    }
    usage = extensions.get_extension_for_class(x509.KeyUsage).value
    assert usage.digital_signature
    assert not usage.key_cert_sign
    names = extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    assert [name.value for name in names] == ["rondgang://role/region/FR"]
    assert int(certificate.not_valid_before_utc.timestamp()) == outcome.member.valid_from == NOW - SKEW_S
    assert int(certificate.not_valid_after_utc.timestamp()) == outcome.member.valid_to == NOW + 30 * DAY_S


@pytest.mark.parametrize("role", sorted(SERVERS))
def test_who_is_dialled_needs_a_host(role: Role) -> None:
    refused = _ask(Applicant.new(role, None).request, hosts=())
    assert _refused(refused) == "hosts"
    assert "Give --host" in str(refused)


def test_a_coordinator_is_reached_under_its_hosts() -> None:
    outcome = _ask(DESK.request, hosts=("Desk.example.org", "192.0.2.7", "localhost"))
    assert isinstance(outcome, Enrolled)
    certificate = x509.load_pem_x509_certificate(outcome.certificate)
    names = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    assert names.get_values_for_type(x509.DNSName) == ["localhost", "desk.example.org"]
    assert [str(ip) for ip in names.get_values_for_type(x509.IPAddress)] == ["127.0.0.1", "192.0.2.7"]
    assert host_names(outcome.certificate) == ("localhost", "desk.example.org", "127.0.0.1", "192.0.2.7")


def test_a_region_is_reached_under_no_host() -> None:
    outcome = _ask(FRIESLAND.request)
    assert isinstance(outcome, Enrolled)
    assert host_names(outcome.certificate) == ()


@pytest.mark.parametrize("host", ["", "*.example.org", "https://desk", "desk:443", "a b", "dësk"])
def test_what_is_no_host_name_is_refused(host: str) -> None:
    assert _refused(_ask(DESK.request, hosts=(host,))) == "hosts"


def test_nobody_dials_a_region() -> None:
    assert _refused(_ask(FRIESLAND.request, hosts=("vt.example.org",))) == "hosts"


def test_nothing_is_valid_beyond_the_root() -> None:
    late = CONSORTIUM.expires - 10
    certificate, _, last = issue(
        CONSORTIUM, FRIESLAND.request.csr.encode(), FRIESLAND.party, "Friesland", (), late, days=30
    )
    assert last == CONSORTIUM.expires == int(certificate.not_valid_after_utc.timestamp())
    assert _refused(_ask(FRIESLAND.request, now=CONSORTIUM.expires)) == "root_expired"


def test_a_region_must_be_in_the_calendar() -> None:
    assert _refused(_ask(Applicant.new(Role.REGION, "XX").request)) == "unknown_region"
    without = enrol(CONSORTIUM, Register(), None, FRIESLAND.request, Terms(NOW, 30))
    assert _refused(without) == "no_calendar"


def test_a_signing_request_for_another_party_is_refused() -> None:
    for other in (Party(Role.COORDINATOR), Party(Role.REGION, "DR"), Party(Role.STEWARD, "FR")):
        csr = request_certificate(FRIESLAND.tls_key, other, "Friesland").decode()
        assert _refused(_ask(FRIESLAND.request.model_copy(update={"csr": csr}))) == "wrong_role"


def test_a_signing_request_that_its_key_did_not_sign_is_refused() -> None:
    lines = FRIESLAND.request.csr.strip().splitlines()
    der = bytearray(base64.b64decode("".join(lines[1:-1])))
    # The last byte belongs to the signature alone.
    der[-1] ^= 1
    forged = f"{lines[0]}\n{base64.b64encode(der).decode()}\n{lines[-1]}\n"
    assert _refused(_ask(FRIESLAND.request.model_copy(update={"csr": forged}))) == "bad_csr"


@pytest.mark.parametrize(
    "csr", ["", "not PEM", "-----BEGIN CERTIFICATE REQUEST-----\nAAAA\n-----END CERTIFICATE REQUEST-----"]
)
def test_what_is_no_signing_request_is_refused(csr: str) -> None:
    assert _refused(_ask(FRIESLAND.request.model_copy(update={"csr": csr}))) == "bad_csr"


def test_a_signing_request_needs_one_role_and_a_key_on_p256() -> None:
    def csr(key: ec.EllipticCurvePrivateKey, *uris: str) -> str:
        builder = x509.CertificateSigningRequestBuilder(x509.Name([]))
        if uris:
            names = [x509.UniformResourceIdentifier(uri) for uri in uris]
            builder = builder.add_extension(x509.SubjectAlternativeName(names), critical=False)
        return builder.sign(key, hashes.SHA256()).public_bytes(serialization.Encoding.PEM).decode()

    p256, p384 = ec.generate_private_key(ec.SECP256R1()), ec.generate_private_key(ec.SECP384R1())
    uri = FRIESLAND.party.uri
    assert isinstance(_ask(FRIESLAND.request.model_copy(update={"csr": csr(p256, uri)})), Enrolled)
    for bad in (csr(p256), csr(p256, uri, uri), csr(p256, uri, DESK.party.uri), csr(p256, "https://x"), csr(p384, uri)):
        assert _refused(_ask(FRIESLAND.request.model_copy(update={"csr": bad}))) == "bad_csr"


def test_a_region_has_one_certificate_in_force() -> None:
    register, _ = enrolled(CONSORTIUM, FRIESLAND)
    second = Applicant.new(Role.REGION, "FR", "Another Friesland")
    assert _refused(_ask(FRIESLAND.request, register)) == "live_certificate"
    assert _refused(_ask(second.request, register)) == "live_certificate"


def test_a_renewal_on_the_same_tls_key_takes_the_old_ones_place() -> None:
    register, _ = enrolled(CONSORTIUM, FRIESLAND)
    outcome = _ask(FRIESLAND.request, register, now=NOW + DAY_S, renew=True)
    assert isinstance(outcome, Enrolled)
    assert outcome.register.members == (outcome.member,)
    assert outcome.member.valid_to == NOW + 31 * DAY_S


def test_a_renewal_on_a_new_tls_key_overlaps_until_the_old_one_ends() -> None:
    register, _ = enrolled(CONSORTIUM, FRIESLAND)
    outcome = _ask(replace(FRIESLAND, tls_key=new_tls_key()).request, register, renew=True)
    assert isinstance(outcome, Enrolled)
    assert outcome.register.members == (*register.members, outcome.member)


def test_a_renewal_keeps_its_signing_keys() -> None:
    register, _ = enrolled(CONSORTIUM, FRIESLAND)
    second = Applicant.new(Role.REGION, "FR", "Another Friesland")
    assert _refused(_ask(second.request, register, renew=True)) == "new_keys"
    after = NOW + 31 * DAY_S
    assert _refused(_ask(second.request, register, now=after)) == "new_keys"
    assert isinstance(_ask(FRIESLAND.request, register, now=after), Enrolled)


def test_after_revocation_a_region_enrols_with_all_new_keys() -> None:
    register, _ = enrolled(CONSORTIUM, FRIESLAND)
    outcome = register.revoke("FR")
    assert not isinstance(outcome, Refusal)
    revoked, _ = outcome
    second = Applicant.new(Role.REGION, "FR", "Another Friesland")
    assert isinstance(_ask(second.request, revoked), Enrolled)
    assert _refused(_ask(FRIESLAND.request, revoked)) == "key_revoked"
    assert _refused(_ask(replace(second, tls_key=FRIESLAND.tls_key).request, revoked)) == "key_revoked"
    one_old = replace(second, keys={**second.keys, "steward": FRIESLAND.keys["steward"]})
    assert _refused(_ask(one_old.request, revoked)) == "key_revoked"


def test_one_public_key_has_one_owner_and_one_purpose() -> None:
    register, _ = enrolled(CONSORTIUM, FRIESLAND, DESK)
    drenthe = Applicant.new(Role.REGION, "DR")
    desk_key = DESK.keys["signing"]
    for taken in (
        replace(RESEARCHER, keys={"signing": desk_key}),
        replace(RESEARCHER, keys={"signing": FRIESLAND.keys["steward"]}),
        replace(RESEARCHER, keys={"signing": CONSORTIUM.signing}),
        replace(RESEARCHER, tls_key=DESK.tls_key),
        replace(drenthe, keys={**drenthe.keys, "checkpoint": FRIESLAND.keys["checkpoint"]}),
        replace(drenthe, keys={**drenthe.keys, "steward": FRIESLAND.keys["checkpoint"]}),
    ):
        assert _refused(_ask(taken.request, register)) == "key_in_use"
    swapped = {"steward": FRIESLAND.keys["checkpoint"], "checkpoint": FRIESLAND.keys["steward"]}
    exchange = FRIESLAND.request.model_copy(
        update={"keys": {purpose: key.public.hex for purpose, key in swapped.items()}}
    )
    assert _refused(_ask(exchange, register, renew=True)) == "new_keys"


def test_a_request_with_the_wrong_keys_cannot_be_made() -> None:
    one = signing_key("one").public
    for role in Role:
        party = Party(role, "FR" if role is Role.REGION else None)
        with pytest.raises(ValidationError, match="keys of a"):
            EnrolmentRequest.build(party, "x", b"", {})
        if len(PURPOSES[role]) > 1:
            with pytest.raises(ValidationError, match="key of its own"):
                EnrolmentRequest.build(party, "x", b"", dict.fromkeys(PURPOSES[role], one))


def test_a_request_file_comes_back_also_with_a_line_feed_behind_it() -> None:
    data = to_canonical(FRIESLAND.request)
    assert to_canonical(EnrolmentRequest.read(data + b"\r\n")) == data


@pytest.mark.parametrize(
    "change",
    [
        {"role": "king"},
        {"role": "coordinator"},
        {"region": None},
        {"region": "fr"},
        {"name": ""},
        {"name": "two\nlines"},
        {"name": "x" * 65},
        {"note": "x"},
        {"keys": {"signing": "00" * 32}},
        {"keys": {"checkpoint": "00" * 32, "steward": "11" * 32}},
        {"keys": {"checkpoint": "zz", "steward": "11" * 32}},
    ],
)
def test_a_misshapen_request_is_no_document(change: dict[str, object]) -> None:
    value = {**json.loads(to_canonical(FRIESLAND.request)), **change}
    data = json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode()
    with pytest.raises(BadDocument):
        EnrolmentRequest.read(data)
