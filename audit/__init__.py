"""The auditor: an independent witness, and checks of the evidence that trust neither node nor coordinator."""
