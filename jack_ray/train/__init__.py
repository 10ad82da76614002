"""One rank: training, evaluation, checkpoints. Jittor and MPI live here."""
