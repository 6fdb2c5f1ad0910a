"""What is learned from a programme: the margins that its figures are expected to have, known before it is answered.

Sigma is public, and so are the expected numbers of units, so whoever has the signed programme, its codebook and its
calendar can work out how sharp every figure will be, here and nationally. Nothing is asked of a region's data.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from math import isfinite

from policies.secure.rounds import group_of, noise_variance
from policies.statistics.compile import Compilation, Compiled
from policies.statistics.expected import products, ratios, wholes
from policies.statistics.expected.setting import Z95, Setting, Width
from policies.statistics.likeness import design_effect
from policies.statistics.programme import Programme
from policies.statistics.statistic import Kind
from policies.study.calendar import Calendar
from policies.study.codebook import Codebook

_WIDTHS: Mapping[Kind, Callable[[Setting], Width]] = {
    "count": ratios.count,
    "proportion": ratios.proportion,
    "mean": ratios.mean,
    "transition": ratios.rows,
    "sum": ratios.total,
    "histogram": ratios.classes,
    "cross_table": ratios.combinations,
    "paired_change": ratios.change,
    "variance": ratios.variance,
    "standard_deviation": ratios.standard_deviation,
    "covariance": products.covariance,
    "correlation": products.correlation,
    "regression": products.regression,
    "adjusted_difference": wholes.adjusted_difference,
    "quantile": wholes.quantile,
}
_SHARES: tuple[Kind, ...] = ("proportion", "transition", "histogram", "cross_table")


@dataclass(frozen=True, slots=True)
class Gain:
    """Half the expected 95% interval of a statistic's main figure, for one region and nationally, in its own unit.

    None where it is not known beforehand: of a region's own figure where there is none (`mode: national`), of a
    regression with a ridge (which has no interval), and where so much noise is expected that no interval is bounded.
    `region_readable` and `national_readable`: its denominator is expected to stand out of the noise; else the figure is
    withheld. `points`: it is a share or a difference of two. The national one is with every region in it, at equal
    weights.
    """

    statistic: str
    kind: Kind
    national_only: bool
    points: bool
    region: float | None
    national: float | None
    region_readable: bool
    national_readable: bool


def expected_gains(
    programme: Programme, compilation: Compilation, codebook: Codebook, calendar: Calendar, region: str
) -> tuple[Gain, ...]:
    """One gain a statistic, in the programme's order, for a region that the programme asks.

    Raises KeyError for another region.
    """
    expected = calendar.expected_of(programme.programme.cohort)
    units = {code: expected[code] for code in programme.regions}
    blocks = {block.id: block for block in compilation.blocks}
    found = []
    for compiled in compilation.statistics:
        asked = compiled.statistic
        numbers = {code: float(one.of(asked.unit)) for code, one in units.items()}
        everyone, main = sum(numbers.values()), blocks[compiled.blocks[0]]
        here = Setting(
            compiled=compiled,
            blocks=tuple(blocks[name] for name in compiled.blocks),
            variances=_own_noise(programme, compiled),
            units=numbers[region],
            average=everyone / len(numbers),
            effect=design_effect(main, asked.kind == "count", codebook, units.values()),
            total_effect=design_effect(main, True, codebook, units.values()),
            columns=codebook.columns,
        )
        noise = _national_noise(programme, compiled)
        together = replace(here, variances=noise, units=everyone, average=everyone)
        found.append(_gain(compiled, _width(here), _width(together)))
    return tuple(found)


def _gain(compiled: Compiled, here: Width, together: Width) -> Gain:
    asked = compiled.statistic
    national = asked.mode == "national"
    return Gain(
        statistic=asked.id,
        kind=asked.kind,
        national_only=national,
        points=asked.kind in _SHARES or _of_shares(compiled),
        region=None if national else _half(here),
        national=_half(together),
        region_readable=not national and here.readable,
        national_readable=together.readable,
    )


def _of_shares(compiled: Compiled) -> bool:
    """Whether a difference is one of two shares: in canonical spelling a condition is more than one name."""
    asked = compiled.statistic
    spelled = asked.of if isinstance(asked.of, str) else ""
    return asked.kind == "adjusted_difference" and not spelled.replace("@", "_").isidentifier()


def _width(setting: Setting) -> Width:
    """Of what is asked; a regression with a ridge has no interval."""
    if setting.compiled.statistic.ridge is not None:
        return Width(None, True)
    return _WIDTHS[setting.compiled.statistic.kind](setting)


def _half(width: Width) -> float | None:
    return None if width.error is None or not isfinite(width.error) else Z95 * width.error


def _own_noise(programme: Programme, compiled: Compiled) -> tuple[float, ...]:
    """The noise variance of one region's own blocks, in base units, in the statistic's order.

    Privacy: read off the signed programme, nothing is drawn or charged.
    """
    planned = {block.id: block for block in programme.blocks}
    mine = (planned[name] for name in compiled.blocks)
    return tuple(float(block.scale.fraction / block.multiplier) ** 2 for block in mine)


def _national_noise(programme: Programme, compiled: Compiled) -> tuple[float, ...]:
    """That of all regions together at equal weights: of their own noise, or of a finished sum with nobody lost.

    Privacy: as `_own_noise`.
    """
    regions, group = len(programme.regions), group_of(programme)
    if compiled.statistic.mode == "regional" or group is None:
        return tuple(regions * variance for variance in _own_noise(programme, compiled))
    planned, heaviest = {block.id: block for block in programme.blocks}, max(programme.steps.values())
    taken = [group.dropouts] * group.regions
    mine = (planned[name] for name in compiled.blocks)
    return tuple(noise_variance(block, group, taken) / (block.multiplier * heaviest) ** 2 for block in mine)
