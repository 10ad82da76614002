"""One rank: training, evaluation, checkpoints. Jittor and MPI live here."""

from jack_ray.contract.environment import pin_host_name

pin_host_name()  # before any module below imports Jittor
