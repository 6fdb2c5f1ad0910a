"""Derived variables as people write them: cases, and named alternatives where a word has more than one meaning.

    stopped:
      alternatives:
        state: {cases: [{when: "incidents == 0", is: yes}, {else: no}]}
        transition:
          waves: [T1]
          cases: [{when: "incidents@T0 == 0", missing: true}, {when: "incidents == 0", is: yes}, {else: no}]

An alternative is a variable of its own, asked by its full name `stopped.state`; a draft's `using: {stopped: state}`
says which one a bare `stopped` means. The signed programme always has the full name.
"""

from __future__ import annotations

from typing import Annotated, Any, Self

from pydantic import BeforeValidator, Field, model_validator

from policies.documents import Document
from policies.study.text import Code, Name, Text, Wave


def _listed(value: Any) -> Any:
    """Categories are written as a mapping and kept as a list, because their order has a meaning."""
    if isinstance(value, dict):
        return [{"code": code, "label": label} for code, label in value.items()]
    return value


class Category(Document):
    code: Code
    label: Text


Categories = Annotated[
    tuple[Category, ...],
    BeforeValidator(_listed, json_schema_input_type=dict[Code, Text] | tuple[Category, ...]),
]
"""Written as code: {nl: ..., en: ...}, in the order of tables."""


class Case(Document):
    """One line of a derived variable: the first case whose condition holds gives the value, or leaves it missing."""

    when: str | None = None
    is_: Code | None = Field(default=None, alias="is")
    else_: Code | None = Field(default=None, alias="else")
    missing: bool = False

    @model_validator(mode="after")
    def _one_form(self) -> Self:
        conditional = self.when is not None and (self.is_ is not None) != self.missing and self.else_ is None
        last = self.else_ is not None and self.when is None and self.is_ is None and not self.missing
        if not conditional and not last:
            raise ValueError(
                "expected {when: CONDITION, is: VALUE} or {when: CONDITION, missing: true}, or {else: VALUE} as the "
                "last case"
            )
        return self

    @property
    def value(self) -> str:
        """The code that the case gives; empty where it leaves the variable missing."""
        return self.is_ or self.else_ or ""


Cases = tuple[Case, ...]


def _codes(cases: Cases) -> tuple[str, ...]:
    return tuple(dict.fromkeys(case.value for case in cases if case.value))


def _checked(cases: Cases, categories: tuple[Category, ...]) -> None:
    if any(case.else_ is not None for case in cases[:-1]) or cases[-1].else_ is None:
        raise ValueError("the last case, and only the last, is {else: VALUE}")
    if categories and sorted(category.code for category in categories) != sorted(_codes(cases)):
        raise ValueError("categories, where given, are exactly the values of the cases")


class Definition(Document):
    """A category computed from other variables at import, by public rules."""

    cases: Cases = Field(min_length=2)
    waves: tuple[Wave, ...] = ()
    """The waves at which it means something; every wave at which it can be computed, where this is left out."""
    labels: Text | None = None
    categories: Categories = ()

    @model_validator(mode="after")
    def _consistent(self) -> Self:
        _checked(self.cases, self.categories)
        return self

    @property
    def codes(self) -> tuple[str, ...]:
        return _codes(self.cases)


class Derived(Document):
    """A derived variable: cases of its own, or two or more named alternatives."""

    cases: Cases = Field(default=(), json_schema_extra={"minItems": 2})
    waves: tuple[Wave, ...] = ()
    labels: Text | None = None
    categories: Categories = ()
    alternatives: dict[Name, Definition] = Field(default_factory=dict)

    @model_validator(mode="after")
    def _one_form(self) -> Self:
        if self.alternatives:
            if self.cases or self.waves or self.categories or len(self.alternatives) < 2:
                raise ValueError("expected `cases`, or at least 2 `alternatives` that each have their own")
            return self
        if len(self.cases) < 2:
            raise ValueError("expected at least 2 `cases`, or `alternatives`")
        _checked(self.cases, self.categories)
        return self

    @property
    def definitions(self) -> dict[str, Definition]:
        """By the alternative's name; the empty name for a variable without alternatives."""
        if self.alternatives:
            return dict(self.alternatives)
        return {"": Definition(cases=self.cases, waves=self.waves, labels=self.labels, categories=self.categories)}
