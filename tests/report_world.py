"""Verdicts to draw: histories of regions written down by hand, as a verification would give them."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from fractions import Fraction
from typing import Any

from rondgang import canonical
from rondgang.canonical import Json

from audit.findings import Finding, Severity
from audit.model import Bundle, LoggedEntry, Paper
from audit.verdict import Caps, RegionHistory, Seen, Spend, Verdict
from policies.study.calendar import DAY_S, instant

BEGIN = instant("2026-03-01")
CONSORTIUM, RESEARCHER = "c0" * 32, "4e" * 32
NANO = 1_000_000_000
STATISTICS: list[Json] = [
    {"id": "stopped", "kind": "proportion", "of": "state == none", "unit": "household", "wave": "T1",
     "label": {"nl": "Geweld gestopt", "en": "Violence stopped"}},
    {"id": "adults", "kind": "count", "unit": "adult", "wave": "T1", "by": ["profile"]},
    {"id": "change", "kind": "paired_change", "of": "incidents", "unit": "household", "wave": "T0->T1",
     "within": ["0", "100"], "where": "help == yes"},
]  # fmt: skip


def digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()


def paper(kind: str, body: Mapping[str, Json]) -> Paper:
    data = canonical.encode(dict(body))
    return Paper(kind, hashlib.sha256(data).hexdigest(), body, data)


def programme(name: str, rho: str, cohort: str = "c3", **heading: Json) -> Paper:
    """A signed programme in short; `rho` in decimals."""
    told: dict[str, Json] = {
        "id": name,
        "title": {"nl": f"Vraag {name}", "en": f"Question {name}"},
        "purpose": f"To know about {name}",
        "requester": "Research office",
        "cohort": cohort,
        "codebook": "cohort3@1",
        "deadline": BEGIN + 400 * DAY_S,
        **heading,
    }
    charge = str(int(Fraction(rho) * NANO))
    asked: dict[str, Json] = {"programme": told, "charge": {"rho": charge}, "statistics": STATISTICS}
    return paper("programme", asked | {"codebook_hash": codebook().hash})


def nationally(name: str, rho: str, attempt: str) -> Paper:
    """A programme with national sums, of which an attempt costs so much of its price."""
    body = dict(programme(name, rho).body)
    charge: dict[str, Json] = {"rho": str(int(Fraction(rho) * NANO)), "national": str(int(Fraction(attempt) * NANO))}
    first, *others = STATISTICS
    assert isinstance(first, dict)
    secure: dict[str, Json] = {"colluders": 1, "dropouts": 1, "attempts": 2}
    weights: dict[str, Json] = dict.fromkeys(("DR", "FR", "GM", "ZE"), 1000)
    asked: list[Json] = [{**first, "mode": "national"}, *others]
    return paper("programme", body | {"charge": charge, "statistics": asked, "secure": secure, "weights": weights})


def codebook() -> Paper:
    state: dict[str, Json] = {"state": {"labels": {"nl": "Geweld in het gezin", "en": "Violence in the family"}}}
    return paper("codebook", {"derived": state, "variables": {"help": {"labels": {"nl": "Hulp", "en": "Help"}}}})


def calendar(codes: Mapping[str, str]) -> Paper:
    regions: dict[str, Json] = {code: {"name": {"nl": name, "en": name}} for code, name in codes.items()}
    labels: dict[str, Json] = {
        "c3": {"labels": {"nl": "Derde cohort", "en": "Third cohort"}},
        "c4": {"labels": {"nl": "Vierde cohort", "en": "Fourth cohort"}},
    }
    return paper("calendar", {"regions": regions, "cohorts": labels})


def roster() -> Paper:
    members: list[Json] = [{"role": "researcher", "name": "Dr. A. de Vries", "keys": {"signing": RESEARCHER}}]
    return paper("roster", {"serial": 1, "members": members})


def policy(version: int, caps: Mapping[str, str], lifetime: str, **more: Json) -> Paper:
    cohorts: dict[str, Json] = {cohort: {"rho": rho} for cohort, rho in caps.items()}
    money: dict[str, Json] = {"lifetime": {"rho": lifetime}, "programme": {"rho": "0.25"}}
    return paper("policy", {"policy": {"version": version}, "cohorts": cohorts, **money, **more})


@dataclass
class Region:
    """A region's log being written."""

    code: str
    bodies: list[LoggedEntry] = field(default_factory=list)
    papers: dict[str, Paper] = field(default_factory=dict)
    spends: list[Spend] = field(default_factory=list)
    caps: list[Caps] = field(default_factory=list)
    seen: list[Seen] = field(default_factory=list)
    epoch: int = 1
    now: int = BEGIN

    def log(self, event: str, later: int = 60, **body: Json) -> LoggedEntry:
        self.now += later
        seq = sum(entry.epoch == self.epoch for entry in self.bodies)
        told: dict[str, Json] = {"event": event, **body}
        made = LoggedEntry(self.code, self.epoch, seq, self.now, "0" * 64, told, canonical.encode(told))
        self.bodies.append(made)
        return made

    def adopt(self, signed: Paper, name: str = "1", later: int = 60) -> LoggedEntry:
        self.papers[signed.hash] = signed
        return self.log("adopted", later, kind=signed.kind, name=name, hash=signed.hash)

    def govern(self, version: int, caps: Mapping[str, str], lifetime: str, later: int = 60, **more: Json) -> None:
        signed = policy(version, caps, lifetime, **more)
        since = self.adopt(signed, str(version), later)
        exact = {cohort: Fraction(rho) for cohort, rho in caps.items()}
        self.caps.append(Caps(since, signed, exact, Fraction(lifetime), Fraction("0.25")))

    def ask(self, signed: Paper, later: int = DAY_S, *, dead: bool = False, approved: bool = False) -> None:
        """A programme is asked, charged and answered, or charged in vain."""
        self.papers[signed.hash] = signed
        body: Any = signed.body
        run = f"run-{digest(signed.hash)[:16]}"
        self.log("asked", later, programme=signed.hash, run=run, researcher=RESEARCHER, order=digest("order"))
        if approved:
            self.log("approved", programme=signed.hash, approval=digest("approval"))
        charge = int(body["charge"]["rho"])
        debited = self.log(
            "debited", 1, programme=signed.hash, run=run, researcher=RESEARCHER, snapshot="5" * 32,
            cohort=body["programme"]["cohort"], charge=str(charge), cohort_total=str(charge),
            lifetime_total=str(charge),
        )  # fmt: skip
        self.watch()
        answered = None
        if not dead:
            answered = self.log(
                "answered", 2, programme=signed.hash, snapshot="5" * 32, debit=debited.seq, answer="a" * 64
            )
            self.watch()
        self.spends.append(Spend(debited, body["programme"]["cohort"], charge, charge, signed, answered))

    def attempt(self, signed: Paper, number: int = 1, *, dead: bool = False) -> None:
        """A vector of a national sum leaves, and the sum is kept; or it is charged in vain."""
        self.papers[signed.hash] = signed
        body: Any = signed.body
        run, charge = f"run-{digest(signed.hash)[:16]}", int(body["charge"]["national"])
        cohort = body["programme"]["cohort"]
        debited = self.log(
            "debited", programme=signed.hash, run=run, researcher=RESEARCHER, snapshot="5" * 32, cohort=cohort,
            charge=str(charge), cohort_total=str(charge), lifetime_total=str(charge), attempt=number,
        )  # fmt: skip
        left = None
        if not dead:
            left = self.log(
                "attempted", 2, programme=signed.hash, run=run, attempt=number, debit=debited.seq,
                participants="6" * 64, commitment="7" * 64,
            )  # fmt: skip
            made: dict[str, Json] = {
                "run": run,
                "programme": signed.hash,
                "attempt": number,
                "regions": ["DR", "FR", "GM"],
            }
            kept = paper("national_sum", made)
            self.papers[kept.hash] = kept
            self.log("summed", programme=signed.hash, run=run, attempt=number, hash=kept.hash)
        self.spends.append(Spend(debited, cohort, charge, charge, signed, None, left, number))

    def watch(self, *names: str) -> None:
        size = sum(entry.epoch == self.epoch for entry in self.bodies)
        by = tuple((name, self.now + 1) for name in names or ("Court of Audit", "National desk"))
        self.seen.append(Seen(f"{self.code}/{self.epoch}", size, by))

    def reset(self, cohorts: Mapping[str, int], lifetime: int) -> None:
        old = len(self.bodies)
        self.epoch += 1
        totals: dict[str, Json] = {cohort: str(total) for cohort, total in cohorts.items()}
        self.log("reset", DAY_S, region=self.code, epoch=self.epoch, old_size=old, old_root="0" * 64, policy="0" * 64,
                 cohorts=totals, lifetime_total=str(lifetime))  # fmt: skip

    @property
    def history(self) -> RegionHistory:
        epochs = {epoch: tuple(one for one in self.bodies if one.epoch == epoch) for epoch in range(1, self.epoch + 1)}
        file = f"{self.code}.bundle"
        bundle = Bundle(
            file, "region", self.code, self.now, CONSORTIUM, digest(file), papers=self.papers, entries=epochs,
            sealed_by=digest(f"{self.code} key"),
        )  # fmt: skip
        return RegionHistory(
            bundle, self.code, tuple(self.bodies), tuple(self.spends), tuple(self.caps), tuple(self.seen)
        )


