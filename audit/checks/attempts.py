"""National sums in one region's log: were they allowed, is every attempt a new one, was each sum asked for?"""

from __future__ import annotations

from collections.abc import Iterator

from audit.checks.answers import REPEATED
from audit.exact import nano_down, rho_text
from audit.findings import Finding, error
from audit.model import LoggedEntry
from audit.policy import Sums
from audit.reprice.asked import Asked, Secure
from audit.state import Debit, State

GROUP = error(
    "secure.group",
    "A national sum protects only with enough regions: here a few of them, with the coordinator, could open it.",
    "Ask the researcher which software planned the programme, and the region's steward why it was answered.",
)
FORBIDDEN = error(
    "secure.forbidden",
    "The steward's policy allows no national sums, and the region took part in one.",
    "Ask the region's steward why it was answered.",
)
COLLUDERS = error(
    "secure.colluders",
    "The steward wants more regions to be distrusted than the programme does; if those tell, too little noise is left.",
    "Ask the region's steward why it was answered.",
)
MANY = error(
    "secure.attempts",
    "The programme may be tried more often than the steward's policy allows, and every attempt costs.",
    "Ask the region's steward why it was answered.",
)
OWN_NOISE = error(
    "secure.own_noise",
    "If every other region told what it knows, a household here would pay more than the steward's policy allows.",
    "Ask the region's steward why it was answered.",
)
AGAIN = error(
    "attempt.again",
    "An attempt that had been made was made again, with secrets and noise of which the first one may have told some.",
    "Ask the region's steward whether an old copy was restored, and the coordinator how it numbered its attempts.",
)
BEYOND = error(
    "attempt.beyond",
    "An attempt was charged that the programme does not allow: more privacy was spent than the question may cost.",
    "Ask the region's steward why it was answered, and the coordinator why it was ordered.",
)
NOT_ASKED = error(
    "sum.not_asked",
    "The region stored the sums of a programme that, by its log, nobody had asked it.",
    "Ask the coordinator why it sent them, and the region's steward why they were taken.",
)
TWO_KEPT = error(
    "sum.second",
    "The region stored two different sums of one run: one of them is not what came of it.",
    "Ask the region's steward and the coordinator for both.",
)


def check(state: State, debit: Debit) -> Iterator[Finding]:
    """One debit of a programme with national sums: its group, what the policy wants, and the number of the attempt."""
    asked = debit.asked
    if asked is not None:
        yield from _group(state, debit, asked)
        if asked.secure is not None and debit.policy is not None:
            yield from _allowed(state, debit, asked, asked.secure, debit.policy.sums)
    if debit.attempt:
        yield from _number(state, debit)


def _group(state: State, debit: Debit, asked: Asked) -> Iterator[Finding]:
    where, group, national = state.at(debit.entry), asked.group, asked.of("national")
    if group is None:
        if national:
            yield GROUP.broken(
                where, "The programme asks national sums, and assumes nothing of who stands behind them."
            )
    elif not national:
        yield GROUP.broken(where, "The programme assumes something of national sums, and asks none.")
    elif not group.sound:
        yield GROUP.broken(
            where,
            f"{group.regions} regions, of which {group.colluders} may collude and {group.dropouts} drop out: it takes "
            "one colluder or more, and more regions than colluders and twice the dropouts.",
        )


def _allowed(state: State, debit: Debit, asked: Asked, secure: Secure, rule: Sums | None) -> Iterator[Finding]:
    where, group = state.at(debit.entry), asked.group
    if rule is None:
        yield FORBIDDEN.broken(where, "The policy in force has no `secure`.")
        return
    if secure.colluders < rule.colluders:
        what = f"The programme assumes {secure.colluders} colluders, the policy asks for {rule.colluders}."
        yield COLLUDERS.broken(where, what)
    if secure.attempts > rule.attempts:
        yield MANY.broken(where, f"The programme allows {secure.attempts} attempts, the policy {rule.attempts}.")
    if group is None or not group.sound:
        return
    price = asked.national if debit.repriced is None else debit.repriced.national.right
    alone, most = price * group.alone, nano_down(rule.own_noise)
    if alone > most:
        what = (
            f"An attempt costs {rho_text(price)} rho, times {group.alone} with its own noise alone: {rho_text(alone)}"
        )
        yield OWN_NOISE.broken(where, f"{what}; the policy allows {rho_text(most)}.")


def _number(state: State, debit: Debit) -> Iterator[Finding]:
    entry, asked, attempt = debit.entry, debit.asked, debit.attempt
    where, run = state.at(entry), (entry.text("programme"), entry.text("run"))
    if attempt <= (newest := state.attempts.get(run, 0)):
        yield AGAIN.broken(where, f"It is charged for attempt {attempt}; attempt {newest} of this run was before it.")
    if asked is not None and attempt > (most := 0 if asked.secure is None else asked.secure.attempts):
        yield BEYOND.broken(where, f"It is charged for attempt {attempt}; the programme allows {most}.")
    kept = state.sums.get(run)
    if kept is not None and kept.epoch == entry.epoch:
        yield REPEATED.broken(where, f"The national sums of this run were stored at {kept.place}.")


def summed(state: State, entry: LoggedEntry) -> Iterator[Finding]:
    """Finished sums that were stored: of a programme that was asked here, and one for a run."""
    where, programme = state.at(entry), entry.text("programme")
    if all(programme != known for known, _run in state.asked):
        yield NOT_ASKED.broken(where, "No `asked` entry for this programme stands above it.")
    before = state.sums.get((programme, entry.text("run")))
    if before is not None and (before.epoch == entry.epoch or before.text("hash") != entry.text("hash")):
        yield TWO_KEPT.broken(where, f"The sums of this run were stored at {before.place} already.")
