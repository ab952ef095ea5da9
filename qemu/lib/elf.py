"""A small ELF reader: what a program needs to run, and what a kernel module says about itself.

64-bit little-endian only, which is what we boot.
"""
import lzma
import struct
from pathlib import Path
from typing import NamedTuple

PT_LOAD, PT_DYNAMIC, PT_INTERP = 1, 2, 3
DT_NEEDED, DT_STRTAB = 1, 5


class Needs(NamedTuple):
    interpreter: str    # "" for a static program or a library
    libraries: tuple    # sonames, in order


class ElfError(Exception):
    """Not an ELF file that we read."""


def is_elf(path: Path) -> bool:
    with open(path, "rb") as f:
        return f.read(4) == b"\x7fELF"


def _text(data: bytes, at: int) -> str:
    return data[at:data.index(b"\0", at)].decode()


def _header(data: bytes, name) -> tuple:
    if data[:6] != b"\x7fELF\x02\x01":
        raise ElfError(f"{name}: not a 64-bit little-endian ELF file")
    return struct.unpack_from("<16sHHIQQQIHHHHHH", data)


def needs(path: Path) -> Needs:
    """The interpreter and the NEEDED libraries of a program or library."""
    data = path.read_bytes()
    head = _header(data, path)
    phoff, phsize, phnum = head[5], head[9], head[10]
    parts = [struct.unpack_from("<IIQQQQQQ", data, phoff + i * phsize) for i in range(phnum)]
    interpreter, sonames, strtab = "", [], 0
    for kind, _, offset, _, _, size, _, _ in parts:
        if kind == PT_INTERP:
            interpreter = _text(data, offset)
        if kind == PT_DYNAMIC:
            for at in range(offset, offset + size, 16):
                tag, value = struct.unpack_from("<qQ", data, at)
                if tag == DT_NEEDED:
                    sonames.append(value)
                elif tag == DT_STRTAB:
                    strtab = value
    for kind, _, offset, address, _, size, _, _ in parts:
        if kind == PT_LOAD and address <= strtab < address + size:
            strtab += offset - address
            break
    return Needs(interpreter, tuple(_text(data, strtab + s) for s in sonames))


def modinfo(path: Path) -> dict:
    """A kernel module's .modinfo: key -> list of values. Reads .ko and .ko.xz."""
    data = path.read_bytes()
    if path.suffix == ".xz":
        data = lzma.decompress(data)
    head = _header(data, path)
    shoff, shsize, shnum, names_at = head[6], head[11], head[12], head[13]
    rows = [struct.unpack_from("<IIQQQQIIQQ", data, shoff + i * shsize) for i in range(shnum)]
    found = {}
    for name, _, _, _, offset, size, *_ in rows:
        if _text(data, rows[names_at][4] + name) != ".modinfo":
            continue
        for field in data[offset:offset + size].split(b"\0"):
            key, _, value = field.decode(errors="replace").partition("=")
            if key:
                found.setdefault(key, []).append(value)
    return found
