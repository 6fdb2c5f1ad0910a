"""The steward's screen: a small web server on this machine alone, in a process of its own.

It holds no lock and opens no ledger: every page and act goes through node/operations.py, as a verb does. So the serving
node stays as small as it is, and what the screen may do is what the verbs may do.
"""
