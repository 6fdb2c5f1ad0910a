"""Certificates, documents, rules and data of a node: what the node itself tells, and what it comes to."""

from __future__ import annotations

from collections.abc import Iterator

from cryptography import x509
from pydantic import BaseModel, ConfigDict
from rondgang.errors import BadCertificate
from rondgang.keys import PublicKey
from rondgang.notes import cosigned_at
from rondgang.tls import role_of_certificate

from node.doctor.lines import Line, broken, ok, warning
from node.home import Home
from node.pausing import paused
from node.region import Region
from node.status import Status
from policies.rules.policy_check import findings
from policies.study.calendar import DAY_S
from policies.study.roster import witnesses

WARN_DAYS = 60
"""From how many days before its end a certificate is spoken of."""
_SKEW_S = 300


class Facts(BaseModel):
    """What the one who holds the ledger knows, as public facts. Instants are unix seconds.

    `seen` is the latest moment that stands in the ledger or under it: a clock before it is wrong. `listed`: whether the
    roster has the home's TLS key, live. `objections` are what stands against the policy in force.
    `due` are the cohorts that this region is asked about now.
    """

    model_config = ConfigDict(frozen=True)

    now: int
    seen: int
    listed: bool
    objections: tuple[str, ...]
    due: tuple[str, ...]
    held: tuple[str, ...]
    paused_until: int | None = None
    paused: bool = False
    quiet: bool = False


def facts(region: Region) -> Facts:
    """The facts of an open region. Reads ledger and documents only."""
    now, documents, book = region.now(), region.documents, region.ledger.book
    last = [entry.time for entry in region.ledger.last_entries(1)]
    keys = () if documents.roster is None else tuple(witnesses(documents.roster.document, now))
    notes = region.ledger.checkpoints()[-1:]
    cosigned = [cosigned_at(note, PublicKey.from_hex(key)) or 0 for note in notes for key in keys]
    calendar, policy, hours = documents.calendar, documents.policy, region.config.quiet_hours
    due: list[str] = []
    if calendar is not None:
        known = calendar.document
        due = [name for name, one in known.cohorts.items() if one.open(now) and region.code in known.members(name, now)]
    objections = () if policy is None else findings(policy.document, region.place())
    held = paused(region.home, now)
    return Facts(
        now=now,
        seen=max((*last, *cosigned), default=0),
        listed=_listed(region),
        objections=tuple(one.code for one in objections if one.objection),
        due=tuple(due),
        held=tuple(sorted(book.snapshots)),
        paused=held is not None,
        paused_until=None if held is None else held.until,
        quiet=hours is not None and hours.quiet(now),
    )


def _listed(region: Region) -> bool:
    if region.documents.roster is None:
        return False
    try:
        own = role_of_certificate((region.home.certs / "own.pem").read_bytes())
    except (OSError, BadCertificate):
        return False
    member = region.documents.roster.document.member_by_tls(own.tls)
    return member is not None and member.live(region.now())


def papers(home: Home, status: Status, known: Facts) -> Iterator[Line]:
    """Lines about certificates, documents, policy, data, ledger and the node itself."""
    yield _clock(known)
    yield from certificates(home, known.now)
    yield _documents(status, known)
    yield _policy(status, known)
    yield from _data(known)
    yield _ledger(status)
    yield _node(status, known)


def certificates(home: Home, now: int) -> Iterator[Line]:
    """The node's own certificate, and the root that issued it."""
    if not home.enrolled:
        yield broken("certificate", "not_enrolled", request=str(home.request_file))
        return
    try:
        own, root = (x509.load_pem_x509_certificate((home.certs / name).read_bytes()) for name in ("own.pem", "ca.pem"))
    except (OSError, ValueError):
        yield broken("certificate", "unreadable_certificate")
        return
    for about, certificate in (("own", own), ("root", root)):
        begins = int(certificate.not_valid_before_utc.timestamp())
        ends = int(certificate.not_valid_after_utc.timestamp())
        date = certificate.not_valid_after_utc.strftime("%Y-%m-%d")
        days = (ends - now) // DAY_S
        if now > ends:
            yield broken("certificate", f"{about}_expired", about, date=date)
        elif now < begins:
            first = certificate.not_valid_before_utc.strftime("%Y-%m-%d")
            yield broken("certificate", f"{about}_not_yet", about, date=first)
        elif days < WARN_DAYS:
            yield warning("certificate", f"{about}_expires", about, date=date, days=days)
        else:
            yield ok("certificate", f"{about}_valid", about, date=date)


def _clock(known: Facts) -> Line:
    behind = known.seen - known.now
    return broken("clock", "clock_behind", minutes=behind // 60) if behind > _SKEW_S else ok("clock", "clock")


def _documents(status: Status, known: Facts) -> Line:
    if status.missing:
        return broken("documents", "documents_missing", missing=", ".join(status.missing))
    if status.enrolled and not known.listed:
        return broken("documents", "not_listed", region=status.region)
    return ok("documents", "documents", count=len(status.documents))


def _policy(status: Status, known: Facts) -> Line:
    if status.test_only:
        return warning("policy", "policy_test_only")
    if known.objections:
        return broken("policy", "policy_objections", count=len(known.objections))
    return ok("policy", "policy") if "policy" not in status.missing else broken("policy", "no_policy")


def _data(known: Facts) -> Iterator[Line]:
    for cohort in known.due:
        if cohort in known.held:
            yield ok("data", "data", cohort, cohort=cohort)
        else:
            yield warning("data", "no_data", cohort, cohort=cohort)
    if not known.due:
        yield ok("data", "not_due")


def _ledger(status: Status) -> Line:
    if status.trouble is not None and status.trouble.kind in ("behind", "reset", "forked"):
        return broken("ledger", f"ledger_{status.trouble.kind}", own=status.trouble.own, seen=status.trouble.seen)
    if status.trouble is not None:
        return broken("ledger", f"witnesses_{status.trouble.kind}", have=status.trouble.have, need=status.trouble.need)
    return ok("ledger", "ledger", entries=status.entries, cosigned=status.cosigned)


def _node(status: Status, known: Facts) -> Line:
    if not status.serving:
        return broken("node", "not_serving")
    if not status.connected:
        return warning("node", "not_connected", coordinator=status.coordinator)
    if known.paused or known.quiet:
        return warning("node", "resting")
    return ok("node", "serving", coordinator=status.coordinator)
