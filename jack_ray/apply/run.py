"""The frame of both commands: errors that the user can mend are told without a traceback."""

import errno
import sys
from collections.abc import Callable, Sequence

from jack_ray.contract.errors import JackRayError
from jack_ray.spawn.child import NoAnswerError

Command = Callable[[Sequence[str]], int]


def run(command: Command, page: str, arguments: Sequence[str]) -> int:
    """Run a command; its exit code, or 2 after one message, 130 after Ctrl-C."""
    if not arguments or {"-h", "--help"} & set(arguments):
        print(page, end="")
        return 0
    try:
        return command(arguments)
    except JackRayError as error:
        print(f"error: {error}", file=sys.stderr)
    except NoAnswerError as error:
        if error.code not in (1, 2):
            print(f"error: {error}", file=sys.stderr)
    except OSError as error:
        if error.filename is None and error.errno not in (errno.ENOSPC, errno.EDQUOT):
            raise
        print(f"error: {error.filename or 'writing the result'}: {error.strerror}", file=sys.stderr)
    except KeyboardInterrupt:
        print("Stopped.", file=sys.stderr)
        return 130
    return 2
