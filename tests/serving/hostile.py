"""Files that nobody should send, made when they are asked for: name -> what is in it, and the status it deserves."""

import gzip
import io
import os
import struct
import zipfile
from collections.abc import Callable
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import h5py
import numpy as np
from PIL import Image

from tests.serving import media

Case = tuple[Callable[[], bytes], int]
CANARY = Path("/tmp") / f"jack_ray-canary-{os.getpid()}"
"""Exists when code in a file has been run."""


@cache
def video(suffix: str = ".mp4") -> bytes:
    """A sound video, a little longer than the least that is taken."""
    with TemporaryDirectory() as folder:
        return media.write_video(Path(folder) / f"clip{suffix}").read_bytes()


@cache
def large_pictures() -> bytes:
    """An AVI of JPEG pictures whose headers say 16000 x 16000."""
    written = io.BytesIO()
    Image.new("RGB", (64, 48)).save(written, "JPEG")
    picture = bytearray(written.getvalue())
    place = picture.index(b"\xff\xc0")
    picture[place + 5 : place + 9] = struct.pack(">HH", 16000, 16000)
    return media.matroska(16000, 16000, frame=bytes(picture))


def array(values: Any) -> bytes:
    """A .npy file."""
    written = io.BytesIO()
    np.save(written, values, allow_pickle=True)
    return written.getvalue()


def gait(frames: int = 40) -> np.ndarray[Any, Any]:
    """A gait that is answered for."""
    return np.random.default_rng(frames).random((frames, 16, 3)).astype(np.float32)


def header(text: str, version: bytes = b"\x01\x00", rest: bytes = b"") -> bytes:
    """A .npy file with a header of one's own."""
    size = struct.pack("<H" if version == b"\x01\x00" else "<I", len(text))
    return b"\x93NUMPY" + version + size + text.encode() + rest


def claiming(shape: str, kind: str = "<f4", rest: bytes = bytes(7680)) -> bytes:
    """A .npy file that says another shape than it has."""
    text = f"{{'descr': '{kind}', 'fortran_order': False, 'shape': {shape}, }}"
    return header(text.ljust(117) + "\n", rest=rest)


class _Payload:
    def __reduce__(self) -> Any:
        return Path.touch, (CANARY,)


def pickled() -> bytes:
    """An array of objects; whoever unpickles it makes a file."""
    return array(np.array([_Payload()], dtype=object))


def archive(name: str, size: int) -> bytes:
    """A zip archive of a few bytes with a huge member."""
    written = io.BytesIO()
    with zipfile.ZipFile(written, "w", zipfile.ZIP_DEFLATED) as opened, opened.open(name, "w") as member:
        for _ in range(size >> 20):
            member.write(bytes(1 << 20))
    return written.getvalue()


def h5(fill: Callable[[h5py.File], None]) -> bytes:
    """An HDF5 file."""
    written = io.BytesIO()
    with h5py.File(written, "w") as opened:
        fill(opened)
    return written.getvalue()


def huge_chunks(opened: h5py.File) -> None:
    """An array that says it has a million million numbers, none of which was written."""
    opened.create_dataset("gait", (10**6, 10**6), "f4", chunks=(10**4, 10**4), compression="gzip")


def motion(frames: str = "1", line: str = "0 0 0") -> bytes:
    """A motion capture file of one bone."""
    bone = "HIERARCHY\nROOT hips\n{\nOFFSET 0 0 0\nCHANNELS 3 Xposition Yposition Zposition\n}\n"
    return f"{bone}MOTION\nFrames: {frames}\nFrame Time: 0.03\n{line}\n".encode()


def nested(levels: int) -> bytes:
    """Bones below bones below bones."""
    start = "".join(f"JOINT b{number}\n{{\nOFFSET 0 1 0\n" for number in range(levels))
    return f"HIERARCHY\nROOT hips\n{{\nOFFSET 0 0 0\n{start}".encode()


def cut(share: float) -> Case:
    """The front of a sound video."""
    return (lambda: video()[: int(len(video()) * share)]), 422


def not_finite(value: float) -> bytes:
    """A gait with one bad number."""
    values = gait()
    values[3, 4, 1] = value
    return array(values)


def behind_first_box(rest: bytes) -> bytes:
    """What a video begins with, and something else."""
    return media.box(b"ftyp", b"isom\0\0\2\0isom") + rest


