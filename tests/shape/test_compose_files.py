"""The container files, read without an engine: nobody has more than they need, and each region is on its own."""

from __future__ import annotations

from typing import Any

import pytest
import yaml

from compose.demo.federation import COHORT, SHIPPED
from policies.documents import load_yaml
from policies.study.calendar import Calendar
from tests.shape.sources import CHECKOUT

FOLDER = CHECKOUT / "compose" / "containers"
DEPLOYED = ("region", "coordinator", "auditor")
REGIONS = tuple(code.lower() for code in load_yaml(Calendar, SHIPPED / "rotation.yaml").members(COHORT))


class _Compose(yaml.SafeLoader):
    """YAML with Compose's two tags, which say how a list is merged with that of the extended service."""


def _list(loader: yaml.SafeLoader, node: yaml.Node) -> list[Any]:
    assert isinstance(node, yaml.SequenceNode)
    return loader.construct_sequence(node)


for _tag in ("!reset", "!override"):
    _Compose.add_constructor(_tag, _list)


def _file(name: str) -> dict[str, Any]:
    # Safe: a SafeLoader with two more tags for plain lists.
    loaded = yaml.load((FOLDER / f"{name}.yaml").read_text(encoding="utf-8"), Loader=_Compose)
    return dict(loaded)


@pytest.mark.parametrize("name", DEPLOYED)
def test_every_service_that_is_deployed_is_confined(name: str) -> None:
    for service, told in _file(name)["services"].items():
        assert told["read_only"] is True, service
        assert told["cap_drop"] == ["ALL"], service
        assert told["security_opt"] == ["no-new-privileges:true"], service
        assert told["user"] == "${RONDGANG_UID:-10001}:${RONDGANG_GID:-10001}", service
        assert told["logging"]["options"] == {"max-size": "10m", "max-file": "5"}, service
        assert "privileged" not in told, service
        if "profiles" not in told:
            assert told["restart"] == "unless-stopped", service
            assert {"mem_limit", "cpus", "pids_limit"} <= set(told), service


def test_a_region_opens_no_port_and_its_tools_have_no_network() -> None:
    services = _file("region")["services"]
    assert [service for service, told in services.items() if "ports" in told] == []
    tools = {service: told for service, told in services.items() if service != "node"}
    assert {told["network_mode"] for told in tools.values()} == {"none"}


def test_the_steward_alone_gets_the_stewards_key() -> None:
    services = _file("region")["services"]
    given = {service: {secret["source"] for secret in told.get("secrets", ())} for service, told in services.items()}
    assert [service for service, secrets in given.items() if "steward_key" in secrets] == ["steward"]


def test_the_test_federation_has_each_region_on_an_internal_network_of_its_own() -> None:
    whole = _file("compose")
    nodes = {name: told for name, told in whole["services"].items() if name.startswith("node-")}
    assert {name: told["networks"] for name, told in nodes.items()} == {f"node-{r}": [f"region-{r}"] for r in REGIONS}
    internal = {name for name, told in whole["networks"].items() if told and told.get("internal")}
    assert internal == {"store", *(f"region-{region}" for region in REGIONS)}


def test_the_test_federation_runs_the_services_that_are_deployed() -> None:
    services = _file("compose")["services"]
    extended = {name: told["extends"] for name, told in services.items() if name != "database"}
    own = {"coordinator": ("coordinator", "coordinator"), "witness-1": ("auditor", "witness"),
           "witness-2": ("auditor", "witness"), **{f"node-{r}": ("region", "node") for r in REGIONS}}  # fmt: skip
    assert extended == {name: {"file": f"{file}.yaml", "service": service} for name, (file, service) in own.items()}
