"""Trials -> machines: what runs where, until every trial has ended."""
