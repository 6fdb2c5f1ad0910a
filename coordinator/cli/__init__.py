"""The verbs of `rondgang coordinator`."""
