"""A question of every kind about the small study, several of some, as fields of a statistic without its id."""

from __future__ import annotations

from collections.abc import Mapping

from policies.documents import parse_yaml
from policies.study.codebook import Codebook
from tests import small_study

BETTER = small_study.CODEBOOK.replace("bounds: [0, 4], sd: 1", "bounds: [0, 4], sd: 1, better: lower")
BOOK = parse_yaml(Codebook, BETTER, "codebook.yaml")

ASKED: tuple[Mapping[str, object], ...] = (
    {"kind": "count", "unit": "adult", "wave": "T1", "by": ("profile",)},
    {"kind": "count", "unit": "household", "wave": "T0+T1"},
    {"kind": "proportion", "of": "safe == yes", "unit": "adult", "wave": "T1", "by": ("profile",)},
    {"kind": "proportion", "of": "trauma == yes", "unit": "child", "wave": "T0+T1"},
    {"kind": "mean", "of": "incidents", "unit": "household", "wave": "T1"},
    {"kind": "mean", "of": "incidents", "unit": "household", "wave": "T1", "sd": "0.5"},
    {"kind": "mean", "of": "grade", "unit": "household", "wave": "T1", "within": ("-0.5", "1")},
    {"kind": "mean", "of": "grade", "unit": "household", "wave": "T1", "within": ("-0.5", "1"), "sd": "0.5"},
    {"kind": "mean", "of": "wellbeing", "unit": "adult", "wave": "T0"},
    {"kind": "mean", "of": "wellbeing", "unit": "adult", "wave": "T0", "sd": "0.5"},
    {"kind": "sum", "of": "incidents", "unit": "household", "wave": "T1", "by": ("profile",)},
    {"kind": "sum", "of": "grade", "unit": "household", "wave": "T1"},
    {"kind": "transition", "of": "state", "unit": "household", "wave": "T0->T1", "by": ("profile",)},
    {"kind": "histogram", "of": "incidents", "unit": "household", "wave": "T0", "bins": ("1", "3")},
    {"kind": "cross_table", "of": ("profile", "help"), "unit": "household", "wave": "T1"},
    {"kind": "paired_change", "of": "incidents", "unit": "household", "wave": "T0->T1"},
    {"kind": "paired_change", "of": "incidents", "unit": "household", "wave": "T0->T1", "sd": "0.5"},
    {"kind": "variance", "of": "incidents", "unit": "household", "wave": "T1"},
    {"kind": "variance", "of": "wellbeing", "unit": "adult", "wave": "T1"},
    {"kind": "standard_deviation", "of": "incidents", "unit": "household", "wave": "T1"},
    {"kind": "covariance", "of": ("incidents", "help == yes"), "unit": "household", "wave": "T1"},
    {"kind": "covariance", "of": ("grade", "incidents"), "unit": "household", "wave": "T1", "by": ("profile",)},
    {"kind": "correlation", "of": ("incidents", "grade"), "unit": "household", "wave": "T1"},
    {"kind": "correlation", "of": ("safe == yes", "wellbeing"), "unit": "adult", "wave": "T1"},
    {"kind": "regression", "of": ("incidents", "help == yes", "grade"), "unit": "household", "wave": "T1"},
    {"kind": "regression", "of": ("state == none", "incidents@T0"), "unit": "household", "wave": "T1"},
    {
        "kind": "adjusted_difference", "of": "state == none", "compare": "help", "strata": ("profile",),
        "unit": "household", "wave": "T1", "where": "profile != c",
    },
    {
        "kind": "adjusted_difference", "of": "incidents", "compare": "profile", "strata": ("state@T0", "help"),
        "unit": "household", "wave": "T1",
    },
    {"kind": "quantile", "of": "incidents", "at": ("0.5", "0.9"), "leaves": 4, "unit": "household", "wave": "T1"},
    {"kind": "quantile", "of": "grade", "at": ("0.25",), "leaves": 2, "unit": "household", "wave": "T1"},
)  # fmt: skip
