"""The independent witness: a small service that remembers the last checkpoint of every region and cosigns no other."""
