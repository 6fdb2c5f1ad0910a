"""Does a reset close the log before it where the witnesses left it, and charge all that was left?"""

from __future__ import annotations

from collections.abc import Iterator

from rondgang.notes import origin

from audit.checks.answers import enough
from audit.checks.documents import MISSING, UNREADABLE, UNSIGNED, unsigned
from audit.exact import digits, nano_down, rho_text
from audit.findings import Finding, error, note
from audit.model import LoggedEntry
from audit.policy import Policy
from audit.state import Closed, State

SKIPPED = error(
    "reset.epoch",
    "Epochs follow each other one by one; here one is missing or stands twice, with whatever was spent in it.",
    "Ask the region's steward for the evidence of every epoch.",
)
FORGETS = error(
    "reset.forgets",
    "The reset leaves out what witnesses had seen of the old log, and with it what was spent there.",
    "Ask the region's steward why, and the witnesses for their last checkpoint of the old log.",
)
OTHER_ROOT = error(
    "reset.root",
    "The reset closes another log than the one that was kept: something in the old log was changed.",
    "Ask the region's steward for the old ledger file, and the witnesses for their last checkpoint of it.",
)
CHEAP = error(
    "reset.cheap",
    "A reset charges all that was left, so that losing a ledger never pays; this one did not.",
    "Ask the region's steward; nothing may be asked of this region before the totals are right.",
)
OTHER_POLICY = error(
    "reset.policy",
    "The reset counts by another policy than the one that was in force, so it may charge too little.",
    "Ask the region's steward which policy was in force.",
)
REOPENED = error(
    "reset.reopened",
    "A log that had been closed went on: two logs were kept beside each other.",
    "Ask the region's steward whether an old copy of the node is running.",
)
LOST = note(
    "epoch.lost",
    "The region lost a part of its ledger and began anew; all its budget was charged, so nothing was gained by it.",
    "Ask the region's steward what happened, and whether the old file can still be found.",
)


def check(state: State, entry: LoggedEntry) -> Iterator[Finding]:
    """The first entry of a later epoch, against the epoch before it."""
    where, opened = state.at(entry), entry.number("epoch")
    if opened != entry.epoch:
        yield SKIPPED.broken(where, f"The reset opens epoch {opened}; it stands in epoch {entry.epoch}.")
    before = state.closed.get(entry.epoch - 1)
    if before is None:
        # Whoever was to witness the missing epoch would know of it.
        known = any(head.signed for head in state.evidence.heads.of(origin(state.region, entry.epoch - 1)))
        others = bool(state.closed) or any(not bundle.region for bundle in state.evidence.bundles)
        rule = SKIPPED if others and not known else LOST
        yield rule.broken(where, f"Nothing of epoch {entry.epoch - 1}, which the reset closes, is in the evidence.")
    yield from _heads(state, entry, before)
    yield from _reopened(state, entry)
    yield from _charges(state, entry, before)


def _heads(state: State, entry: LoggedEntry, before: Closed | None) -> Iterator[Finding]:
    """What was seen of the old log, against the size and root that the reset commits to."""
    where, size = state.at(entry), entry.number("old_size")
    log, root = origin(state.region, entry.epoch - 1), bytes.fromhex(entry.text("old_root"))
    if before is not None and before.tree.size < size:
        what = f"It commits to {size} entries of epoch {entry.epoch - 1}; {before.tree.size} are in the evidence."
        yield LOST.broken(where, what)
    elif before is not None and before.tree.root(size) != root:
        yield OTHER_ROOT.broken(where, f"Its root of {size} entries is not that of the entries in the evidence.")
    for head in state.evidence.heads.of(log):
        if not head.signed:
            continue
        if head.size == size and head.root != root:
            yield OTHER_ROOT.broken(
                where, f"Its root of {size} entries is not the one that {head.sightings[0].maker} holds."
            )
        if head.size > size and enough(state.evidence, head, state.policy, state.people):
            what = f"Witnesses cosigned {head.size} entries of epoch {entry.epoch - 1}; the reset commits to {size}."
            yield FORGETS.broken(where, what)
            return


def _reopened(state: State, entry: LoggedEntry) -> Iterator[Finding]:
    """Entries of the closed epoch that are younger than the reset that closed it."""
    for old in state.bundle.entries.get(entry.epoch - 1, ())[entry.number("old_size") :]:
        if old.time > entry.time:
            what = f"It was written {old.time - entry.time} seconds after {entry.place} had closed its epoch."
            yield REOPENED.broken(state.at(old), what)
            return


def _charges(state: State, entry: LoggedEntry, before: Closed | None) -> Iterator[Finding]:
    """The totals with which the new epoch begins."""
    where, hashed = state.at(entry), entry.text("policy")
    policy = state.evidence.library.policy(hashed)
    if before is not None and before.policy not in ("", hashed) and before.tree.size >= entry.number("old_size"):
        what = f"It names policy {hashed[:16]}; {before.policy[:16]} was in force."
        yield OTHER_POLICY.broken(where, what)
    if state.evidence.library.paper("policy", hashed) is None:
        yield MISSING.broken(where, f"The policy {hashed[:16]} by which it charges is not in the evidence.")
    elif why := unsigned(state, "policy", hashed, entry.time):
        yield UNSIGNED.broken(where, f"The reset charges by policy {hashed[:16]}, but {why}.")
    elif policy is None:
        yield UNREADABLE.broken(where, f"The policy {hashed[:16]} is not one that this version can read.")
    said = totals_of(entry)
    for name, least in sorted(_least(policy, before).items()):
        total = entry.money("lifetime_total") if name == "" else said.get(name, 0)
        if total < least:
            of = f"cohort {name}" if name else "the lifetime"
            yield CHEAP.broken(
                where, f"The total of {of} is {rho_text(total)} rho; all that was left makes {rho_text(least)}."
            )


def _least(policy: Policy | None, before: Closed | None) -> dict[str, int]:
    """The least that a reset may charge, by cohort, and for the lifetime under the empty name.

    Privacy: the cap, or what was spent where that is more; caps rounded down, as they bind.
    """
    least = {} if policy is None else {name: nano_down(cap) for name, cap in policy.cohorts.items()}
    lifetime = 0 if policy is None else nano_down(policy.lifetime)
    spent = {} if before is None else before.cohorts
    found = {name: max(least.get(name, 0), spent.get(name, 0)) for name in {*least, *spent}}
    return found | {"": max(lifetime, 0 if before is None else before.lifetime)}


def totals_of(entry: LoggedEntry) -> dict[str, int]:
    """The cohort totals of a reset, in nano-rho."""
    totals = entry.body.get("cohorts")
    return {name: digits(total) or 0 for name, total in totals.items()} if isinstance(totals, dict) else {}
