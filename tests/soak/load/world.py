"""The federation under load: regions of made-up households, researchers, and programmes that cost next to nothing."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from rondgang.canonical import digest
from rondgang.signed import Signed, sign

from compose.demo.federation import SHIPPED, Documents, Federation
from coordinator.home import Home as Profile
from policies.documents import to_canonical
from policies.statistics.plan import plan
from policies.statistics.programme import Draft, Programme
from tests.bench import world as bench

ROWS = 2_000
NATIONAL_EVERY = 8
"""One programme in so many asks its count nationally."""
_POLICY = """
policy: {version: 1}
test_only: true
cohorts: {c3: {rho: "100000"}}
lifetime: {rho: "100000"}
programme: {rho: "1"}
secure: {own_noise: {rho: "1"}, attempts: 3, colluders: 1}
"""
"""Caps that half a million of these programmes do not reach: it is the load that ends the run, never the budget."""
_RHO = "0.02"


def federation(folder: Path, regions: int, colleagues: tuple[str, ...], database: str | None = None) -> Federation:
    """Documents and made-up data for so many regions; nothing is set up yet."""
    files = Documents(SHIPPED / "rotation.yaml", folder / "codebook.yaml", folder / "policy.yaml")
    files.codebook.write_text(bench.CODEBOOK, encoding="utf-8")
    files.policy.write_text(_POLICY, encoding="utf-8")
    members = bench.calendar().members("c3")[:regions]
    data = {region: bench.write_delivery(folder / "data" / region, ROWS, place) for place, region in enumerate(members)}
    return Federation(folder / "federation", data, files, database=database, colleagues=colleagues)


@dataclass(frozen=True, slots=True)
class Asker:
    """One researcher: its keys, and two planned programmes of which every further one is a copy by another name."""

    profile: Profile
    regional: Programme
    national: Programme

    @classmethod
    def of(cls, home: Path, regions: tuple[str, ...]) -> Asker:
        codebook, calendar = bench.codebook(), bench.calendar()
        hashes = digest(to_canonical(codebook)), digest(to_canonical(calendar))
        made = [plan(_draft(regions, national=national), codebook, calendar, hashes) for national in (False, True)]
        return cls(Profile(home), *made)

    def programmes(self, stem: str) -> Iterator[tuple[Signed, bool]]:
        """Signed programmes without end, and whether each is national. No two are the same, whoever signs them."""
        key, number = self.profile.signing_key(), 0
        while True:
            number += 1
            national = number % NATIONAL_EVERY == 0
            made = self.national if national else self.regional
            heading = made.programme.model_copy(update={"id": f"{stem}_{number}"})
            yield sign("programme", to_canonical(made.model_copy(update={"programme": heading})), key), national


def _draft(regions: tuple[str, ...], *, national: bool) -> Draft:
    """A count over thirty cells, in these regions."""
    one: dict[str, object] = {"id": "table", "kind": "count", "unit": "household", "wave": "T1", "by": ["cell"]}
    asked = bench.draft(0, [one | ({"mode": "national"} if national else {})], _RHO).model_dump(mode="json")
    asked |= {"weights": dict.fromkeys(regions, "1")}
    if national:
        asked |= {
            "secure": {"colluders": max(1, len(regions) // 3), "dropouts": 2 if len(regions) > 8 else 1, "attempts": 2}
        }
    return Draft.model_validate(asked)
