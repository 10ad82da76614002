"""What mpirun starts in ssh's place: `rsh_agent.py HOST WORD...` asks the trial's lead to start the words on HOST.

It lives as long as Open MPI's daemon on HOST does, and exits with its code: mpirun takes a code other than 0 for a
daemon that failed. Standard library only, started without site packages: one of these starts per machine and attempt.
"""

import json
import os
import socket
import sys

SOCKET = "JACK_RAY_RSH_SOCKET"
"""Environment variable with the path of the lead's socket."""
LEAD_GONE = 255


def main(argv: list[str]) -> int:
    """Ask, wait, exit."""
    with socket.socket(socket.AF_UNIX) as lead:
        try:
            lead.connect(os.environ[SOCKET])
            # mpirun has quoted the words for a shell already
            lead.sendall(json.dumps({"host": argv[0], "command": " ".join(argv[1:])}).encode() + b"\n")
            answer = lead.makefile().readline()
        except (OSError, KeyError) as error:
            print(f"cannot reach the trial's lead: {error}", file=sys.stderr)
            return LEAD_GONE
    return int(json.loads(answer)["code"]) if answer else LEAD_GONE


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
