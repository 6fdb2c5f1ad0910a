"""Noisy sums in, estimates with honest intervals out. One file per kind of statistic."""