def region(code: str, codes: Mapping[str, str], programmes: Sequence[Paper]) -> Region:
    """A region that set up, answered everything once, and refused a repeat that cost too much."""
    made = Region(code)
    made.log("opened", region=code)
    for signed in (roster(), calendar(codes), codebook()):
        made.adopt(signed)
    made.govern(1, {"c3": "0.4"}, "0.8")
    made.log("imported", DAY_S, snapshot=digest(code)[:32], cohort="c3", codebook="b" * 64)
    for signed in programmes:
        made.ask(signed, 20 * DAY_S)
    last = programmes[-1] if programmes else programme("never", "0.1")
    for _ in range(3):
        made.log("refused", 3600, programme=last.hash, run="run-0", reason="over_cohort_cap")
    return made


CODES = {
    "FR": "Fryslân", "DR": "Drenthe", "NOG": "Noord- en Oost-Gelderland", "GM": "Gelderland-Midden",
    "GZ": "Gelderland-Zuid", "WB": "West-Brabant", "ZOB": "Zuidoost-Brabant", "ZE": "Zeeland",
    "NHN": "Noord-Holland Noord", "HM": "Hollands Midden", "ZHZ": "Zuid-Holland Zuid",
    "NML": "Noord- en Midden-Limburg", "ZL": "Zuid-Limburg",
}  # fmt: skip
FINDINGS = (
    Finding("dead_debit", Severity.NOTE, "DR.bundle", "DR", "DR/1#21", "Entry 21 was charged and never answered.",
            "The budget is gone and nothing was learned from it.", "Ask the steward what happened that day."),
    Finding("over_cap", Severity.ERROR, "FR.bundle", "FR", "FR/1#14", "rho 0.41 was spent on c3; the cap is 0.4.",
            "The region answered more than its steward allowed.", "Ask the steward who raised what, and when."),
    Finding("clock", Severity.WARNING, "ZL.bundle", "ZL", "ZL/1#3", "The entry is dated 412 s after its cosignature.",
            "The region's clock runs ahead, or an entry was dated back.", "Ask the steward to check the clock."),
)  # fmt: skip


