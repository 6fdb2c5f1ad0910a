"""Faults of the contract floor.

    ContractError
    ├── NotCanonical     bytes or a value outside the one canonical form
    ├── BadKey           key material that is not what it says it is
    ├── BadSigned        an envelope that is not a signed document
    ├── BadRole          a role, region code or role URI that nobody has
    ├── BadCertificate   a certificate or signing request that cannot be used
    ├── BadNote          text that is not a signed note, or a note that is not a checkpoint
    └── BadBundle        bytes that are not a bundle of evidence

Bad input raises; an ordinary "no" (a signature that does not verify, no common version) is a value.
"""


class ContractError(ValueError):
    """Root of every fault raised by this floor."""


class NotCanonical(ContractError):
    """Bytes or a value outside the canonical form.

    `reason` is a sentence without any of the value's content. `offset` counts bytes from the start of the input, and is
    None where a value was encoded or where the place cannot be told.
    """

    def __init__(self, reason: str, offset: int | None = None) -> None:
        self.reason = reason
        self.offset = offset
        super().__init__(reason if offset is None else f"{reason} (at byte {offset})")


class BadKey(ContractError):
    """Key material of the wrong kind, length or spelling."""


class BadSigned(ContractError):
    """An envelope that is not a signed document: unknown kind, unknown field, misspelt or disordered signatures."""


class BadRole(ContractError):
    """A role, region code or role URI that no party may carry."""


class BadCertificate(ContractError):
    """A certificate or certificate signing request that cannot be used."""


class BadNote(ContractError):
    """Text that is not a signed note, or a note that is not a checkpoint of ours."""


class BadBundle(ContractError):
    """Bytes that are not whole records. `record` counts from 0, `offset` in bytes from the start of the file."""

    def __init__(self, reason: str, record: int, offset: int) -> None:
        self.reason = reason
        self.record = record
        self.offset = offset
        super().__init__(f"record {record} (at byte {offset}): {reason}")
