"""The verbs of `rondgang node`."""
