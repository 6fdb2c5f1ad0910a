"""The documents of one attempt at national sums, as nodes and desk would sign them; the sums are drawn."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from rondgang.canonical import Json
from rondgang.signed import Signed

from audit.practise import papers
from audit.practise.papers import Values, body_of, paper
from audit.practise.people import Entropy, People


@dataclass(frozen=True, slots=True)
class Rounds:
    """What was signed, in order; of a group in which nobody drops out, so that no noise comes back."""

    keys: tuple[Signed, ...]
    participants: Signed
    sharing: Signed
    survivors: Signed
    seen: tuple[Signed, ...]
    sum: Signed

    @property
    def papers(self) -> tuple[Signed, ...]:
        return (*self.keys, self.participants, self.sharing, self.survivors, *self.seen, self.sum)


def attempt(people: People, entropy: Entropy, run: str, asked: Signed, number: int = 1) -> Rounds:
    """One attempt of all regions, from keys to sums."""
    desk, who = people.desk.signing, people.regions
    listed: list[Json] = [*sorted(who)]
    here: Values = {"run": run, "programme": asked.digest, "attempt": number}
    keys = {region: _keys(people, entropy, region, here) for region in sorted(who)}
    named: Mapping[str, Json] = {region: one.digest for region, one in keys.items()}
    participants = paper("participants", here | {"keys": dict(named)}, desk)
    sharing = paper("sharing", {"participants": participants.digest, "regions": listed}, desk)
    survivors = paper("survivors", {"sharing": sharing.digest, "regions": listed}, desk)
    seen = tuple(
        paper("seen", {"region": region, "survivors": survivors.digest}, who[region].signing) for region in sorted(who)
    )
    made = national_sum(entropy, here, asked, survivors.digest, sorted(who))
    return Rounds(tuple(keys.values()), participants, sharing, survivors, seen, paper("national_sum", made, desk))


def _keys(people: People, entropy: Entropy, region: str, here: Values) -> Signed:
    drawn: Values = {"region": region, "mask": entropy().hex(), "box": entropy().hex()}
    return paper("secure_keys", here | drawn, people.regions[region].signing)


def national_sum(entropy: Entropy, here: Values, asked: Signed, survivors: str, regions: list[str]) -> Values:
    """Sums of the programme's shape whose numbers are drawn: nothing was added up."""
    match body_of(asked):
        case {"programme": {"cohort": str(cohort)}, "blocks": list(blocks)}:
            values = [papers.values(one, entropy) for one in blocks if papers.is_national(one)]
        case _:
            raise ValueError("not a programme")
    return here | {
        "cohort": cohort,
        "survivors": survivors,
        "regions": list[Json](regions),
        "taken_back": dict.fromkeys(regions, 0),
        "blocks": values,
    }
