"""Does the question keep to the kinds, variables and crossings that the region's policy allows?"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress

from audit.findings import Finding, error
from audit.reprice.asked import CannotDerive, Statistic
from audit.reprice.names import Names
from audit.state import Debit, State
from policies.study.codebook import Codebook
from policies.study.derive import derived_sources
from policies.study.expressions.nodes import refs

KIND = error(
    "policy.kind",
    "The region answered a kind of question that its steward's policy does not allow.",
    "Ask the region's steward why it was answered.",
)
VARIABLE = error(
    "policy.variable",
    "The region's steward keeps this variable to the region, and it was used in an answer.",
    "Ask the region's steward why it was answered.",
)
CROSSING = error(
    "policy.crossing",
    "Two variables met in one question that the region's steward wants kept apart.",
    "Ask the region's steward why it was answered.",
)


def check(state: State, debit: Debit) -> Iterator[Finding]:
    """One debit's programme against what the policy in force says of content."""
    asked, policy, where = debit.asked, debit.policy, state.at(debit.entry)
    codebook = None if asked is None else state.evidence.library.codebook(asked.codebook_hash)
    if asked is None or policy is None or codebook is None:
        return
    for statistic in asked.statistics:
        if statistic.kind not in policy.kinds:
            yield KIND.broken(where, f"`{statistic.id[:63]}` is a {statistic.kind[:40]}.")
        if not policy.denied and not policy.crossings:
            continue
        used = touched(statistic, codebook)
        if denied := used & policy.denied:
            yield VARIABLE.broken(where, f"`{statistic.id[:63]}` uses `{min(denied)}`.")
        for one, other in policy.crossings:
            if {one, other} <= used:
                yield CROSSING.broken(where, f"`{statistic.id[:63]}` crosses `{one}` with `{other}`.")


def touched(statistic: Statistic, codebook: Codebook) -> frozenset[str]:
    """Every variable that a statistic touches, with those behind a derived one, and a derived one by its short name."""
    found: set[str] = set()
    for wave in statistic.waves:
        names = Names(codebook, statistic.unit, wave)
        texts = (*statistic.of, *statistic.by, *statistic.strata, statistic.compare, statistic.where)
        for text in filter(None, texts):
            found |= _named(names, text)
    behind = {source for name in found if name in codebook.definitions for source in derived_sources(name, codebook)}
    return frozenset(found | behind | {name.partition(".")[0] for name in found | behind})


def _named(names: Names, text: str) -> set[str]:
    """The variables of a condition, or the one that the text names; none where it is neither."""
    with suppress(CannotDerive):
        return {ref.name for ref in refs(names.condition(text))}
    with suppress(CannotDerive):
        return {names.ref(text).name}
    return set()
