"""A server among faults: clients that leave, bad files, killed replicas, killed processes, an alias that moves.

`python -m benchmarks serving_faults` sends 200 requests; `python -m benchmarks.serving_faults --requests 10000` prints
a table. Every answer is compared with the one that the version which it names gave before the faults began. There is no
rival: what counts is that no request of a client that stays is lost, and none is answered wrongly.
"""

import argparse
import contextlib
import json
import os
import random
import signal
import socket
import sys
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from benchmarks.figures import Figure
from benchmarks.options import Options
from benchmarks.serving_scene import BOUNDARY, Scene, Server, Video, prepare, promote, serving, videos

FEW = 200
CLIENTS = 8
BAD, DROPPED = 0.08, 0.08
"""Shares of the requests that are files to be refused, and whose client leaves."""
SABOTAGE_EVERY = 120
"""Requests between two faults of the server's own processes."""
WORDS = ("poll_s=0.5", "max_waiting=256")
TRIES = 20
"""How often a client comes again that was told to."""
ENDS = ("right", "refused as it must be", "a bad file told to come again", "left")
"""What may become of a request."""
COMPARED = ("label", "probabilities", "segments", "scores")


@dataclass
class Tally:
    """What has happened."""

    counts: Counter[str] = field(default_factory=Counter)
    seconds: list[float] = field(default_factory=list)
    problems: list[str] = field(default_factory=list)
    memory_mb: list[float] = field(default_factory=list)
    lock: threading.Lock = field(default_factory=threading.Lock)

    def add(self, outcome: str, seconds: float = 0.0, problem: str = "") -> None:
        """One request has ended, or one fault was made."""
        with self.lock:
            self.counts[outcome] += 1
            if seconds:
                self.seconds.append(seconds)
            if problem:
                self.problems.append(problem)

    def quantile(self, share: float) -> float:
        """Seconds within which such a share of the right answers came."""
        ordered = sorted(self.seconds) or [0.0]
        return ordered[min(len(ordered) - 1, int(share * len(ordered)))]


Truth = Mapping[tuple[str, str], Mapping[str, Any]]
"""(version, video) -> its answer."""


def truth(server: Server, scene: Scene, known: Sequence[Video]) -> Truth:
    """What both versions answer when nothing is wrong."""
    found = {}
    for version in ("2", "1"):
        promote(scene, version)
        server.wait_for(version)
        for video in known:
            answer = server.predict(video.body())
            assert answer.status == 200, answer
            assert answer.body["version"] == version
            found[version, video.name] = {key: answer.body[key] for key in COMPARED}
    return found


