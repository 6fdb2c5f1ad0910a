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
_CERTIFICATES = ("PIP_CERT", "SSL_CERT_FILE", "REQUESTS_CA_BUNDLE")
"""Where a machine behind a proxy with a certificate of its own keeps what to trust."""


def name(target: str) -> str:
    return f"rondgang/{target}:{TAG}"


def build(*targets: str) -> None:
    """Builds these targets, and the database's image where `DATABASE` is among them. Raises EngineFailed.

    What did not change since the last time comes from the engine's cache.
    """
    for target in targets:
        if target == DATABASE:
            build_apart(target, CHECKOUT / "compose" / "containers" / "postgres.Dockerfile", CHECKOUT)
        else:
            _build(target, CHECKOUT, "--target", target)


def build_apart(target: str, file: Path, context: Path) -> None:
    """Builds what has a file of its own, of what is in the folder `context`. Raises EngineFailed."""
    _build(target, context, "--file", str(file))


def _build(target: str, context: Path, *options: str) -> None:
    arguments = ("--build-arg", f"BASE_IMAGE={base_image()}", "--tag", name(target))
    docker("build", "--quiet", *options, *arguments, *_trusted(), str(context), more={"DOCKER_BUILDKIT": "1"})


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
