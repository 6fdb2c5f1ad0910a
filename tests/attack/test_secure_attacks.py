"""Every attack on the national sums fails on the product, and goes through where the product had one fault."""

from __future__ import annotations

import pytest

from tests.secure_attacks import ATTACKS, Attack, Through
from tests.secure_mutants import MUTANTS, Mutant


@pytest.mark.parametrize("attack", ATTACKS, ids=lambda attack: attack.__name__)
def test_an_attack_fails(attack: Attack) -> None:
    attack()


@pytest.mark.parametrize("mutant", MUTANTS, ids=lambda mutant: mutant.name)
def test_a_fault_in_the_protocol_lets_an_attack_through(mutant: Mutant, monkeypatch: pytest.MonkeyPatch) -> None:
    mutant.make(monkeypatch)
    with pytest.raises(Through, match=mutant.says):
        mutant.attack()


def test_every_attack_goes_through_on_some_fault() -> None:
    assert {mutant.attack for mutant in MUTANTS} == set(ATTACKS)
