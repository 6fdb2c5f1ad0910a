"""What was spent over time: one account for each cohort of a region, and one for all its cohorts together.

Totals are added up here from the charges in the log, not taken from the totals that the log gives.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from functools import partial

from markupsafe import Markup

from audit.lifetime import TakenOver, counted
from audit.model import LoggedEntry
from audit.report.naming import Money, Names, keys_at, money, nano_of, whole_at, words_at
from audit.verdict import Caps, RegionHistory
from policies.pages.dates import moment
from policies.pages.numbers import UNKNOWN, exact
from policies.pages.timeline import Said, Stairs, Step, span_text, step_chart
from policies.pages.words import say
from policies.units.money import NANO

LIFETIME = ""
"""The name of the account over all cohorts."""
_FULL = 100


@dataclass(frozen=True, slots=True)
class Move:
    """A line of an account: what happened, and how much was spent and allowed from then on, in nano-rho."""

    at: int
    place: str
    what: str
    charge: int | None
    spent: int
    cap: int | None


@dataclass(frozen=True, slots=True)
class Account:
    """`cohort` is empty for the lifetime account. `moves` in the order of the log; `end` is the log's last second."""

    cohort: str
    moves: tuple[Move, ...]
    begin: int
    end: int

    @property
    def spent(self) -> int:
        return self.moves[-1].spent if self.moves else 0

    @property
    def cap(self) -> int | None:
        return self.moves[-1].cap if self.moves else None


@dataclass(frozen=True, slots=True)
class Row:
    """A line as printed."""

    at: str
    place: str
    what: str
    charge: Money | None
    spent: Money
    cap: Money | None


@dataclass(frozen=True, slots=True)
class Shown:
    """An account as printed. `bar` is how full it is, 0 to 100, and `over` whether it is more than that."""

    title: str
    caption: str
    chart: Markup
    rows: tuple[Row, ...]
    spent: Money
    cap: Money | None
    bar: int
    over: bool


@dataclass(slots=True)
class _Running:
    """An account while the log is walked."""

    spent: int = 0
    cap: int | None = None
    moves: list[Move] = field(default_factory=list)

    def move(self, entry: LoggedEntry, what: str, charge: int | None = None) -> None:
        self.moves.append(Move(entry.time, entry.place, what, charge, self.spent, self.cap))


@dataclass(slots=True)
class _Accounts:
    """All accounts of a region while its log is walked. `plain` is the sum of all charges, in nano-rho; what the
    lifetime account shows of it is what counts where a household is in at most `most` cohorts."""

    names: Names
    cohorts: dict[str, _Running] = field(default_factory=dict)
    lifetime: _Running = field(default_factory=_Running)
    plain: int = 0
    most: int | None = None
    imported: bool = False
    taken: TakenOver = field(default_factory=TakenOver)

    def of(self, cohort: str) -> _Running:
        return self.cohorts.setdefault(cohort, _Running())

    def count(self) -> None:
        totals = {name: one.spent for name, one in self.cohorts.items()}
        self.lifetime.spent = counted(totals, self.plain, self.most, self.taken)

    def capped(self, entry: LoggedEntry, caps: Caps) -> None:
        said = say("report.move.cap", self.names.lang)
        self.most = whole_at(caps.paper.body, "households", "most_cohorts")
        before = self.lifetime.spent
        self.count()
        for cohort in sorted({*self.cohorts, *caps.cohorts}):
            # A cohort that a policy no longer names has no budget.
            one, cap = self.of(cohort), nano_of(caps.cohorts[cohort]) if cohort in caps.cohorts else 0
            if cap != one.cap:
                one.cap = cap
                one.move(entry, said)
        cap = nano_of(caps.lifetime)
        if (cap, self.lifetime.spent) != (self.lifetime.cap, before):
            self.lifetime.cap = cap
            self.lifetime.move(entry, said)

    def reset(self, entry: LoggedEntry) -> None:
        """A new log begins at the totals that its first entry commits to: all that was left is charged."""
        said = say("report.move.reset", self.names.lang)
        for cohort in keys_at(entry.body, "cohorts"):
            one = self.of(cohort)
            one.spent = max(one.spent, whole_at(entry.body, "cohorts", cohort) or 0)
            one.move(entry, said)
        self.plain = max(self.plain, whole_at(entry.body, "lifetime_total") or 0)
        self.taken = TakenOver.began({name: one.spent for name, one in self.cohorts.items()}, self.plain)
        self.imported = False
        self.count()
        self.lifetime.move(entry, said)

    def inherited(self, entry: LoggedEntry) -> None:
        """What regions before this one had spent, where it is more than was counted."""
        said = say("report.move.inherited", self.names.lang)
        stated = {name: whole_at(entry.body, "cohorts", name) or 0 for name in keys_at(entry.body, "cohorts")}
        lifetime = whole_at(entry.body, "lifetime") or 0
        added, more = self.taken.more(stated, lifetime)
        self.taken.take(entry, stated, lifetime)
        for cohort, nano in added.items():
            self.of(cohort).spent += nano
            self.of(cohort).move(entry, said)
        self.plain += more
        if self.imported and (more or any(added.values())):
            self.taken.base = {name: one.spent for name, one in self.cohorts.items()}
            self.taken.base_lifetime = self.plain
        self.count()
        self.lifetime.move(entry, said)

    def debited(self, entry: LoggedEntry) -> None:
        charge = whole_at(entry.body, "charge") or 0
        said = self.names.programme(words_at(entry.body, "programme"))
        one = self.of(words_at(entry.body, "cohort"))
        one.spent += charge
        one.move(entry, said, charge)
        self.plain += charge
        self.count()
        self.lifetime.move(entry, said, charge)


