"""A federation for chaos: some regions, a coordinator and two independent witnesses; and orders to send."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import yaml
from rondgang.canonical import digest
from rondgang.signed import Signed, sign

from compose.chaos import study
from compose.demo.federation import Federation
from coordinator.home import Home as Profile
from node.authenticate import Ordered, read_order
from policies.documents import load_yaml, to_canonical
from policies.rules.order import Order
from policies.rules.refusals import Refused
from policies.statistics.plan import plan
from policies.statistics.programme import Programme
from policies.study.calendar import Calendar
from policies.study.codebook import Codebook

WITNESSES = ("east", "west")
_QUICK = {"first_wait_ms": 50, "longest_wait_ms": 200, "rejected_wait_ms": 500}
"""How nodes seek a lost desk here: it is killed all the time."""
_DAY_S = 86_400


def federation(folder: Path, regions: Sequence[str], step: Callable[[str], None]) -> Federation:
    """Keys, certificates, documents and data for everyone; nothing runs yet."""
    data = {region: study.delivery(folder / "data" / region) for region in regions}
    papers = study.documents(folder / "documents")
    made = Federation(folder / "federation", data, papers, cohort=study.COHORT, witnesses=WITNESSES)
    made.set_up(step)
    for region in regions:
        path = made.node(region) / "config.yaml"
        config = yaml.safe_load(path.read_text(encoding="utf-8")) | {"reconnect": _QUICK}
        path.write_text(yaml.safe_dump(config), encoding="utf-8")
    return made


def stores(made: Federation) -> list[Path]:
    """What each independent witness remembers."""
    return [made.witness(name) / "witness.sqlite" for name in made.witnesses]


@dataclass(frozen=True, slots=True)
class Orders:
    """Makes orders as the coordinator sends them, for programmes that the researcher signed; each with its own name."""

    researcher: Profile
    desk: Profile
    programme: Programme

    @classmethod
    def of(cls, researcher: Path, desk: Path, documents: Path) -> Orders:
        """With the keys in two homes, by the documents in a folder."""
        codebook = load_yaml(Codebook, documents / "codebook.yaml")
        calendar = load_yaml(Calendar, documents / "calendar.yaml")
        hashes = digest(to_canonical(codebook)), digest(to_canonical(calendar))
        made = plan(study.draft("chaos"), codebook, calendar, hashes)
        return cls(Profile(researcher), Profile(desk), made)

    def order(self, name: str) -> Ordered:
        """The order for the programme of this name. The same name gives the same programme and run."""
        heading = self.programme.programme.model_copy(update={"id": name})
        named = self.programme.model_copy(update={"programme": heading})
        return self._ordered(sign("programme", to_canonical(named), self.researcher.signing_key()))

    def _ordered(self, programme: Signed) -> Ordered:
        issued = int(time.time())
        run = f"run-{programme.digest[:16]}"
        order = Order(run=run, programme=programme.digest, issued=issued, deadline=issued + _DAY_S)
        signed = sign("order", to_canonical(order), self.desk.signing_key())
        read = read_order(run, signed.to_bytes(), programme.to_bytes())
        if isinstance(read, Refused):
            raise ValueError(f"an order of our own cannot be read: {read.sentence}")
        return read
