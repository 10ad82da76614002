"""What was typed -> checked trials."""

from jack_ray.compose.command import Command, read_command
from jack_ray.compose.plan import Plan, make_plan

__all__ = ["Command", "Plan", "make_plan", "read_command"]
