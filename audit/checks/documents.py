"""Is every document that an entry rests on there, readable, and signed by who must sign it?"""

from __future__ import annotations

from collections.abc import Iterator

from audit.findings import Finding, Rule, error, warning
from audit.model import LoggedEntry
from audit.people import SKEW_S, desks, researchers, stewards, unfit
from audit.state import State
from policies.study.history import changes

MISSING = error(
    "document.missing",
    "The evidence does not have a document that this entry rests on, so it cannot be checked.",
    "Ask the region's steward, or the coordinator, for the document with this hash.",
)
UNREADABLE = error(
    "document.unreadable",
    "A document that this entry rests on is not what it should be; an honest node would have refused it.",
    "Ask whoever signed the document, and the region's steward why it was taken.",
)
UNSIGNED = error(
    "document.unsigned",
    "A document was used that nobody with the right to do so had signed: someone decided what was not theirs.",
    "Ask the region's steward where this document came from, and the supposed signer whether it is theirs.",
)
OLDER_ROSTER = error(
    "roster.older",
    "The region went back to an older list of parties, in which somebody who was revoked since may still take part.",
    "Ask the region's steward why, and the consortium who was revoked in between.",
)
BEHIND = warning(
    "roster.behind",
    "Somebody asked who may not ask any more, and the region did not know yet.",
    "Ask the region's steward when the newer roster was adopted, and the consortium how it was handed out.",
)
REWRITTEN = warning(
    "calendar.rewritten",
    "The consortium changed in its calendar what had happened already, on which rotation and budgets of then rest.",
    "Ask the consortium what was wrong before, and who was told.",
)
OTHER_POLICY = error(
    "policy.region",
    "The region works by the rules of another region, which its own steward may never have wanted.",
    "Ask the region's steward which policy was signed.",
)
FEWER_COHORTS = error(
    "policy.households",
    "The policy promises that a household is in fewer cohorts than it may be in already, and counts too little for it.",
    "Ask the region's steward why; what was spent over all cohorts together must be counted by the policy before.",
)
OTHER_RESEARCHER = error(
    "asked.researcher",
    "The log names another researcher than the one who signed the programme, so the wrong person seems to have asked.",
    "Ask the researcher who is named whether they asked this.",
)
OTHER_ORDER = error(
    "asked.order",
    "The coordinator's order was for something else: this question was never ordered from the region.",
    "Ask the coordinator for the order of this run.",
)
TWO_PROGRAMMES = error(
    "run.two_programmes",
    "One run stands for two different programmes: a signature for one question was used for another.",
    "Ask the coordinator which programme was submitted in this run.",
)
OTHER_APPROVAL = error(
    "approval.other",
    "What the steward signed is not what the log says: it is for another programme or region, or says the opposite.",
    "Ask the region's steward what was decided, and show them the signed document.",
)
LATER_APPROVAL = error(
    "approval.later",
    "The steward's decision was signed after the entry that it is said to be the reason for: it was dated back.",
    "Ask the region's steward when the decision was taken.",
)


def adopted(state: State, entry: LoggedEntry) -> Iterator[Finding]:
    """A document that came into force, and who put it there."""
    kind, hashed = entry.text("kind"), entry.text("hash")
    where, library = state.at(entry), state.evidence.library
    if library.paper(kind, hashed) is None:
        yield MISSING.broken(where, f"The {kind} {hashed[:16]} that came into force is not in the evidence.")
        return
    if why := unsigned(state, kind, hashed, entry.time):
        yield UNSIGNED.broken(where, f"The {kind} {hashed[:16]} came into force, but {why}.")
    if _read(state, kind, hashed) is None:
        yield UNREADABLE.broken(where, f"The {kind} {hashed[:16]} is not one that this version can read.")
    roster, policy = library.roster(hashed), library.policy(hashed)
    if kind == "roster" and roster is not None and state.roster is not None and roster.serial < state.roster.serial:
        what = f"Roster {roster.serial} came into force after roster {state.roster.serial}."
        yield OLDER_ROSTER.broken(where, what)
    if kind == "calendar":
        yield from _rewritten(state, entry)
    if kind == "policy" and policy is not None and policy.region not in ("", state.region):
        yield OTHER_POLICY.broken(where, f"The policy is that of region {policy.region[:8]}.")
    if kind == "policy" and policy is not None and policy.most_cohorts is not None:
        yield from _fewer(state, entry, policy.most_cohorts)


def _fewer(state: State, entry: LoggedEntry, most: int) -> Iterator[Finding]:
    """Fewer cohorts a household than before, where it may be in more of them already."""
    before, held = None if state.policy is None else state.policy.most_cohorts, state.cohorts_held
    if (before is None or most < before) and len(held) > most:
        what = (
            f"By this policy a household is in at most {most} cohorts; it may be in {', '.join(sorted(held))} already."
        )
        yield FEWER_COHORTS.broken(state.at(entry), what)


def _rewritten(state: State, entry: LoggedEntry) -> Iterator[Finding]:
    held, taken = state.calendar, state.evidence.library.calendar(entry.text("hash"))
    if held is None or taken is None:
        return
    for change in changes(held, taken, entry.time):
        if change.rewrites:
            yield REWRITTEN.broken(state.at(entry), f"{change.subject} {change.what}.")


