"""The desk's side of the national sums: one attempt at a time, from everybody's keys to a signed sum."""
