"""The desk as another process sees it."""
