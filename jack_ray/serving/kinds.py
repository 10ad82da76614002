"""Which files a model takes, and what a file is by its first bytes. A client's name of a file decides nothing."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from jack_ray.contract.trial import Trial

HEAD_BYTES = 512
"""So many bytes tell what a file is."""

SMALL_BYTES = 64 << 20
"""Arrays and motion capture are read into memory as a whole; an hour of a gait at 60 frames a second has 41 MB."""

VIDEOS = (".mp4", ".mov", ".mkv", ".webm", ".avi", ".mpg", ".ts", ".flv", ".wmv")
GAITS = (".bvh", ".npy")

_QUICKTIME = (b"moov", b"mdat", b"wide", b"free", b"skip", b"pnot")
_ASF = bytes.fromhex("3026b2758e66cf11")
_BEGINNINGS = {
    b"\x1a\x45\xdf\xa3": ".mkv",  # WebM is the same container
    b"FLV\x01": ".flv",
    _ASF: ".wmv",
    b"\x00\x00\x01\xba": ".mpg",
    b"\x00\x00\x01\xb3": ".mpg",
    b"\x93NUMPY": ".npy",
    b"PK": ".zip",
    b"\x89HDF\r\n": ".h5",
    b"ID3": ".mp3",
    b"fLaC": ".flac",
    b"OggS": ".ogg",
    b"HIERARCHY": ".bvh",
    b"#EXTM3U": ".m3u8",
    b"ffconcat": ".ffconcat",
    b"v=0": ".sdp",
    b"%PDF": ".pdf",
    b"\x7fELF": ".elf",
}
_TS_PACKET = 188
_WORDS = {
    "": "a file of an unknown kind", ".zip": "a zip archive (.npz is one)", ".h5": "an HDF5 file", ".npy": "an array",
    ".mp3": "sound", ".wav": "sound", ".flac": "sound", ".ogg": "sound", ".bvh": "motion capture",
    ".m3u8": "a playlist", ".ffconcat": "a playlist", ".sdp": "a playlist", ".pdf": "a document", ".elf": "a program",
}  # fmt: skip


def kind_of(head: bytes) -> str:
    """A suffix such as `.mp4` for the first HEAD_BYTES of a file; empty for what is not known."""
    if head[4:8] == b"ftyp":
        return ".mp4"
    if head[4:8] in _QUICKTIME:
        return ".mov"
    if head.startswith(b"RIFF"):
        return {b"AVI ": ".avi", b"WAVE": ".wav"}.get(head[8:12], "")
    if head[:1] == b"G" and head[_TS_PACKET : _TS_PACKET + 1] == b"G":
        return ".ts"
    if head[:1] == b"\xff" and head[1:2] in (b"\xfb", b"\xf3", b"\xf2", b"\xfa"):
        return ".mp3"
    return next((suffix for beginning, suffix in _BEGINNINGS.items() if head.startswith(beginning)), "")


def in_words(suffix: str) -> str:
    """What a file is, for a message."""
    return _WORDS.get(suffix, f"a video ({suffix})")


@dataclass(frozen=True)
class Accepts:
    """What a model is asked about."""

    input: Literal["video", "features", "gait"]
    suffixes: tuple[str, ...]
    fields: Mapping[str, tuple[str, ...]]
    """Field of an upload -> the kinds of files in it; none: a number as text."""

    def most_bytes(self, suffix: str, max_bytes: int) -> int:
        """How large a file of a kind may be."""
        return max_bytes if suffix in VIDEOS else min(max_bytes, SMALL_BYTES)


def accepts(trial: Trial) -> Accepts:
    """What a trained model takes."""
    if trial.method == "gait":
        return Accepts("gait", GAITS, {"file": GAITS})
    if trial.method == "tsl" and trial.model.get("i3d_weights") is None:
        return Accepts("features", (".npy",), {"rgb": (".npy",), "mel": (".npy",), "fps": ()})
    return Accepts("video", VIDEOS, {"file": VIDEOS})
