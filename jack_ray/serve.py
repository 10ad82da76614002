"""python -m jack_ray.serve model=models:/NAME@ALIAS: a registered model behind HTTP, on Ray Serve."""

import sys
from collections.abc import Sequence

from jack_ray.apply.run import run
from jack_ray.serving.request import read_request
from jack_ray.serving.run import serve

HELP = """\
python -m jack_ray.serve model=models:/NAME@ALIAS [port=8000] [inputs=FOLDER]

Answer for files that are sent over HTTP, with a registered model. When the alias means another version, that one is
loaded beside the old one and takes over; no request is lost. Ctrl-C answers what is in flight, then ends.

  model=..         models:/NAME@ALIAS, which is looked at again and again, or models:/NAME/VERSION
  host=127.0.0.1   only this machine reaches it; 0.0.0.0 is open to the network
  port=8000        0: any free one
  auth=token       a token is drawn and written to a file that only you may read; its path is printed
  token_file=FILE  a token of your own; auth=none: everybody may ask, refused off loopback without open_to_all=true
  hosts=NAMES      other names of this server that browsers use, separated by commas
  replicas=1       copies of the model; threads= of each (default: this machine's cores divided among them)
  batch=8          files that are computed together when they wait
  inputs=FOLDER    whose files may be asked about by path; none without it
  max_mb=2048      of an upload; upload_s=600 and stall_s=20: how long it may take, and pause
  max_waiting=64   requests at once; more are told to come again
  answer_s=900     how long a file may be computed; memory_gb=8: with how much memory
  poll_s=5         how often the alias is looked at; drain_s=60: how long Ctrl-C waits for what is in flight
  window_s=10      the windows of a timeline, in seconds; max_s=14400: the longest file
  tracking.uri=..  the MLflow; site.runs=..; cluster=running cluster.address=auto: replicas on a running Ray

Then: curl -H "Authorization: Bearer $(cat TOKEN_FILE)" -F file=@clip.mp4 http://127.0.0.1:8000/v1/predict
What else can be asked: http://127.0.0.1:8000/docs

Exit code 0: ended by Ctrl-C or SIGTERM. 2: it could not be started, or its Ray has died; the message says why.
130: ended at once by a second Ctrl-C, or by one before its address was printed.
"""


def main(arguments: Sequence[str]) -> int:
    """Serve. Raises JackRayError."""
    return serve(read_request(arguments))


if __name__ == "__main__":
    sys.exit(run(main, HELP, sys.argv[1:]))
