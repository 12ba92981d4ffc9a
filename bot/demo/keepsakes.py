"""The photo and the voice message of the example conversation, made up on the spot."""

import io
import math
import struct
import wave
import zlib

PHOTO_WIDTH, PHOTO_HEIGHT = 320, 200
VOICE_MS = 1500
_RATE = 8000  # samples a second


def lake_photo() -> bytes:
    """Return a PNG of an evening sky above a lake (PNG specification, third edition, section 11)."""
    rows = b"".join(b"\0" + _row(y) for y in range(PHOTO_HEIGHT))
    header = struct.pack(">IIBBBBB", PHOTO_WIDTH, PHOTO_HEIGHT, 8, 2, 0, 0, 0)  # 8 bits, colour
    chunks = (_chunk(b"IHDR", header), _chunk(b"IDAT", zlib.compress(rows, 9)), _chunk(b"IEND", b""))
    return b"\x89PNG\r\n\x1a\n" + b"".join(chunks)


def humming() -> bytes:
    """Return a WAV of somebody humming two notes."""
    file = io.BytesIO()
    with wave.open(file, "wb") as voice:
        voice.setnchannels(1)
        voice.setsampwidth(1)
        voice.setframerate(_RATE)
        voice.writeframes(bytes(_sample(n) for n in range(_RATE * VOICE_MS // 1000)))
    return file.getvalue()


def _row(y: int) -> bytes:
    shore = PHOTO_HEIGHT * 3 // 5
    if y < shore:
        part = y / shore
        return bytes((int(70 + 180 * part), int(90 + 80 * part), int(150 - 30 * part))) * PHOTO_WIDTH
    part = (y - shore) / (PHOTO_HEIGHT - shore)
    ripple = 20 if y % 7 == 0 else 0
    return bytes((int(120 - 90 * part) + ripple, int(110 - 60 * part) + ripple, int(130 - 40 * part))) * PHOTO_WIDTH


def _chunk(kind: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


def _sample(number: int) -> int:
    length = _RATE * VOICE_MS // 1000
    pitch = 196.0 if number < length // 2 else 247.0
    swell = math.sin(math.pi * (number % (length // 2)) / (length // 2))
    return int(128 + 90 * swell * math.sin(2 * math.pi * pitch * number / _RATE))
