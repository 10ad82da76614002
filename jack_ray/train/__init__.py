"""One rank: training, evaluation, checkpoints. Jittor and MPI live here."""

from jack_ray.contract.environment import pin_platform

pin_platform()  # before any module below imports Jittor
