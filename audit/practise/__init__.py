"""A made-up federation that cheats: bundles of evidence to learn on, each with one fraud in it.

Nothing here is anybody's data. The keys are fresh, the answers are drawn, and every file says that it is made up.
"""
