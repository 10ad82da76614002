"""Videos that are not what they say: made by hand, box by box."""

import struct
from collections.abc import Callable
from pathlib import Path

import av
import numpy as np

CONTAINERS = (b"moov", b"trak", b"mdia", b"minf", b"dinf", b"stbl")
CODEC = "mpeg4"


def write_video(path: Path, codec: str = CODEC, pictures: int = 24, size: tuple[int, int] = (64, 48)) -> Path:
    """A small sound video without sound."""
    with av.open(str(path), "w") as container:
        stream = container.add_stream(codec, rate=24)
        stream.width, stream.height, stream.pix_fmt = *size, "yuv420p"
        for number in range(pictures):
            array = np.full((size[1], size[0], 3), number * 9, np.uint8)
            container.mux(stream.encode(av.VideoFrame.from_ndarray(array, "rgb24")))
        container.mux(stream.encode())
    return path


def box(kind: bytes, content: bytes) -> bytes:
    """A box of an mp4 file."""
    return struct.pack(">I", 8 + len(content)) + kind + content


def changed(data: bytes, kind: bytes, change: Callable[[bytes], bytes]) -> bytes:
    """An mp4 file with all boxes of a kind changed, and the boxes around them as large as they must be."""
    found, place = b"", 0
    while place < len(data):
        size, name = struct.unpack_from(">I4s", data, place)
        content = data[place + 8 : place + size]
        if name == kind:
            content = change(content)
        elif name in CONTAINERS:
            content = changed(content, kind, change)
        found += box(name, content)
        place += size
    return found


def many_samples(count: int) -> Callable[[bytes], bytes]:
    """For `stsz`: so many samples, all of one size, so that the table itself is empty."""
    return lambda content: content[:4] + struct.pack(">II", 1, count)


def long_times(count: int) -> Callable[[bytes], bytes]:
    """For `stts`: so many samples of one length."""
    return lambda content: content[:4] + struct.pack(">III", 1, count, 1)


def wide(width: int, height: int) -> Callable[[bytes], bytes]:
    """For `stsd`: pictures of another size."""
    return lambda content: content[:40] + struct.pack(">HH", width, height) + content[44:]


def elsewhere(address: bytes) -> Callable[[bytes], bytes]:
    """For `dref`: the pictures lie in another file."""
    return lambda content: struct.pack(">II", 0, 1) + box(b"url ", b"\0\0\0\0" + address + b"\0")


def mp4_of_size(data: bytes, claimed: int) -> bytes:
    """An mp4 file whose pictures claim so many bytes."""
    place = data.index(b"mdat") - 4
    size = struct.unpack_from(">I", data, place)[0]
    head = struct.pack(">I4sQ", 1, b"mdat", claimed)
    return data[:place] + head + data[place + 8 : place + size] + data[place + size :]


def element(name: int, content: bytes) -> bytes:
    """An element of a Matroska file, its size in eight bytes."""
    text = name.to_bytes((name.bit_length() + 7) // 8, "big")
    return text + (0x0100000000000000 | len(content)).to_bytes(8, "big") + content


def number(name: int, value: int) -> bytes:
    """An element with a number."""
    return element(name, value.to_bytes(8, "big"))


def matroska(width: int, height: int, codec: bytes = b"V_MJPEG", frame: bytes = b"\xff\xd8" + bytes(64)) -> bytes:
    """A Matroska file with pictures of some size, each of which is `frame`."""
    head = element(0x1A45DFA3, element(0x4282, b"matroska") + number(0x4287, 4) + number(0x4285, 2))
    video = element(0xE0, number(0xB0, width) + number(0xBA, height))
    track = number(0xD7, 1) + number(0x73C5, 1) + number(0x83, 1) + element(0x86, codec) + video
    block = b"".join(element(0xA3, b"\x81" + struct.pack(">hB", n, 0x80) + frame) for n in range(3))
    cluster = element(0x1F43B675, number(0xE7, 0) + block)
    return head + element(0x18538067, element(0x1654AE6B, element(0xAE, track)) + cluster)


def deep(levels: int) -> bytes:
    """Boxes in boxes in boxes."""
    head = box(b"ftyp", b"isom\0\0\2\0isommp41")
    content = b""
    for _ in range(levels):
        content = box(b"moov", box(b"trak", content))
    return head + content


def avi(data: bytes, frames: int, width: int) -> bytes:
    """An AVI file with another number of pictures, and another width of them."""
    main, stream, shape = data.index(b"avih"), data.index(b"strh"), data.index(b"strf")
    found = bytearray(data)
    struct.pack_into("<I", found, main + 8 + 16, frames)
    struct.pack_into("<I", found, main + 8 + 32, width)
    struct.pack_into("<I", found, stream + 8 + 32, frames)
    struct.pack_into("<i", found, shape + 8 + 4, width)
    return bytes(found)
