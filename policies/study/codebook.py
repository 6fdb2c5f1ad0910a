"""The codebook: which variables exist, their public bounds, grids and categories. Signed by the consortium.

Every value ends as a whole number 0..size-1: the place of a category in the codebook, or the step on the variable's
grid. Bounds, grids and categories are public, so the shape of every answer is fixed before any row is read.
"""

from __future__ import annotations

from decimal import Decimal
from fractions import Fraction
from functools import cached_property
from typing import Annotated, Any, Literal, Self

from pydantic import BeforeValidator, Field, model_validator

from policies.documents import Document
from policies.study.columns import RESERVED, Column
from policies.study.definitions import Categories, Definition, Derived
from policies.study.derived_columns import derived_column
from policies.study.text import Name, Text, Wave
from policies.units.exact import Exact, decimal_text

Table = Literal["household", "adult", "child"]
TABLES: tuple[Table, ...] = ("household", "adult", "child")
MAX_SIZE = 1_000_000
"""Most grid steps of one variable; keeps squares of a sum far from 64 bits."""


def _texts(value: Any) -> Any:
    return [str(part) if isinstance(part, int) else part for part in value] if isinstance(value, list) else value


MissingCodes = Annotated[tuple[str, ...], BeforeValidator(_texts, json_schema_input_type=tuple[str | int | float, ...])]


class Variable(Document):
    """One question or registered trait. Numeric variables have bounds and a grid, categories have a list."""

    table: Table
    type: Literal["integer", "decimal", "category"]
    bounds: tuple[Exact, Exact] | None = None
    grid: Exact = Decimal(1)
    categories: Categories = ()
    missing: MissingCodes = ()
    waves: tuple[Wave, ...] = ()
    labels: Text | None = None
    sd: Exact | None = None
    """Public planning standard deviation; used for sampling variances of means, never estimated from rows."""
    better: Literal["lower", "higher"] | None = None
    """Of a number: which way a change is an improvement."""

    @model_validator(mode="after")
    def _shape(self) -> Self:
        if len(set(self.waves)) != len(self.waves):
            raise ValueError("a wave is listed twice")
        if self.type == "category":
            if len(self.categories) < 2 or self.bounds is not None or self.sd is not None:
                raise ValueError("a category variable lists two or more categories, and has no bounds and no sd")
            if self.better is not None:
                raise ValueError("`better: lower` or `higher` belongs to a number; categories have no direction")
            if len({c.code for c in self.categories}) != len(self.categories):
                raise ValueError("category codes must differ")
            return self
        if self.bounds is None or self.categories:
            raise ValueError("a numeric variable has bounds [low, high] and no categories")
        low, high = self.bounds
        steps = Fraction(high - low) / Fraction(self.grid) if self.grid > 0 else Fraction(-1)
        if low >= high or steps.denominator != 1 or not 1 <= steps < MAX_SIZE:
            raise ValueError(f"bounds must be low < high, a whole number of grid steps apart, below {MAX_SIZE} steps")
        if self.type == "integer" and any(Fraction(x).denominator != 1 for x in (low, high, self.grid)):
            raise ValueError("an integer variable has whole bounds and a whole grid")
        if self.sd is not None and self.sd <= 0:
            raise ValueError("sd is a positive number")
        return self


class CodebookName(Document):
    id: Name
    version: int = Field(ge=1)
    labels: Text | None = None


class Units(Document):
    """The column names that identify a household, a person and a wave in delivered files."""

    household: str
    person: str
    wave: str


class Caps(Document):
    """Most persons of one household that are counted: its first ones by a public order."""

    adults: int = Field(ge=1, le=12)
    children: int = Field(ge=1, le=12)


class TableText(Document):
    labels: Text | None = None


class Codebook(Document):
    """The signed codebook. `column(name)` gives the public shape of any variable, derived ones included."""

    codebook: CodebookName
    units: Units
    caps: Caps
    waves: dict[Wave, Text]
    tables: dict[Table, TableText]
    variables: dict[Name, Variable]
    parameters: dict[Name, Exact] = Field(default_factory=dict)
    """Named numbers that the cases of derived variables may use, so that a threshold stands in one place."""
    derived: dict[Name, Derived] = Field(default_factory=dict)

    @model_validator(mode="after")
    def _consistent(self) -> Self:
        if set(self.tables) != set(TABLES):
            raise ValueError("tables must list household, adult and child")
        for name, variable in self.variables.items():
            if unknown := set(variable.waves) - set(self.waves):
                raise ValueError(f"variables.{name}.waves: unknown wave {min(unknown)}")
        for name in (*self.variables, *self.derived):
            if "__" in name or name in RESERVED or name in ("hh", "slot", "present", *TABLES):
                raise ValueError(f"{name}: this name is taken by snapshots or by conditions; choose another")
        if both := set(self.variables) & set(self.derived):
            raise ValueError(f"derived.{min(both)}: a variable has this name already")
        if taken := {*self.parameters} & {*self.variables, *self.derived, *RESERVED}:
            raise ValueError(f"parameters.{min(taken)}: this is the name of a variable or a word of conditions")
        _ = self.columns  # a derived variable that cannot be computed is refused when the document is read
        return self

    @property
    def label(self) -> str:
        """The name a programme cites, e.g. "cohort3@1"."""
        return f"{self.codebook.id}@{self.codebook.version}"

    def cap(self, unit: Table) -> int:
        """Most units of this kind that one household contributes: 1 for households."""
        return {"household": 1, "adult": self.caps.adults, "child": self.caps.children}[unit]

    @cached_property
    def columns(self) -> dict[str, Column]:
        """Every variable, derived ones last, by name."""
        found = {name: _column(name, variable) for name, variable in self.variables.items()}
        parameters = self.parameter_texts
        return found | {name: derived_column(name, rule, found, parameters) for name, rule in self.definitions.items()}

    @cached_property
    def definitions(self) -> dict[str, Definition]:
        """Every derived variable by the name it is asked by: `state`, or `stopped.transition` for an alternative."""
        return {
            name if alternative == "" else f"{name}.{alternative}": definition
            for name, derived in self.derived.items()
            for alternative, definition in derived.definitions.items()
        }

    @property
    def parameter_texts(self) -> dict[str, str]:
        return {name: decimal_text(value) for name, value in self.parameters.items()}


def _column(name: str, variable: Variable) -> Column:
    if variable.type == "category":
        codes = tuple(category.code for category in variable.categories)
        return Column(name, variable.table, variable.waves, codes, Fraction(0), Fraction(1), len(codes), None)
    low, high = variable.bounds or (Decimal(0), Decimal(0))
    grid = Fraction(variable.grid)
    size = int((Fraction(high) - Fraction(low)) / grid) + 1
    spread = None if variable.sd is None else Fraction(variable.sd)
    return Column(name, variable.table, variable.waves, (), Fraction(low), grid, size, spread, better=variable.better)
