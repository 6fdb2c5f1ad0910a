"""The request to whoever runs the network: which way out a node needs, in words that can be sent as they are."""

from __future__ import annotations

from node.home import Config, PeerAddress
from policies.pages.words import say
from policies.study.text import Language

FILE = "firewall.txt"


def firewall_request(config: Config, lang: Language) -> str:
    """A letter for the network's administrator: where the node dials, how, and that nothing needs to come in."""
    lines = [
        say("getin.firewall.subject", lang, region=config.region),
        "",
        say("getin.firewall.why", lang),
        "",
        _line(config.coordinator, "getin.firewall.coordinator", lang),
        *(_line(witness, "getin.firewall.witness", lang) for witness in config.witnesses),
        "",
        *(say(f"getin.firewall.{key}", lang) for key in ("protocol", "open", "proxy", "incoming", "load")),
    ]
    return "\n".join(lines) + "\n"


def _line(address: PeerAddress, key: str, lang: Language) -> str:
    port = address.address.rpartition(":")[2]
    return f"- {say(key, lang, host=address.host, port=port)}"