class Client(threading.Thread):
    """Sends requests one after the other."""

    def __init__(self, server: Server, known: Sequence[Video], right: Truth, tally: Tally, seed: int) -> None:
        super().__init__(daemon=True)
        self.server = server
        self.known = known
        self.right = right
        self.tally = tally
        self.random = random.Random(seed)
        self.left = 0

    def run(self) -> None:
        """Until none is left."""
        for _ in range(self.left):
            drawn = self.random.random()
            video = self.random.choice(self.known)
            try:
                if drawn < DROPPED:
                    self.leave(video)
                elif drawn < DROPPED + BAD:
                    self.ask_badly(video)
                else:
                    self.ask(video)
            except Exception as error:
                self.tally.add("lost", problem=f"{type(error).__name__}: {error}")

    def ask(self, video: Video) -> None:
        """A good request; it must be answered, and rightly."""
        began = time.monotonic()
        for _ in range(TRIES):
            answer = self.server.predict(video.body())
            if answer.status not in (429, 503):
                break
            self.tally.add("told to come again")
            time.sleep(min(answer.retry_s, 1.0))
        took = time.monotonic() - began
        if answer.status != 200:
            self.tally.add("lost", problem=f"{answer.status} {answer.body}")
            return
        expected = self.right[answer.body["version"], video.name]
        is_right = {key: answer.body[key] for key in COMPARED} == expected and answer.body[
            "input"
        ] == f"{video.name}.npy"
        self.tally.add("right" if is_right else "wrong", took, "" if is_right else json.dumps(answer.body)[:500])

    def ask_badly(self, video: Video) -> None:
        """A file that is to be refused."""
        rgb, expected = self.random.choice(
            [
                (video.rgb[: len(video.rgb) // 2], 422),
                (b"PK\x03\x04" + bytes(1000), 415),
                (video.rgb[:200], 422),
                (b"", 422),
                (video.mel, 422),
                (video.rgb[:-4] + b"\x00\x00\xc0\x7f", 422),
            ]
        )
        answer = self.server.predict(video.body(rgb))
        if answer.status in (429, 503):
            self.tally.add("a bad file told to come again")
            return
        is_right = answer.status == expected
        problem = "" if is_right else f"{answer.status} in place of {expected}: {answer.body}"
        self.tally.add("refused as it must be" if is_right else "wrong", problem=problem)

    def leave(self, video: Video) -> None:
        """Send some of a request, or all of it, and go."""
        body = video.body()
        share = self.random.choice([0.0, 0.1, 0.5, 1.0])
        head = f"POST /v1/predict HTTP/1.1\r\nHost: 127.0.0.1\r\nAuthorization: Bearer {self.server.token}\r\n"
        head += f"Content-Type: multipart/form-data; boundary={BOUNDARY}\r\nContent-Length: {len(body)}\r\n\r\n"
        with socket.create_connection(("127.0.0.1", self.server.port), timeout=60) as connection:
            connection.sendall(head.encode() + body[: int(share * len(body))])
            time.sleep(self.random.choice([0.0, 0.005, 0.05]))
        self.tally.add("left")


class Saboteur(threading.Thread):
    """Kills and switches while the clients ask."""

    def __init__(self, server: Server, scene: Scene, tally: Tally, every: int) -> None:
        super().__init__(daemon=True)
        self.server = server
        self.scene = scene
        self.tally = tally
        self.every = every
        self.ended = threading.Event()

    def run(self) -> None:
        """One fault after another, until the clients are done."""
        turn, done = 0, 0
        while not self.ended.wait(0.1):
            self.tally.memory_mb.append(self.server.memory_mb())
            requests = sum(self.tally.counts[name] for name in ENDS)
            if requests < done + self.every:
                continue
            done = requests
            (self.kill_replica, self.switch, self.kill_computing)[turn % 3]()
            turn += 1

    def kill_replica(self) -> None:
        """With SIGKILL, by its process id."""
        self._kill(self.server.replicas(), "replicas killed")

    def kill_computing(self) -> None:
        """The process behind the wall."""
        self._kill(self.server.computing(), "processes killed")

    def _kill(self, found: Sequence[Any], name: str) -> None:
        if found:
            with contextlib.suppress(ProcessLookupError):
                os.kill(random.choice(list(found)).pid, signal.SIGKILL)
                self.tally.add(name)

    def switch(self) -> None:
        """Let the alias mean the other version."""
        promote(self.scene, "12"[(self.tally.counts["switches"] + 1) % 2])
        self.tally.add("switches")


def attack(server: Server, scene: Scene, requests: int, clients: int, every: int) -> Tally:
    """Send so many requests to a server of both versions, and make faults while it answers."""
    known, tally = videos(scene.folder), Tally()
    right = truth(server, scene, known)
    asking = [Client(server, known, right, tally, number) for number in range(clients)]
    for number, client in enumerate(asking):
        client.left = requests // clients + (number < requests % clients)
    saboteur = Saboteur(server, scene, tally, every)
    saboteur.start()
    for client in asking:
        client.start()
    for client in asking:
        client.join()
    saboteur.ended.set()
    saboteur.join()
    tally.memory_mb.append(server.memory_mb())
    return tally


def among_faults(folder: Path, requests: int, clients: int, every: int, words: Sequence[str]) -> Tally:
    """Prepare a model, serve it, and attack the server; how it ended is counted, too."""
    scene = prepare(folder)
    with serving(scene, [*WORDS, *words]) as server:
        tally = attack(server, scene, requests, clients, every)
        tally.add(f"exit code {server.stop()}")
    return tally


def measure(options: Options) -> Iterator[Figure]:
    """A short run; takes minutes."""
    with tempfile.TemporaryDirectory() as folder:
        tally = among_faults(Path(folder), FEW, CLIENTS, FEW // 8, ["replicas=2"])
    for name in ("right", "lost", "wrong"):
        yield Figure("serving_faults.tsl_small", name, tally.counts[name], tally.counts[name], None, "requests")
    if tally.counts["lost"] + tally.counts["wrong"]:
        print("\n".join(tally.problems[:20]), file=sys.stderr)


def main() -> None:
    """Measure and print a table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--requests", type=int, default=10000)
    parser.add_argument("--clients", type=int, default=CLIENTS)
    parser.add_argument("--every", type=int, default=SABOTAGE_EVERY, help="requests between two faults of the server")
    parser.add_argument("--replicas", type=int, default=2)
    typed = parser.parse_args()
    began = time.monotonic()
    with tempfile.TemporaryDirectory() as folder:
        tally = among_faults(Path(folder), typed.requests, typed.clients, typed.every, [f"replicas={typed.replicas}"])
    print("| what | |\n|---|---|")
    for name, count in sorted(tally.counts.items()):
        print(f"| {name} | {count} |")
    for name in ("lost", "wrong"):
        if name not in tally.counts:
            print(f"| {name} | 0 |")
    for share in (0.5, 0.95, 0.99, 0.999, 1.0):
        print(f"| within {tally.quantile(share):.3f} s | {share:.1%} of the right answers |")
    early, late, most = tally.memory_mb[len(tally.memory_mb) // 10], tally.memory_mb[-1], max(tally.memory_mb)
    print(f"| memory of the door after a tenth, at the end, at most | {early:.0f}, {late:.0f}, {most:.0f} MB |")
    print(f"| all of it | {time.monotonic() - began:.0f} s |")
    print("\n".join(tally.problems[:20]), file=sys.stderr)


if __name__ == "__main__":
    main()
