"""A folder that describes an image: image.yaml, the configuration beside it, and files. See docs/IMAGES.md."""
import re
from pathlib import Path
from typing import NamedTuple

from . import cpio, kernels, root
from .cell import Cell
from .image import Image


class FolderError(Exception):
    """The folder does not describe an image; the text says where and why."""


class Described(NamedTuple):
    folder: Path
    image: Image
    kernel: str         # see kernels.fetch
    version: str
    kind: str           # of the root's file system
    overlay: str        # "", or what machine.root.overlay takes
    cmdline: str        # words for the kernel
    slot: int           # MiB of each slot's partition; 0: chosen


# What a key must be, and what it is when it is not there.
CELL_KEYS = {"packages": (list, []), "programs": (list, []), "folders": (list, []), "directories": (list, []),
             "files": (dict, {})}
KEYS = {**CELL_KEYS, "cells": (dict, {}), "modules": (list, []), "kernel": (str, kernels.NAMES[0]),
        "version": (str, "1"), "root": (str, "erofs"), "overlay": (str, ""), "cmdline": (str, ""), "slot": (int, 0)}


def _read(where: str, given, keys: dict) -> dict:
    """The keys with their defaults; FolderError for what is not one of them or of another type."""
    if not isinstance(given, dict):
        raise FolderError(f"{where}: must be keys and values")
    for key, value in given.items():
        if key not in keys:
            raise FolderError(f"{where}: unknown key '{key}'; there are {', '.join(sorted(keys))}")
        kind = keys[key][0]
        if not isinstance(value, kind) or (kind is list and not all(isinstance(v, str) for v in value)):
            what = {list: "a list of words", dict: "keys and values", str: "text (put it in quotes)", int: "a number"}
            raise FolderError(f"{where}: {key}: must be {what[kind]}")
    return {key: given.get(key, default) for key, (_, default) in keys.items()}


def _file(file: Path):
    """What a name below files/ stands for in the image."""
    if file.is_symlink():
        return cpio.symlink(str(file.readlink()))
    if file.is_dir():
        return cpio.directory()
    if file.is_file():
        return file
    raise FolderError(f"{file}: is neither a file nor a folder nor a symbolic link")


def _cell(folder: Path, where: str, words: dict, points) -> Cell:
    files = {}
    for path, name in words["files"].items():
        if not path.startswith("/") or not isinstance(name, str) or not (folder / name).is_file():
            raise FolderError(f"{where}: files: {path}: {name} is not a file in {folder}, or the path is not absolute")
        files[path] = folder / name
    return Cell(words["packages"], words["programs"], words["folders"], files, words["directories"], points)


def load(folder: Path) -> Described:
    """Reads the folder. Packages and the kernel are fetched when the image is built."""
    import yaml     # only who describes images by folders needs python3-yaml
    name = folder / "image.yaml"
    try:
        given = yaml.safe_load(name.read_text()) or {}
    except (OSError, yaml.YAMLError) as e:
        raise FolderError(f"{name}: {e}") from None
    words = _read(str(name), given, KEYS)
    if words["root"] not in root.KINDS:
        raise FolderError(f"{name}: root: must be one of {', '.join(root.KINDS)}")
    # Boot loaders read both: see disk.py and grub.py.
    if not re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9._+-]*", words["version"]):
        raise FolderError(f"{name}: version: letters, digits and .+-_, beginning with a letter or a digit")
    if not re.fullmatch(r"[ -&(-~]*", words["cmdline"]):
        raise FolderError(f"{name}: cmdline: printable ASCII in one line, without '")
    if not (folder / "prior.yaml").is_file():
        raise FolderError(f"{folder}: there is no prior.yaml, the configuration of the image")
    cells = {n: _cell(folder, f"{name}: cells.{n}", _read(f"{name}: cells.{n}", c, CELL_KEYS), None)
             for n, c in words["cells"].items()}
    image = Image(
        config=(folder / "prior.yaml").read_text(),
        services={f.name: f.read_text() for f in sorted((folder / "services.d").glob("*.yaml"))},
        files={f"/{f.relative_to(folder / 'files')}": _file(f) for f in sorted((folder / "files").rglob("*"))},
        modules=words["modules"], cells=cells, own=_cell(folder, str(name), words, ()), tools=False, compress=True)
    return Described(folder, image, words["kernel"], words["version"], words["root"], words["overlay"],
                     words["cmdline"], words["slot"])