def verdict(*regions: Region, findings: Sequence[Finding] = (), others: Sequence[Bundle] = ()) -> Verdict:
    histories = tuple(one.history for one in regions)
    return Verdict(tuple(findings), histories, tuple(others), CONSORTIUM, digest("evidence"))


def national(findings: Sequence[Finding] = FINDINGS) -> Verdict:
    """Thirteen regions and two cohorts with everything that can happen to them."""
    asked = [programme("stopping", "0.05"), programme("help", "0.12"), programme("wellbeing", "0.18")]
    made = {code: region(code, CODES, asked) for code in CODES}
    made["DR"].ask(programme("violence", "0.03"), dead=True)
    made["DR"].ask(programme("violence", "0.03"), 60)
    made["GM"].log("declined", DAY_S, programme=programme("violence", "0.03").hash, approval="e" * 64, reason="purpose")
    made["ZE"].log("refused", DAY_S, programme="d" * 64, run="run-1", reason="no_such_reason")
    for code in ("FR", "ZL", "HM"):
        made[code].govern(2, {"c3": "0.4", "c4": "0.3"}, "0.8", 30 * DAY_S, approval="steward")
        made[code].ask(programme("profiles", "0.1", "c4"), approved=True)
    made["HM"].watch("National desk")
    made["HM"].watch()
    made["WB"].reset({"c3": 400_000_000}, 800_000_000)
    witness = Bundle("witness.bundle", "witness", "Court of Audit", BEGIN + 90 * DAY_S, CONSORTIUM, digest("w"))
    desk = replace(
        witness, file="coordinator.bundle", maker="coordinator", name="National desk", fingerprint=digest("c")
    )
    return verdict(*made.values(), findings=findings, others=(desk, witness))
