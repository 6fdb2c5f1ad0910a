"""The programmes asked of real data: one whose noise is nothing, and one at epsilon 1 with thousands of coordinates."""

from __future__ import annotations

EXACT_FAMILIES: tuple[dict[str, object], ...] = (
    {"id": "children", "kind": "count", "unit": "child", "by": ["ethn"]},
    {"id": "immunised", "kind": "proportion", "of": "immun == Y", "unit": "child", "by": ["ethn"]},
    {
        "id": "immunised_late",
        "kind": "proportion",
        "of": "immun == Y",
        "unit": "child",
        "where": "kid2p == Y",
        "by": ["mom_ed"],
    },
    {"id": "order", "kind": "histogram", "of": "ord", "unit": "child", "by": ["rural"]},
    {"id": "schooling", "kind": "cross_table", "of": ["mom_ed", "hus_ed"], "unit": "household"},
    {"id": "indigenous", "kind": "mean", "of": "ind81", "unit": "household"},
    {"id": "indigenous_total", "kind": "sum", "of": "ind81", "unit": "household"},
    {"id": "indigenous_sd", "kind": "standard_deviation", "of": "ind81", "unit": "household"},
)
EXACT_JOBS: tuple[dict[str, object], ...] = (
    {"id": "before", "kind": "mean", "of": "depress", "unit": "adult", "wave": "T0"},
    {"id": "after", "kind": "mean", "of": "depress", "unit": "adult", "wave": "T1", "by": ["treat"]},
    {"id": "change", "kind": "paired_change", "of": "depress", "unit": "adult", "wave": "T0->T1", "by": ["treat"]},
    {"id": "moved", "kind": "transition", "of": "low", "unit": "adult", "wave": "T0->T1", "by": ["treat"]},
    {"id": "spread", "kind": "variance", "of": "depress", "unit": "adult", "wave": "T1"},
    {"id": "pooled", "kind": "mean", "of": "depress", "unit": "adult", "wave": "T0+T1"},
    {"id": "tie", "kind": "covariance", "of": ["depress", "depress@T0"], "unit": "adult", "wave": "T1"},
    {"id": "alike", "kind": "correlation", "of": ["depress", "treat == yes"], "unit": "adult", "wave": "T1"},
    {
        "id": "effect",
        "kind": "regression",
        "of": ["depress", "depress@T0", "treat == yes"],
        "unit": "adult",
        "wave": "T1",
    },
)
WIDE_FAMILIES: tuple[dict[str, object], ...] = (
    {"id": "wide", "kind": "count", "unit": "child", "by": ["ethn", "mom_ed", "hus_ed"]},
    {"id": "homes", "kind": "count", "unit": "household", "by": ["ethn", "mom_ed", "hus_ed"]},
    {"id": "births", "kind": "count", "unit": "child", "by": ["mom_ed", "hus_ed", "ord"]},
    {"id": "work", "kind": "count", "unit": "household", "by": ["hus_ed", "mom_work", "rural"]},
    {"id": "needles", "kind": "count", "unit": "child", "by": ["ethn", "immun", "ord"]},
)


def draft(codebook: str, price: dict[str, str], statistics: tuple[dict[str, object], ...]) -> dict[str, object]:
    """A programme as its YAML would read; `wave: T0` where a statistic names none."""
    heading: dict[str, object] = {
        "id": f"real_{codebook}_{'exact' if 'rho' in price else 'wide'}",
        "title": {"nl": "Proef met openbare gegevens", "en": "Trial on public data"},
        "purpose": "To show that every figure is what plain pandas gives",
        "requester": "Tests",
        "cohort": "c3",
        "codebook": f"{codebook}@1",
        "deadline": "2028-06-30",
    }
    if "rho" in price:
        heading["test_only"] = True
    listed = [{"wave": "T0"} | one for one in statistics]
    return {"programme": heading, "price": price, "statistics": listed}
