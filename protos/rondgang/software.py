"""Which release of this software is installed here. The contract has versions of its own: see `rondgang.versions`."""

from importlib import metadata


def software_version(otherwise: str = "folder") -> str:
    """The version that is installed, or `otherwise` where it runs from a folder and none is."""
    try:
        return metadata.version("rondgang")
    except metadata.PackageNotFoundError:
        return otherwise