def linked(address: bytes) -> bytes:
    """A video that says that its pictures lie in another file."""
    return media.changed(video(), b"dref", media.elsewhere(address))


def noise(mark: bytes) -> bytes:
    """A mark of a kind of video, and nothing of it."""
    return mark + np.random.default_rng(len(mark)).bytes(1 << 16)


def h5_with(link: Any) -> bytes:
    """An HDF5 file that leads elsewhere."""
    return h5(lambda opened: opened.__setitem__("gait", link))


PLAYLIST = b"#EXTM3U\n#EXT-X-TARGETDURATION:9\n#EXTINF:9,\n%s\n#EXT-X-ENDLIST\n"

VIDEOS: dict[str, Case] = {
    "nothing": (lambda: b"", 422),
    "one byte": (lambda: b"\0", 415),
    "a zip bomb called a video": (lambda: archive("clip.mp4", 64 << 20), 415),
    "a gzip bomb": (lambda: gzip.compress(bytes(16 << 20)), 415),
    "a playlist of a local file": (lambda: PLAYLIST % b"file:///etc/passwd", 415),
    "a playlist of an address": (lambda: PLAYLIST % b"http://127.0.0.1:9/secret", 415),
    "a list for ffconcat": (lambda: b"ffconcat version 1.0\nfile '/etc/passwd'\n", 415),
    "a session of sdp": (lambda: b"v=0\no=- 0 0 IN IP4 127.0.0.1\nm=video 5004 RTP/AVP 96\n", 415),
    "a manifest of dash": (lambda: b'<?xml version="1.0"?><MPD><BaseURL>file:///etc/passwd</BaseURL></MPD>', 415),
    "a picture": (lambda: b"\x89PNG\r\n\x1a\n" + bytes(200), 415),
    "a program": (lambda: b"\x7fELF" + bytes(2000), 415),
    "a script": (lambda: b"#!/bin/sh\ntouch /tmp/x\n", 415),
    "a page with a script": (lambda: b"<script>alert(1)</script>", 415),
    "a document": (lambda: b"%PDF-1.7\n" + bytes(200), 415),
    "an array": (lambda: array(gait()), 415),
    "sound alone": (lambda: b"RIFF\x24\0\0\0WAVEfmt " + bytes(40), 415),
    "the first box of a video alone": (lambda: media.box(b"ftyp", b"isom\0\0\2\0isommp41"), 422),
    "a video behind a page": (lambda: b"<html>" + video(), 415),
    "a page behind the first box": (lambda: behind_first_box(b"<script>" * 500), 422),
    "an archive behind the first box": (lambda: behind_first_box(archive("a", 1 << 20)), 422),
    "a playlist behind the first box": (lambda: behind_first_box(PLAYLIST % b"/etc/passwd"), 422),
    "boxes in boxes": (lambda: media.deep(20000), 422),
    "a video of ten gigabytes": (lambda: media.mp4_of_size(video(), 10**10), 422),
    "a thousand million pictures": (lambda: media.changed(video(), b"stsz", media.many_samples(10**9)), 422),
    "pictures of 100000 x 100000": (lambda: media.matroska(100000, 100000), 422),
    "pictures of 16000 x 16000": (large_pictures, 422),
    "pictures that lie in /etc/passwd": (lambda: linked(b"file:///etc/passwd"), 200),
    "pictures that lie at an address": (lambda: linked(b"http://127.0.0.1:9/"), 200),
    "cut after a hundredth": cut(0.01),
    "cut after a tenth": cut(0.1),
    "cut in the middle": cut(0.5),
    "cut after nine tenths": cut(0.9),
    "cut before the last byte": ((lambda: video()[:-1]), 200),
    "a matroska file of its first box": (lambda: media.matroska(64, 48)[:40], 422),
    "noise behind a matroska mark": (lambda: noise(b"\x1a\x45\xdf\xa3"), 422),
    "noise behind an avi mark": (lambda: noise(b"RIFF\xff\xff\xff\xffAVI LIST"), 422),
    "noise behind a flash mark": (lambda: noise(b"FLV\x01\x05\0\0\0\x09"), 422),
    "noise behind an asf mark": (lambda: noise(bytes.fromhex("3026b2758e66cf11")), 422),
    "noise in transport packets": (lambda: (b"G" + bytes(187)) * 100, 422),
}  # fmt: skip

