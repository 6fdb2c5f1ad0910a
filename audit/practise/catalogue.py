"""Every planted fraud, in the order of the folders that `rondgang audit practise` writes."""

from __future__ import annotations

from audit.practise.fraud import Fraud
from audit.practise.frauds import (
    approving,
    asking,
    attempting,
    authority,
    carrying,
    inheriting,
    pricing,
    resetting,
    rewriting,
    showing,
    spending,
    summing,
    witnessing,
)

CATALOGUE: tuple[Fraud, ...] = (
    *rewriting.FRAUDS,
    *spending.FRAUDS,
    *pricing.FRAUDS,
    *authority.FRAUDS,
    *asking.FRAUDS,
    *approving.FRAUDS,
    *witnessing.FRAUDS,
    *resetting.FRAUDS,
    *carrying.FRAUDS,
    *showing.FRAUDS,
    *attempting.FRAUDS,
    *summing.FRAUDS,
    *inheriting.FRAUDS,
)
