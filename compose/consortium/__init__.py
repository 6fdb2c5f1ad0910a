"""The consortium: the offline authority that says who takes part, and signs what all must agree on.

Its keys never leave its own folder, and never stand on the coordinator's machine.
"""
