"""One region: it keeps household microdata at home and answers only with private aggregates."""
