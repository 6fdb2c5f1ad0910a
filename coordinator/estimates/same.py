"""Whether two statistics ask the same, whatever they are called and whichever cohort they are asked of."""

from __future__ import annotations

from decimal import Decimal

from rondgang import canonical

from policies.documents import to_canonical
from policies.statistics.compile import BadStatistic, compile_blocks
from policies.statistics.names import names
from policies.statistics.statistic import Statistic
from policies.study.codebook import Codebook

_NAME = "asked"


def same_key(statistic: Statistic, codebook: Codebook, wave: str | None = None) -> bytes | None:
    """Canonical bytes of what is asked; equal bytes mean the same question.

    Left out is what makes no difference to the figure: its name and label, how it is answered, and what it may cost.
    Taken in is how the codebook defines every variable that is used: a threshold that moved makes another question.
    `wave` asks the same at another single wave. None where the codebook cannot say what is asked.
    """
    asked = _plain(statistic)
    if wave is not None and wave != asked.wave:
        if len(asked.waves) != 1 or "->" in wave or "+" in wave:
            return None
        asked = _at(asked, wave)
    try:
        compilation = compile_blocks((asked,), codebook)
    except BadStatistic:
        return None
    used = set[str]().union(*(names(block) for block in compilation.blocks))
    used |= {source for name in used for source in codebook.columns[name].sources}
    defined: dict[str, canonical.Json] = {name: [*_defined(name, codebook)] for name in used}
    spelled = to_canonical(compilation.statistics[0].statistic).decode("utf-8")
    return canonical.encode({"asked": spelled, "variables": defined})


def _plain(statistic: Statistic) -> Statistic:
    update = {"id": _NAME, "label": None, "mode": "regional", "weight": Decimal(1), "sd": None}
    return statistic.model_copy(update=update)


def _at(statistic: Statistic, wave: str) -> Statistic:
    """The same at another wave: names at its own wave move along, those of another wave stay."""
    mark = f"@{statistic.wave}"
    of = statistic.of
    moved = tuple(key.replace(mark, "") for key in of) if isinstance(of, tuple) else of and of.replace(mark, "")
    where = None if statistic.where is None else statistic.where.replace(mark, "")
    by = tuple(key.replace(mark, "") for key in statistic.by)
    return statistic.model_copy(update={"wave": wave, "of": moved, "where": where, "by": by})


def _defined(name: str, codebook: Codebook) -> list[str]:
    """The public shape of a variable and, of a derived one, the rule that makes it with the numbers it may name."""
    column = codebook.columns[name]
    shape = [column.table, *column.codes, str(column.lower), str(column.grid), str(column.size)]
    definition = codebook.definitions.get(name)
    if definition is None:
        return shape
    cases = [to_canonical(case).decode("utf-8") for case in definition.cases]
    return [*shape, *cases, *(f"{key}={value}" for key, value in sorted(codebook.parameter_texts.items()))]
