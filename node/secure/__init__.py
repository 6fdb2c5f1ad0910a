"""This node's side of the national sums: one attempt at a time, from its keys to what takes the masks off."""