def accounts(history: RegionHistory, names: Names) -> tuple[Account, ...]:
    """Every account of a region, the lifetime account last. A cohort is there once it has a cap or a charge."""
    made = _Accounts(names)
    caps = {(caps.since.epoch, caps.since.seq): caps for caps in history.caps}
    for entry in history.entries:
        if found := caps.get((entry.epoch, entry.seq)):
            made.capped(entry, found)
        match entry.event:
            case "reset":
                made.reset(entry)
            case "inherited":
                made.inherited(entry)
            case "imported":
                made.imported = True
            case "debited":
                made.debited(entry)
    begin = history.entries[0].time if history.entries else 0
    end = max((entry.time for entry in history.entries), default=0)
    ordered = [*sorted(made.cohorts.items()), (LIFETIME, made.lifetime)]
    return tuple(Account(cohort, tuple(one.moves), begin, end) for cohort, one in ordered)


def shown(account: Account, region: str, names: Names) -> Shown:
    """An account with its picture and the table beside it."""
    lang = names.lang
    told = partial(say, lang=lang)
    budget = told("report.lifetime") if account.cohort == LIFETIME else names.cohort(account.cohort)
    title = told("report.account", budget=budget, region=region)
    cap = None if account.cap is None else money(account.cap, lang)
    return Shown(
        title=budget,
        caption=told("report.account_table", title=title, span=span_text(account.begin, account.end, lang)),
        chart=_chart(account, title, names),
        rows=tuple(_row(move, names) for move in account.moves),
        spent=money(account.spent, lang),
        cap=cap,
        bar=min(_FULL, account.spent * _FULL // account.cap) if account.cap else 0,
        over=account.cap is not None and account.spent > account.cap,
    )


def _row(move: Move, names: Names) -> Row:
    lang = names.lang
    return Row(
        at=moment(move.at, lang),
        place=move.place,
        what=move.what,
        charge=None if move.charge is None else money(move.charge, lang),
        spent=money(move.spent, lang),
        cap=None if move.cap is None else money(move.cap, lang),
    )


def _chart(account: Account, title: str, names: Names) -> Markup:
    lang = names.lang
    told = partial(say, lang=lang)
    description = told(
        "report.chart_says",
        spent=money(account.spent, lang).short,
        cap=UNKNOWN if account.cap is None else money(account.cap, lang).short,
        span=span_text(account.begin, account.end, lang),
    )
    said = Said(title, description, told("report.spent"), told("report.cap"), "rho", "epsilon")
    spent = [Step(account.begin, 0.0), *_steps(account.moves, lambda move: move.spent)]
    stairs = Stairs(account.begin, account.end, spent, _steps(account.moves, lambda move: move.cap))

    def rho(level: float) -> str:
        return exact(Decimal(f"{level:.9g}"), lang)

    # Everything in it that is text was escaped where it was drawn.
    return Markup(step_chart(stairs, said, lang, rho, lambda level: money(round(level * NANO), lang).epsilon))


def _steps(moves: Sequence[Move], level: Callable[[Move], int | None]) -> list[Step]:
    found = ((move.at, level(move)) for move in moves)
    return [Step(at, nano / NANO) for at, nano in found if nano is not None]
