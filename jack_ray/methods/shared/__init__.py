"""Pieces that two methods need."""
