"""What mpirun starts in ssh's place: `enter.py ADDRESS COMMAND...` runs the command in the host of that address."""

import json
import os
import sys

PIDS = "JACK_RAY_BENCH_HOSTS"
"""Address -> a process of that host, as JSON."""

if __name__ == "__main__":
    process = json.loads(os.environ[PIDS])[sys.argv[1]]
    enter = ["nsenter", "-t", str(process), "-n", "-m", "-u", "-i", "-p", "--"]
    os.execvp(enter[0], [*enter, "sh", "-c", " ".join(sys.argv[2:])])
