"""One region, opened for writing: its ledger, the documents in force, and what may be done to them.

Whoever holds the home's lock has the one Region; others ask it (see node/operations.py).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from rondgang.errors import ContractError
from rondgang.keys import PublicKey, SigningKey
from rondgang.signed import Signed, sign, verify

from node.adopted import Documents, event_of, file_of, lay_beside, load, put_in_place
from node.home import Config, Home
from node.inheriting import inherited
from node.ledger.book import Book
from node.ledger.ledger import Ledger
from policies.documents import BadDocument, Document, from_canonical, to_canonical
from policies.pages.words import say
from policies.rules.decide import Standing
from policies.rules.entries import Imported
from policies.rules.policy_check import Place, findings, for_region
from policies.rules.region_policy import RegionPolicy
from policies.study.adoption import Adopted, NotAdopted, adopt, adopt_roster
from policies.study.calendar import Calendar
from policies.study.codebook import Codebook
from policies.study.roster import Roster, steward_keys, witnesses


class NotReady(Exception):
    """Something that must be adopted first is not there. `missing` are the kinds."""

    def __init__(self, *missing: str) -> None:
        self.missing = missing
        super().__init__(f"not adopted yet: {', '.join(missing)}")


@dataclass(frozen=True, slots=True)
class InForce:
    """What is in force after an adoption: a roster by its serial, else id and version. `new` if it was not before."""

    kind: str
    name: str
    digest: str
    new: bool


class Region:
    """The open region. Needs the lock of its home for as long as it lives; one caller at a time.

    Opening checks ledger and documents, and raises BrokenLedger or BadDelivery.
    """

    def __init__(self, home: Home, clock: Callable[[], int]) -> None:
        self.home = home
        self.config: Config = home.config()
        self.code: str = self.config.region
        self.now = clock
        self._steward = steward_key(home)
        self.ledger = Ledger(home.ledger_file, self.code, clock)
        try:
            self.documents: Documents = self._load()
            # Earlier versions logged hashes alone.
            self.ledger.keep_documents(self.documents.signed)
        except BaseException:
            self.ledger.close()
            raise

    def close(self) -> None:
        self.ledger.close()

    @property
    def roster(self) -> Roster:
        if self.documents.roster is None:
            raise NotReady("roster")
        return self.documents.roster.document

    def steward_keys(self) -> tuple[PublicKey, ...]:
        """Who may sign this region's policy and approvals now: its live stewards on the roster in force."""
        roster = self.documents.roster
        return () if roster is None else steward_keys(roster.document, self.code, self.now())

    def place(self) -> Place:
        """Where a policy would come into force."""
        held, now = self.documents, self.now()
        return Place(
            region=self.code,
            calendar=None if held.calendar is None else held.calendar.document,
            codebooks=tuple(held.codebooks.values()),
            witnesses=None if held.roster is None else len(witnesses(held.roster.document, now)),
            held=None if held.policy is None else held.policy.document,
            spent=self.ledger.book.spent,
            imported=self.ledger.book.cohorts_held,
        )

    def missing(self) -> tuple[str, ...]:
        """The kinds of documents without which nothing can be answered."""
        held = {"roster": self.documents.roster, "calendar": self.documents.calendar, "policy": self.documents.policy}
        return tuple(kind for kind, document in held.items() if document is None)

    def standing(self, book: Book) -> Standing:
        """The public facts to decide by. Raises NotReady."""
        documents = self.documents
        if documents.calendar is None or documents.policy is None:
            raise NotReady(*self.missing())
        return Standing(
            region=self.code,
            policy=documents.policy.document,
            calendar=documents.calendar.document,
            codebooks=documents.codebooks,
            snapshots={cohort: event.codebook for cohort, event in book.snapshots.items()},
            spent=book.spent,
            now=self.now(),
            approvals=book.approvals,
            declined=book.declined,
        )

    @property
    def tick_ms(self) -> int:
        """The rhythm on which replies leave. Raises NotReady."""
        if self.documents.policy is None:
            raise NotReady("policy")
        return self.documents.policy.document.tick_ms

    @property
    def test_only(self) -> bool:
        """Whether the policy in force is for tests alone."""
        return self.documents.policy is not None and self.documents.policy.document.test_only

    def adopt(self, data: bytes) -> InForce | NotAdopted:
        """Puts a document that the pinned key signed into force. Durable on return; the same again changes nothing."""
        try:
            kind = Signed.from_bytes(data).kind
        except ContractError as error:
            return NotAdopted(f"This is not a signed document: {error}. Ask the consortium for the file again.")
        pinned = self.home.pinned()
        try:
            match kind:
                case "roster":
                    return self._roster(adopt_roster(data, pinned, self.documents.roster))
                case "calendar":
                    return self._calendar(adopt(Calendar, "calendar", data, pinned))
                case "codebook":
                    return self._codebook(adopt(Codebook, "codebook", data, pinned))
        except BadDocument as error:
            return NotAdopted(f"This version cannot read the {kind}: {error}")
        return NotAdopted(f"This is a signed {kind}. A node adopts a roster, a calendar or a codebook.")

    def adopt_policy(self, policy: RegionPolicy) -> InForce | NotAdopted:
        """Signs the policy with the steward's key in the home and puts it into force. Durable on return."""
        if self._steward is None:
            return NotAdopted(
                "The steward's key is not kept here. Sign the policy where it is, and adopt the signed one."
            )
        return self.adopt_signed_policy(
            sign("policy", to_canonical(for_region(policy, self.code)), self._steward).to_bytes()
        )

    def adopt_signed_policy(self, data: bytes) -> InForce | NotAdopted:
        """Puts a policy into force that a steward of this region signed. Durable on return.

        The same again changes nothing. Declined for what policies/rules/policy_check.py objects to.
        """
        try:
            signed = Signed.from_bytes(data)
            policy = from_canonical(RegionPolicy, signed.document)
        except (ContractError, BadDocument) as error:
            return NotAdopted(f"This is not a signed policy: {error}. Sign it with `rondgang node policy sign`.")
        if policy.region is None:
            return NotAdopted(f"This signed policy names no region. Sign it for region {self.code}.")
        if objections := [one for one in findings(policy, self.place()) if one.objection]:
            return NotAdopted(
                " ".join(say(f"node.policy.finding.{one.code}", "en", **one.fields) for one in objections)
            )
        if signed.kind != "policy" or not any(verify(signed, key) for key in self.steward_keys()):
            return NotAdopted(
                f"No live steward of region {self.code} on the roster has signed this policy. Sign it with the right "
                "key, or adopt a newer roster first."
            )
        return self._force(signed, policy)

    def record_import(
        self, snapshot: str, cohort: str, codebook: str, base: str | None = None, most: int | None = None
    ) -> Imported | NotAdopted:
        """Puts a finished snapshot into force for its cohort. Durable on return; the same again changes nothing.

        `base` is the snapshot that was in force when the import began, empty for none; where another came in between,
        the import is declined. `most` is in how many cohorts a household may be by that import, None for all.
        """
        event = Imported(event="imported", snapshot=snapshot, cohort=cohort, codebook=codebook)
        held = self.ledger.book.snapshots.get(cohort)
        if held == event:
            return event
        if codebook not in self.documents.codebooks:
            return NotAdopted("The snapshot follows a codebook that is not adopted here. Adopt it and import again.")
        if base is not None and base != ("" if held is None else held.snapshot):
            return NotAdopted(f"Other data of cohort {cohort} came into force during this import. Import again.")
        policy = self.documents.policy
        allowed = None if policy is None else policy.document.most_cohorts
        if allowed is not None and (most is None or most > allowed):
            return NotAdopted(
                f"The policy in force lets a household be in at most {allowed} cohorts, and this import did not see to "
                "that. Import again."
            )
        self.ledger.log_import(event)
        return event

    def _roster(self, taken: Adopted[Roster] | NotAdopted) -> InForce | NotAdopted:
        if isinstance(taken, NotAdopted):
            return taken
        return self._force(Signed.from_bytes(taken.data), taken.document)

    def _calendar(self, taken: Adopted[Calendar] | NotAdopted) -> InForce | NotAdopted:
        if isinstance(taken, NotAdopted):
            return taken
        name, held = taken.document.calendar, self.documents.calendar
        if self.code not in taken.document.regions:
            return NotAdopted(f"Region {self.code} is not in this calendar. Ask the consortium for the right one.")
        if held is not None and held.digest != taken.digest:
            before = held.document.calendar
            if name.id == before.id and name.version <= before.version:
                return NotAdopted(f"Calendar {name.id}@{before.version} is in force; this is version {name.version}.")
        return self._force(Signed.from_bytes(taken.data), taken.document)

    def _codebook(self, taken: Adopted[Codebook] | NotAdopted) -> InForce | NotAdopted:
        if isinstance(taken, NotAdopted):
            return taken
        label = taken.document.label
        held = self.ledger.book.adopted.get(("codebook", label))
        if held is not None and held.hash != taken.digest:
            return NotAdopted(f"Codebook {label} is in force with other content. A change needs a new version.")
        return self._force(Signed.from_bytes(taken.data), taken.document)

    def _force(self, signed: Signed, document: Document) -> InForce:
        event = event_of(signed, document)
        key = (event.kind, event.name if event.kind == "codebook" else "")
        held = self.ledger.book.adopted.get(key)
        if held is not None and held.hash == event.hash:
            return InForce(event.kind, event.name, event.hash, new=False)
        path = file_of(self.home, event)
        lay_beside(path, signed.to_bytes())
        self.ledger.log_adopted(event, signed, inherited(document, self.code, event.hash))
        put_in_place(path)
        self.documents = self._load()
        return InForce(event.kind, event.name, event.hash, new=True)

    def _load(self) -> Documents:
        steward = None if self._steward is None else self._steward.public
        return load(self.home, self.ledger.book.adopted.values(), steward)


def steward_key(home: Home) -> SigningKey | None:
    """The steward's key of the home; None where it is kept elsewhere."""
    return home.signing_key("steward") if (home.keys / "steward.pem").exists() else None
