"""Roles, region codes and their URIs."""

import pytest
from rondgang.errors import BadRole
from rondgang.roles import Party, Role

PARTIES = [
    (Party(Role.REGION, "FR"), "rondgang://role/region/FR"),
    (Party(Role.COORDINATOR), "rondgang://role/coordinator"),
    (Party(Role.RESEARCHER), "rondgang://role/researcher"),
    (Party(Role.STEWARD), "rondgang://role/steward"),
    (Party(Role.STEWARD, "FR"), "rondgang://role/steward/FR"),
    (Party(Role.WITNESS), "rondgang://role/witness"),
]


@pytest.mark.parametrize(("party", "uri"), PARTIES)
def test_a_party_has_one_uri(party: Party, uri: str) -> None:
    assert party.uri == uri
    assert Party.from_uri(uri) == party


def test_every_role_has_an_example() -> None:
    assert {party.role for party, _ in PARTIES} == set(Role)


@pytest.mark.parametrize(
    "uri",
    [
        "",
        "rondgang://role/",
        "rondgang://role/king",
        "rondgang://role/Region/FR",
        "rondgang://role/region",
        "rondgang://role/region/",
        "rondgang://role/region/fr",
        "rondgang://role/region/FR/DR",
        "rondgang://role/region/FR ",
        "rondgang://role/coordinator/",
        "rondgang://role/coordinator/FR",
        "https://role/coordinator",
        "xrondgang://role/coordinator",
    ],
)
def test_other_uris_are_nobody(uri: str) -> None:
    with pytest.raises(BadRole):
        Party.from_uri(uri)
