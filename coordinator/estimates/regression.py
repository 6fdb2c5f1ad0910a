"""regression: ordinary least squares from noisy second moments, for each cell and region by itself.

All is scaled to u = z / M in -1..1 (see pairs), which makes conditions and numbers comparable. With X = (1, u of the
terms) and y = u of the outcome, every entry of G = X'X, c = X'y and y'y is a sum of independent noisy blocks with
public variances: sum(u_j), sum(u_i u_j), sum(u_j^2) = Q/2 + D/2 of a number and D of a condition, D. None is biased.

Estimate. b = (G + K)^-1 c with K = sum_k v_k E_k G^-1 E_k, where v_k is the noise variance of block k and E_k what it
adds to G. For G_noisy = G + E: G_noisy^-1 c = b - G^-1 E b + G^-1 E G^-1 E b - ..., whose second-order mean G^-1 K b
is so taken out (the noise of c has mean zero and does not depend on E: no block is in both). What remains is of the
fourth order.

Noise. To first order b moves by G^-1 (e - E b): a block k moves X'y - X'X b by a_k, so Cov(b) = G^-1 (sum v_k a_k
a_k') G^-1.

Sampling. That of residuals that spread alike everywhere: s^2 G^-1 times n/D, with n the units times squared weights
and public design effects. s^2 is the noisy residual sum of squares h'Sh (h = 1 for the outcome, -b for X), with
tr(G^-1 sum v_k a_k a_k') added, by which noise makes the minimum too small, over D, times N/(N - p) for N = D^2/n
units and p columns. It counts as no less than a deviation of its own noise, and as no more than 1, the largest in
-1..1. The note says what is assumed. Being estimated, it has finite degrees of freedom: the quantile is that of t by
Satterthwaite 1946. Residuals of a condition do not spread alike: around a mean m in -1..1 they have variance 1 - m^2.
Where a term is a condition too, the means and sizes n of both its groups are known, and a difference of two means
varies by v1/n1 + v2/n2, not by (n1 v1 + n2 v2)/(n1 n2): its coefficient's sampling variance is multiplied by the
ratio of both.

Withheld. G_noisy^-1 means something only where noise cannot make G singular: the smallest eigenvalue of the noisy G,
so scaled, must be at least 5 deviations of its noise (the largest of any entry) times sqrt(p), p columns with the
intercept (a symmetric matrix of such noise has a norm of about 2 sqrt(p) deviations). For a region's row the regions'
mean eigenvalue must be 3/3.25 of that too (see status). Elsewhere the estimate is kept, and has no interval.

A ridge adds ridge * D to the diagonal of the terms, not of the intercept. Such figures are pulled to zero by an
unknown amount: they have no interval and no deviation.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import combinations

import numpy as np
from numpy.typing import NDArray

from coordinator.estimates.absent import t95
from coordinator.estimates.pairs import Scale
from coordinator.estimates.ratio import Figures, NoisyBlock
from coordinator.estimates.sets import Floats
from coordinator.estimates.status import MEAN, OWN

MEASURE = "coefficient"
ALIKE = "sampling as of residuals that spread alike at all values of the terms"
SINGULAR = "the terms cannot be told apart under this noise: no interval"
RIDGE = "pulled to zero by the ridge: no interval"
_DEVIATIONS = 5.0
_SAME = 1e-12


@dataclass(frozen=True, slots=True)
class Moments:
    """S = sum over units of (1, y, u_1, ...)(1, y, u_1, ...)', noisy, with what each block adds to it.

    `matrix` is regions x cells x F x F (or cells x F x F), `shapes` blocks x F x F, `variances` those of the blocks.
    """

    matrix: Floats
    shapes: Floats
    variances: Floats

    @classmethod
    def of(cls, blocks: Sequence[NoisyBlock], scales: Sequence[Scale]) -> Moments:
        """Blocks in the order in which the statistic sums them: factors, squares of numbers, products, units."""
        shapes, divisors = zip(*_shapes(scales), strict=True)
        pairs = list(zip(blocks, divisors, strict=True))
        sums = np.stack([block.base / divisor for block, divisor in pairs], axis=-1)
        variances = np.array([block.variance / divisor**2 for block, divisor in pairs])
        return cls(np.einsum("...k,kij->...ij", sums, np.array(shapes)), np.array(shapes), variances)

    @property
    def terms(self) -> list[int]:
        """The places of X: the intercept and the terms."""
        return [0, *range(2, self.shapes.shape[1])]

    @property
    def deviation(self) -> float:
        """The largest noise deviation of an entry of G."""
        entries: Floats = np.einsum("k,kij->ij", self.variances, self._designs**2)
        return float(np.sqrt(entries.max()))

    @property
    def design(self) -> Floats:
        """The noisy G."""
        return self.matrix[..., self.terms, :][..., self.terms]

    @property
    def _designs(self) -> Floats:
        return self.shapes[:, self.terms, :][:, :, self.terms]

    def curvature(self, inverse: Floats) -> Floats:
        """K."""
        designs = self._designs
        return np.asarray(np.einsum("k,kij,...jl,klm->...im", self.variances, designs, inverse, designs, optimize=True))


def _shapes(scales: Sequence[Scale]) -> list[tuple[Floats, int]]:
    """What a unit of each block adds to S, and by what the block is divided first."""
    size = 1 + len(scales)
    found: list[tuple[Floats, int]] = []

    def add(entries: Sequence[tuple[int, int, float]], divisor: int) -> None:
        shape = np.zeros((size, size))
        for i, j, value in entries:
            shape[i, j] = shape[j, i] = value
        found.append((shape, divisor))

    placed = list(enumerate(scales, start=1))
    for place, scale in placed:
        add([(0, place, 1.0)], scale.top)
    for place, scale in placed:
        if not scale.condition:
            add([(place, place, 0.5)], scale.top**2)
    for (i, one), (j, other) in combinations(placed, 2):
        add([(i, j, 1.0)], one.top * other.top)
    add([(0, 0, 1.0), *((place, place, 1.0 if scale.condition else 0.5) for place, scale in placed)], 1)
    return found


def coefficients(
    blocks: Sequence[NoisyBlock], scales: Sequence[Scale], n: Floats, ridge: float | None = None
) -> Figures:
    """One figure for the intercept and each term, in their own units, within each cell.

    `scales` are those of the outcome and the terms; `n`: the units, times weights and public design effects.
    """
    moments, units = Moments.of(blocks, scales), blocks[-1]
    if ridge is not None:
        return _pulled(moments, scales, units, ridge)
    fit = _Fit.of(moments)
    noise, sampling, freedom = fit.variances(moments, scales, n)
    readable = fit.apart & (units.base >= OWN * np.sqrt(units.variance))
    wide = np.repeat(readable[..., np.newaxis], len(scales), axis=-1)
    whole = noise + sampling
    guessed = np.divide(sampling**2, freedom[..., np.newaxis], out=np.zeros_like(whole), where=whole > 0)
    margin = t95(np.divide(whole**2, guessed, out=np.full_like(whole, np.inf), where=guessed > 0)) * np.sqrt(whole)
    estimate = natural(fit.b, scales)
    return _flat(estimate, np.where(wide, margin, np.nan), noise, sampling, wide, units, ALIKE, SINGULAR)


@dataclass(frozen=True, slots=True)
class _Fit:
    """b and (G + K)^-1, in u-scale; `apart`: where noise cannot make G singular. NaN where G is singular itself."""

    b: Floats
    inverse: Floats
    apart: NDArray[np.bool_]

    @classmethod
    def of(cls, moments: Moments) -> _Fit:
        design, right = moments.design, moments.matrix[..., moments.terms, 1]
        apart = _apart(design, moments)
        first = inverse_of(design)
        # Where noise may make G singular its inverse says nothing of the bias either: then the plain solution.
        corrected = np.where(apart[..., np.newaxis, np.newaxis], design + moments.curvature(first), design)
        inverse = inverse_of(corrected)
        return cls(np.einsum("...ij,...j->...i", inverse, right), inverse, apart)

    def variances(self, moments: Moments, scales: Sequence[Scale], n: Floats) -> tuple[Floats, Floats, Floats]:
        """Of noise and of sampling of each figure, in its own units; degrees of freedom of the latter."""
        d = moments.matrix[..., 0, 0]
        h = np.insert(-self.b, 1, 1.0, axis=-1)
        moved = np.einsum("kij,...j->...ki", moments.shapes, h)
        a = moved[..., moments.terms]
        meat = np.einsum("k,...ki,...kj->...ij", moments.variances, a, a)
        noise = self.inverse @ meat @ self.inverse
        least = np.einsum("...i,...ij,...j->...", h, moments.matrix, h)
        least = least + np.einsum("...ij,...ji->...", self.inverse, meat)
        unsure = np.einsum("k,...k->...", moments.variances, np.einsum("...i,...ki->...k", h, moved) ** 2)
        many = np.divide(d**2, n, out=np.zeros_like(d), where=n > 0)
        left = np.maximum(many - len(moments.terms), 1.0)
        squared = np.divide(least, d, out=np.ones_like(d), where=d > 0)
        doubt = np.divide(np.sqrt(unsure), d, out=np.ones_like(d), where=d > 0)
        squared = np.clip(np.maximum(squared, doubt), 0.0, 1.0)
        relative = 2 / left + np.divide(doubt, squared, out=np.zeros_like(d), where=squared > 0) ** 2
        # n/D is what weights and persons of one household make of it.
        heavier = np.divide(n, d, out=np.ones_like(d), where=d > 0)
        sampling = (squared * heavier * np.maximum(many, 1.0) / left)[..., np.newaxis, np.newaxis] * self.inverse
        uneven = np.sqrt(_uneven(moments, scales))
        sampling = uneven[..., :, np.newaxis] * sampling * uneven[..., np.newaxis, :]
        turn = turned(scales)
        own = [np.maximum(np.einsum("ij,...jk,ik->...i", turn, one, turn), 0.0) for one in (noise, sampling)]
        return own[0], own[1], np.asarray(2 / relative)


def _apart(design: Floats, moments: Moments) -> NDArray[np.bool_]:
    """Whether noise cannot make it singular; see the top of this file."""
    values = np.linalg.eigvalsh(design)
    least = _DEVIATIONS * moments.deviation * np.sqrt(len(moments.terms))
    own = np.asarray((values[..., 0] >= least) & (values[..., 0] > _SAME * values[..., -1]))
    # Where most regions are withheld, those that are not owe it to their noise (as in status).
    return own & (values[..., 0].mean(axis=0) >= least * MEAN / OWN) if own.ndim > 1 else own


def _uneven(moments: Moments, scales: Sequence[Scale]) -> Floats:
    """By what the sampling variance of each coefficient is multiplied: 1, but where a condition explains another."""
    d = moments.matrix[..., 0, 0]
    found = np.ones((*d.shape, len(scales)))
    if not scales[0].condition:
        return found
    for place, scale in enumerate(scales[1:], start=2):
        if not scale.condition:
            continue
        together, outcome, term = (moments.matrix[..., i, j] for i, j in ((1, place), (0, 1), (0, place)))
        groups = []
        for sign in (1, -1):
            units = np.maximum((d + sign * term) / 2, 1.0)
            mean = np.clip((outcome + sign * together) / 2 / units, -1.0, 1.0)
            # As in adjusted differences: one unit at each end is added, for nobody knows that it is not there.
            groups.append((units, 1 - (mean * units / (units + 2)) ** 2))
        (yes, here), (no, there) = groups
        found[..., place - 1] = (no * here + yes * there) / (yes * here + no * there)
    return found


def _pulled(moments: Moments, scales: Sequence[Scale], units: NoisyBlock, ridge: float) -> Figures:
    """The estimates with a ridge: no interval, no deviation."""
    added = ridge * np.maximum(units.base, 0.0)[..., np.newaxis, np.newaxis]
    design = moments.design + added * np.diag([0.0, *(1.0 for _ in scales[1:])])
    apart = _apart(design, moments)
    b = np.einsum("...ij,...j->...i", inverse_of(design), moments.matrix[..., moments.terms, 1])
    none = np.full_like(b, np.nan)
    readable = apart & (units.base >= OWN * np.sqrt(units.variance))
    wide = np.repeat(readable[..., np.newaxis], len(scales), axis=-1)
    return _flat(natural(b, scales), none, none, none, wide, units, RIDGE, "")


def natural(b: Floats, scales: Sequence[Scale]) -> Floats:
    """Coefficients in u-scale as those between what people know; the first is the intercept."""
    found: Floats = np.einsum("ij,...j->...i", turned(scales), b)
    found[..., 0] += scales[0].middle
    return found


def turned(scales: Sequence[Scale]) -> Floats:
    """The linear part of `natural`."""
    outcome, *terms = scales
    turn = np.diag([outcome.half, *(outcome.half / term.half for term in terms)])
    turn[0, 1:] = [-outcome.half * term.middle / term.half for term in terms]
    return np.asarray(turn, np.float64)


def inverse_of(matrices: Floats) -> Floats:
    """Inverses of symmetric matrices; NaN where one is singular."""
    values, vectors = np.linalg.eigh(matrices)
    largest = np.abs(values).max(axis=-1, keepdims=True)
    fine = np.abs(values) > _SAME * largest
    over = np.divide(1.0, values, out=np.full_like(values, np.nan), where=fine)
    return np.asarray((vectors * over[..., np.newaxis, :]) @ np.swapaxes(vectors, -1, -2))


def _flat(
    estimate: Floats,
    margin: Floats,
    noise: Floats,
    sampling: Floats,
    readable: NDArray[np.bool_],
    units: NoisyBlock,
    note: str,
    unreadable: str,
) -> Figures:
    """Figures of regions x (cells x terms), or (cells x terms)."""

    def flat(values: Floats) -> Floats:
        return values.reshape(*values.shape[:-2], -1)

    shown = readable.reshape(*readable.shape[:-2], -1)
    counted = flat(np.broadcast_to(units.base[..., np.newaxis], estimate.shape))
    return Figures(
        estimate=flat(estimate),
        low=flat(estimate - margin),
        high=flat(estimate + margin),
        noise_sd=flat(np.sqrt(noise)),
        sampling_sd=flat(np.sqrt(sampling)),
        std_error=flat(np.sqrt(noise + sampling)),
        numerator=np.full_like(counted, np.nan),
        denominator=counted,
        denominator_sd=np.full_like(counted, np.sqrt(units.variance)),
        readable=shown,
        remarks={tuple(map(int, at)): unreadable for at in np.argwhere(~shown)} if unreadable else {},
        note=note,
    )
