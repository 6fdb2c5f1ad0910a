"""The desk as a witness: it remembers the last checkpoint of every region and cosigns no other."""