def unsigned(state: State, kind: str, hashed: str, at: int) -> str:
    """Why a document is not signed by who must sign it; empty where it is."""
    library, roster = state.evidence.library, state.people
    if kind in ("roster", "calendar", "codebook"):
        return "" if library.by_consortium(kind, hashed) else "the consortium's key has not signed it"
    if roster is None:
        return "there is no roster to say who may sign it"
    signers = library.signers(kind, hashed)
    match kind:
        case "policy" | "approval":
            return unfit(signers, stewards(roster, state.region), "steward", at)
        case "order":
            return unfit(signers, desks(roster), "signing", at)
        case _:
            return unfit(signers, researchers(roster), "signing", at)


def _read(state: State, kind: str, hashed: str) -> object:
    library = state.evidence.library
    match kind:
        case "roster":
            return library.roster(hashed)
        case "calendar":
            return library.calendar(hashed)
        case "codebook":
            return library.codebook(hashed)
        case _:
            return library.policy(hashed)


def asked(state: State, entry: LoggedEntry) -> Iterator[Finding]:
    """A question that came in: the researcher's programme and the coordinator's order for it."""
    yield from programme(state, entry)
    yield from _one_programme(state, entry)
    hashed, where = entry.text("order"), state.at(entry)
    order = state.evidence.library.order(hashed)
    if state.evidence.library.paper("order", hashed) is None:
        yield MISSING.broken(where, f"The coordinator's order {hashed[:16]} is not in the evidence.")
        return
    if why := unsigned(state, "order", hashed, entry.time):
        yield UNSIGNED.broken(where, f"The coordinator's order {hashed[:16]} was followed, but {why}.")
    if order is None:
        yield UNREADABLE.broken(where, f"The order {hashed[:16]} is not one that this version can read.")
    elif (order.run, order.programme) != (entry.text("run"), entry.text("programme")):
        what = f"The order is for {order.run} and programme {order.programme[:16]}, the entry for {entry.text('run')}"
        yield OTHER_ORDER.broken(where, f"{what} and programme {entry.text('programme')[:16]}.")


def programme(state: State, entry: LoggedEntry) -> Iterator[Finding]:
    """The programme that an entry is about: there, readable, and signed by the researcher whom the entry names."""
    hashed, where = entry.text("programme"), state.at(entry)
    library = state.evidence.library
    if library.paper("programme", hashed) is None:
        yield MISSING.broken(where, f"The programme {hashed[:16]} is not in the evidence.")
        return
    if isinstance(why := library.programme(hashed), str):
        yield UNREADABLE.broken(where, f"The programme {hashed[:16]} cannot be read: {why}.")
    yield from _behind(state, entry)
    if why_not := unsigned(state, "programme", hashed, entry.time):
        yield UNSIGNED.broken(where, f"The programme {hashed[:16]} was taken, but {why_not}.")
    elif entry.text("researcher") not in library.signers("programme", hashed):
        what = f"The entry names the key {entry.text('researcher')[:16]}, which has not signed the programme."
        yield OTHER_RESEARCHER.broken(where, what)


def _behind(state: State, entry: LoggedEntry) -> Iterator[Finding]:
    """A researcher whom a newer roster revokes: the region had not adopted it yet."""
    newest, held = state.evidence.newest, state.roster
    if newest is None or held is None or newest.serial <= held.serial or newest.issued > entry.time - SKEW_S:
        return
    signers = state.evidence.library.signers("programme", entry.text("programme"))
    if signers and unfit(signers, researchers(newest), "signing", entry.time):
        what = (
            f"Roster {newest.serial} no longer lets its researcher ask; the region still went by roster {held.serial}."
        )
        yield BEHIND.broken(state.at(entry), what)


def _one_programme(state: State, entry: LoggedEntry) -> Iterator[Finding]:
    before = state.runs.get(entry.text("run"))
    if before is not None and before.text("programme") != entry.text("programme"):
        what = f"In {entry.text('run')} the log has this programme, and another at {before.place}."
        yield TWO_PROGRAMMES.broken(state.at(entry), what)


def decided(state: State, entry: LoggedEntry) -> Iterator[Finding]:
    """The steward's yes or no, as signed."""
    if (fault := decision_fault(state, entry)) is not None:
        rule, what = fault
        yield rule.broken(state.at(entry), what)


def decision_fault(state: State, entry: LoggedEntry) -> tuple[Rule, str] | None:
    """What is wrong with the decision that an entry rests on."""
    hashed = entry.text("approval")
    library = state.evidence.library
    if library.paper("approval", hashed) is None:
        return MISSING, f"The steward's decision {hashed[:16]} is not in the evidence."
    if why := unsigned(state, "approval", hashed, entry.time):
        return UNSIGNED, f"The steward's decision {hashed[:16]} was followed, but {why}."
    said = library.approval(hashed)
    if said is None:
        return UNREADABLE, f"The steward's decision {hashed[:16]} is not one that this version can read."
    wanted = "approve" if entry.event == "approved" else "decline"
    if (said.region, said.programme, said.decision) != (state.region, entry.text("programme"), wanted):
        return OTHER_APPROVAL, f"It says `{said.decision}` of programme {said.programme[:16]} in {said.region}."
    if said.decision == "decline" and said.reason != entry.text("reason"):
        return OTHER_APPROVAL, f"It gives the reason `{said.reason}`, the entry `{entry.text('reason')}`."
    if said.decided > entry.time + SKEW_S:
        return LATER_APPROVAL, f"It was signed {said.decided - entry.time} seconds after the entry."
    return None
