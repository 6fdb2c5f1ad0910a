"""Tables made to agree, against least squares on the whole underlying table, for any set of margins."""

from collections.abc import Sequence
from itertools import product

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from coordinator.estimates.least_squares import System, fit
from coordinator.estimates.ratio import NoisyBlock
from coordinator.estimates.sets import Floats
from policies.statistics.blocks import Axis, Block, Indicator, Ones, Selection, Term, block_of
from policies.study.columns import Ref
from policies.study.expressions.nodes import Among
from tests.small_study import codebook

SIZES = {Ref("state", "T1"): 3, Ref("help", "T1"): 2, Ref("incidents", "T1"): 5}
REFS = tuple(SIZES)
CELLS = tuple(product(*(range(size) for size in SIZES.values())))
UNITS = Selection("household", ("T1",), None, REFS)


@st.composite
def blocks(draw: st.DrawFn) -> list[Block]:
    """One to five tables or share numerators over the same units; `incidents` is binned or whole."""
    found = []
    for number in range(draw(st.integers(1, 5))):
        refs = draw(st.lists(st.sampled_from(REFS), unique=True, max_size=2))
        axes = tuple(_axis(ref, draw(st.sets(st.integers(1, 4), min_size=1))) for ref in refs)
        rest = [ref for ref in REFS if ref not in refs]
        summand: Ones | Indicator = Ones()
        if draw(st.booleans()):
            ref = draw(st.sampled_from(rest))
            low = draw(st.integers(0, SIZES[ref] - 1))
            high = draw(st.integers(low, SIZES[ref] - 1))
            summand = Indicator(Among(ref, ((low, high),)))
        found.append(block_of(f"b{number}", [Term(UNITS, axes, summand)], 1, "regional"))
    return found


def _axis(ref: Ref, starts: set[int]) -> Axis:
    return Axis(ref, len(starts) + 1, tuple(sorted(starts))) if ref.name == "incidents" else Axis(ref, SIZES[ref])


def _exact(block: Block) -> Floats:
    """What each cell of the whole table adds to each cell of the block."""
    found = np.zeros((block.cells, len(CELLS)))
    for column, values in enumerate(CELLS):
        known, place = dict(zip(REFS, values, strict=True)), 0
        for axis in block.axes:
            assert isinstance(axis, Axis)
            index = known[axis.ref]
            place = place * axis.size + (sum(start <= index for start in axis.starts) if axis.starts else index)
        adds = 1
        if isinstance(block.summand, Indicator):
            assert isinstance(block.summand.of, Among)
            low, high = block.summand.of.ranges[0]
            adds = 1 if low <= known[block.summand.of.ref] <= high else -1
        found[place, column] = adds
    return found


def _brute(matrices: Sequence[Floats], noisy: Sequence[NoisyBlock]) -> tuple[Floats, Floats]:
    """Fitted cells of all blocks, and the covariance of their noise, by least squares on the whole table."""
    whole = np.concatenate([m / np.sqrt(b.variance) for m, b in zip(matrices, noisy, strict=True)])
    values = np.concatenate([b.base.ravel() / np.sqrt(b.variance) for b in noisy])
    back = np.concatenate(matrices) @ np.linalg.pinv(whole, rcond=1e-10)
    return back @ values, back @ back.T


@settings(max_examples=60, deadline=None)
@given(blocks(), st.integers(0, 2**32), st.lists(st.floats(0.5, 400), min_size=5, max_size=5))
def test_the_fit_is_that_on_the_whole_table_and_never_noisier(made: list[Block], seed: int, noise: list[float]) -> None:
    rng = np.random.default_rng(seed)
    noisy = {b.id: NoisyBlock(rng.normal(20, 30, (1, b.cells)), v) for b, v in zip(made, noise, strict=False)}
    system = System.of(made, codebook())
    fits = fit(system, noisy, {}, np.ones(1), alike=False)
    assert fits.here is not None
    fitted, spread = _brute([_exact(b) for b in made], list(noisy.values()))
    mine = np.concatenate([fits.here.cells(system.signs[b.id])[0] for b in made])
    np.testing.assert_allclose(mine, fitted, atol=1e-6)
    variances = np.concatenate([fits.here.noise(system.signs[b.id]).va for b in made])
    np.testing.assert_allclose(variances, np.diag(spread), rtol=1e-6, atol=1e-8)
    raw = np.concatenate([np.full(b.cells, noisy[b.id].variance) for b in made])
    assert (variances <= raw * (1 + 1e-9)).all()


@settings(max_examples=40, deadline=None)
@given(blocks(), st.integers(0, 2**32))
def test_exact_tables_stay_as_they_are_so_the_fit_is_unbiased(made: list[Block], seed: int) -> None:
    table = np.random.default_rng(seed).poisson(4, len(CELLS))
    exact = {b.id: (_exact(b) @ table)[np.newaxis, :] for b in made}
    system = System.of(made, codebook())
    fits = fit(system, {name: NoisyBlock(v.astype(float), 9.0) for name, v in exact.items()}, {}, np.ones(1), False)
    assert fits.here is not None
    for name, values in exact.items():
        np.testing.assert_allclose(fits.here.cells(system.signs[name]), values, atol=1e-8)


@settings(max_examples=30, deadline=None)
@given(blocks(), st.integers(0, 2**32), st.lists(st.booleans(), min_size=5, max_size=5))
def test_regions_and_the_national_sum_are_fitted_as_one(made: list[Block], seed: int, national: list[bool]) -> None:
    """Three regions of other weights; the whole is what least squares on all three tables together gives."""
    rng, weights = np.random.default_rng(seed), np.array([0.5, 1.0, 2.0])
    sides = list(zip(made, national, strict=False))
    here = {b.id: NoisyBlock(rng.normal(20, 30, (3, b.cells)), 4.0) for b, summed in sides if not summed}
    whole = {b.id: NoisyBlock(rng.normal(70, 30, b.cells), 9.0) for b, summed in sides if summed}
    system = System.of(made, codebook())
    fits = fit(system, here, whole, weights, alike=True)
    own = [(b, r) for b in made if b.id in here for r in range(3)]
    matrices = [np.kron(np.eye(3)[r], _exact(b)) for b, r in own]
    matrices += [np.kron(weights, _exact(b)) for b in made if b.id in whole]
    noisy = [NoisyBlock(here[b.id].base[r], 4.0) for b, r in own] + list(whole.values())
    fitted, spread = _brute(matrices, noisy)
    place = 0
    for b, r in own:
        assert fits.here is not None
        np.testing.assert_allclose(fits.here.cells(system.signs[b.id])[r], fitted[place : place + b.cells], atol=1e-6)
        mine = fits.here.noise(system.signs[b.id]).va[r] if whole else fits.here.noise(system.signs[b.id]).va
        np.testing.assert_allclose(mine, np.diag(spread)[place : place + b.cells], rtol=1e-6, atol=1e-8)
        place += b.cells
    for name in whole:
        cells = fits.together["national"].cells(system.signs[name])
        np.testing.assert_allclose(cells, fitted[place : place + len(cells)], atol=1e-6)
        place += len(cells)
    if fits.here is not None:
        for name in here:
            summed = weights @ fits.here.cells(system.signs[name])
            np.testing.assert_allclose(summed, fits.together["regional"].cells(system.signs[name]), atol=1e-9 * 1e3)
