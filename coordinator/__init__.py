"""The national desk: it asks the regions and turns their noisy sums into estimates."""
