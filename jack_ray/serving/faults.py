"""What a client is told when its request has no answer."""

from typing import Any


class RequestError(Exception):
    """A request that is refused; its text is what the client reads."""

    def __init__(self, status: int, what: str, expected: str, remedy: str = "", retry_s: int | None = None) -> None:
        """status: of HTTP. retry_s: after how many seconds trying again makes sense; None: never."""
        super().__init__(what)
        self.status = status
        self.what = what
        self.expected = expected
        self.remedy = remedy
        self.retry_s = retry_s

    def body(self) -> dict[str, Any]:
        """The answer's JSON."""
        return {"error": {"what": self.what, "expected": self.expected, "remedy": self.remedy}}

    def headers(self) -> dict[str, str]:
        """What HTTP wants to be told beside the status."""
        headers = {} if self.retry_s is None else {"Retry-After": str(self.retry_s)}
        return headers | {"WWW-Authenticate": "Bearer"} if self.status == 401 else headers


def unreadable(text: str) -> RequestError:
    """A file that the model's own reader refuses. text: the reader's fault in one line."""
    what, _, expected = text.partition("; expected ")
    return RequestError(422, what, expected or "a whole file of its kind")


def overloaded(limit: int) -> RequestError:
    """Too many requests at once."""
    return RequestError(
        429, f"{limit} requests are being answered already", "fewer at a time", "Try again in a moment.", 2
    )


def not_kept(error: OSError) -> RequestError:
    """The server's own disk, or its number of open files, has no room for an upload."""
    found = f"the server cannot keep the upload ({error.strerror or type(error).__name__})"
    return RequestError(503, found, "room on the server", "Try again later.", 60)


def too_large(limit_bytes: int, of_what: str = "the upload") -> RequestError:
    """More bytes than are taken."""
    found = f"{of_what} has more than {limit_bytes / 1e6:g} MB"
    return RequestError(413, found, f"at most {limit_bytes / 1e6:g} MB", "Whoever serves it can set max_mb=.")


def ending() -> RequestError:
    """The server is being stopped."""
    return RequestError(503, "the server is ending", "a server that runs", "Try again in a minute.", 60)


def starting() -> RequestError:
    """No replica can answer yet."""
    return RequestError(503, "the model is being loaded", "a server that is ready", "Ask /health when it is.", 10)
