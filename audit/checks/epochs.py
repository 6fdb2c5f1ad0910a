"""Does a reset close the log before it where the witnesses left it, and charge all that was left?"""

from __future__ import annotations

from collections.abc import Iterator

from rondgang.notes import origin

from audit.checks.answers import enough
from audit.checks.documents import MISSING, UNREADABLE, UNSIGNED, unsigned
from audit.exact import nano_down, rho_text
from audit.findings import Finding, error, warning
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
    "Witnesses were shown new entries of a log that had been closed: two logs were kept beside each other.",
    "Ask the region's steward whether an old copy of the node is running.",
)
LOST = warning(
    "epoch.lost",
    "The region lost a part of its ledger and started anew; all its budget was charged, so no privacy was gained by it.",
    "Ask the region's steward what happened, and whether the old file can still be found.",
)


def check(state: State, entry: LoggedEntry) -> Iterator[Finding]:
    """The first entry of a later epoch, against the epoch before it."""
    where, opened = state.at(entry), entry.number("epoch")
    if opened != entry.epoch:
        yield SKIPPED.broken(where, f"The reset opens epoch {opened}; it stands in epoch {entry.epoch}.")
    before = state.closed.get(entry.epoch - 1)
    if before is None:
        what = f"Nothing of epoch {entry.epoch - 1} is in the evidence; the reset commits to {entry.number('old_size')} entries."
        yield LOST.broken(where, what)
    yield from _heads(state, entry, before)
    yield from _charges(state, entry, before)


def _heads(state: State, entry: LoggedEntry, before: Closed | None) -> Iterator[Finding]:
    """What was seen of the old log, against the size and root that the reset commits to."""
    where, size = state.at(entry), entry.number("old_size")
    log, root = origin(state.region, entry.epoch - 1), bytes.fromhex(entry.text("old_root"))
    if before is not None and before.tree.size < size:
        what = (
            f"The reset commits to {size} entries of epoch {entry.epoch - 1}; {before.tree.size} are in the evidence."
        )
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
            late = min((min(times) for times in head.times.values()), default=0)
            rule = REOPENED if late > entry.time + 300 else FORGETS
            what = f"Witnesses cosigned {head.size} entries of epoch {entry.epoch - 1}; the reset commits to {size}."
            yield rule.broken(where, what)
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
    return (
        {name: int(total) for name, total in totals.items() if isinstance(total, str)}
        if isinstance(totals, dict)
        else {}
    )
