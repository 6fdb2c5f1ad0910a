"""The images of this checkout: built, weighed, looked into."""

from __future__ import annotations

import os
from pathlib import Path

from compose.containers.engine import CHECKOUT, base_image, docker

TARGETS = ("node", "node-import", "coordinator", "auditor")
"""The stages of the Dockerfile that parties run."""
TAG = "e2e"
"""Images of tests carry it, so that they replace none that somebody deploys."""
DATABASE = "postgres"
_APART = {DATABASE: "compose/containers/postgres.Dockerfile", "clock": "compose/storms/clock.Dockerfile"}
"""What has a file of its own, and is no party's: the test federation's store, and the clocks of storms."""
_CERTIFICATES = ("PIP_CERT", "SSL_CERT_FILE", "REQUESTS_CA_BUNDLE")
"""Where a machine behind a proxy with a certificate of its own keeps what to trust."""


def name(target: str) -> str:
    return f"rondgang/{target}:{TAG}"


def build(*targets: str) -> None:
    """Builds these targets: stages of the Dockerfile, or what has a file of its own. Raises EngineFailed.

    What did not change since the last time comes from the engine's cache.
    """
    base = base_image()
    for target in targets:
        where = ["--file", _APART[target]] if target in _APART else ["--target", target]
        docker("build", "--quiet", *where, "--build-arg", f"BASE_IMAGE={base}", *_trusted(),
               "--tag", name(target), str(CHECKOUT), more={"DOCKER_BUILDKIT": "1"})  # fmt: skip


def _trusted() -> tuple[str, ...]:
    """The machine's own certificates, as a secret of the build: they are in no layer."""
    for variable in _CERTIFICATES:
        found = os.environ.get(variable)
        if found and Path(found).is_file():
            return ("--secret", f"id=ca,src={found}")
    return ()


def megabytes(target: str) -> float:
    """The size of a built image, in units of 10**6 bytes. Raises EngineFailed where it is not there."""
    return int(docker("image", "inspect", "--format", "{{.Size}}", name(target))) / 1e6
