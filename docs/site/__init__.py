"""Builds the documentation site from the pages in docs/: `python -m docs.site OUTPUT`, or `make docs`."""
