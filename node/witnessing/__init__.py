"""The witnesses of a node's ledger, seen from the node: who must cosign, how they are asked, what they say is wrong."""