GAITS: dict[str, Case] = {
    "a zip bomb called .npz": (lambda: archive("joints.npy", 64 << 20), 415),
    "an array of objects": (pickled, 422),
    "an .npz of objects": (lambda: archive("joints.npy", 1 << 20) + pickled(), 415),
    "a number that is none": (lambda: not_finite(np.nan), 422),
    "a number without end": (lambda: not_finite(np.inf), 422),
    "a thousand million frames": (lambda: claiming("(1000000000, 16, 3)"), 422),
    "frames beyond all numbers": (lambda: claiming(f"({2**62}, 16, 3)"), 422),
    "less than no frames": (lambda: claiming("(-5, 16, 3)"), 422),
    "a shape of text": (lambda: claiming("'many'"), 422),
    "a header that is a program": (lambda: header("__import__('os').abort()".ljust(117) + "\n"), 422),
    "a header of many brackets": (lambda: header("(" * 60000), 422),
    "a header of four gigabytes": (lambda: b"\x93NUMPY\x02\x00\xff\xff\xff\xff" + bytes(1000), 422),
    "a version that is none": (lambda: b"\x93NUMPY\x09\x09" + bytes(1000), 422),
    "an array cut in its header": (lambda: array(gait())[:40], 422),
    "an array cut in its numbers": (lambda: array(gait())[:4000], 422),
    "an array with something behind": (lambda: array(gait()) + archive("a", 1 << 20), 200),
    "texts": (lambda: array(np.array(["a"] * 48)), 422),
    "records": (lambda: array(np.zeros(40, [("a", "f4"), ("b", "f4")])), 422),
    "one frame": (lambda: array(gait(1)), 422),
    "no frame": (lambda: array(gait()[:0]), 422),
    "seventeen joints": (lambda: array(np.zeros((40, 17, 3))), 422),
    "a link to another HDF5 file": (lambda: h5_with(h5py.ExternalLink("/etc/passwd", "/")), 415),
    "a link in an HDF5 file": (lambda: h5_with(h5py.SoftLink("/etc/passwd")), 415),
    "an HDF5 file of huge chunks": (lambda: h5(huge_chunks), 415),
    "motion of a thousand million frames": (lambda: motion("1000000000"), 422),
    "motion of frames beyond all numbers": (lambda: motion("9" * 5000), 422),
    "motion that is not finite": (lambda: motion("1", "nan inf 0"), 422),
    "motion of text": (lambda: motion("1", "a b c"), 422),
    "motion of a line without end": (lambda: motion("1", "1 " * 1000000), 422),
    "motion of zero bytes": (lambda: b"HIERARCHY\n" + bytes(100000), 422),
    "motion of no text": (lambda: b"HIERARCHY\n\xff\xfe\xff" + bytes(range(256)) * 10, 422),
    "bones below bones": (lambda: nested(100000), 422),
    "braces without end": (lambda: b"HIERARCHY\nROOT a\n" + b"{\n" * 500000, 422),
    "more than is taken of motion": (lambda: b"HIERARCHY\n" + b" " * (65 << 20), 413),
}  # fmt: skip

NAMES = {
    "a way up": ("../../../../tmp/jack_ray-escaped.npy", "jack_ray-escaped.npy"),
    "an absolute path": ("/tmp/jack_ray-escaped.npy", "jack_ray-escaped.npy"),
    "a way up as on another system": ("..\\..\\jack_ray-escaped.npy", "jack_ray-escaped.npy"),
    "a zero byte": ("walk.npy\0.mp4", "walk.npy.mp4"),
    "dots": ("..", ".."),
    "nothing": ("", "file"),
    "letters of control": ("\x1b[2J\x07walk.npy", "?[2J?walk.npy"),
    "a text in the other direction": ("walk\u202eypn.exe", "walk?ypn.exe"),
    "a template": ("{{7*7}}${jndi:ldap://x}%n%s.npy", "x}%n%s.npy"),
    "a page": ("<img src=x onerror=alert(1)>.npy", "<img src=x onerror=alert(1)>.npy"),
    "half a letter": ("walk\udcff.npy", "walk\ufffd.npy"),
    "a device": ("/dev/stdin", "stdin"),
    "an address": ("http://127.0.0.1:9/walk.npy", "walk.npy"),
}
"""What a client can call a sound file, and what is shown of that."""
