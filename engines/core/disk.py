"""What the machine answers when a file, a folder or an address cannot be had: told in a sentence, and asked before work that ends there."""

import errno
import os
import tempfile
from pathlib import Path

from engines.core.errors import OutputError

_SENTENCES = {
    errno.ENOENT: "There is no file or folder {place}. Check its name.",
    errno.ENOTDIR: "{place} cannot be had: a part of its path is a file where a folder was wanted. Choose another place.",
    errno.EISDIR: "{place} is a folder where a file was wanted. Name a file.",
    errno.EEXIST: "{place} is there already, and is a file where a folder was wanted. Choose another place.",
    errno.EACCES: "There is no right to use {place}. Choose another place, or change its permissions.",
    errno.EPERM: "There is no right to use {place}. Choose another place, or change its permissions.",
    errno.EROFS: "{place} lies on a disk that can only be read. Choose another place.",
    errno.ENOSPC: "The disk is full: {place} could not be written. Free some space and try again.",
    errno.EDQUOT: "Your share of the disk is used up: {place} could not be written. Free some space and try again.",
    errno.EFBIG: "{place} grew larger than this disk or account allows. Choose another place.",
    errno.ENAMETOOLONG: "The name {place} is too long for this disk. Choose a shorter one.",
    errno.ELOOP: "{place} is a link that leads back to itself. Choose another place.",
    errno.EMFILE: "This program holds as many files open as the system lets it. Raise the limit (ulimit -n) and try again.",
    errno.ENFILE: "The system holds as many files open as it can. End other programs and try again.",
    errno.EADDRINUSE: "The port is taken by another program. Choose another with --port.",
    errno.EADDRNOTAVAIL: "This machine has no such address. Choose another with --host.",
}
"""Errors that the person at the machine can answer, by their number; all others are faults of the program."""


def sentence(error: OSError) -> str | None:
    """What came, what was wanted and what to do, in place of a traceback; None for an error that is the program's own."""
    wording = _SENTENCES.get(error.errno or 0)
    return wording and wording.format(place="a file" if error.filename is None else _shown(error.filename))


def check_folder(folder: Path) -> None:
    """Make sure, before the work, that files can be written into a folder; it is made if it is not there.

    Raises:
        OutputError: They cannot.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
        _try_writing(folder)
    except OSError as error:
        raise _refused(folder, error) from error


def check_file(path: Path, option: str) -> None:
    """Make sure, before the work, that a file can be written.

    Args:
        path: The file; its folder must be there.
        option: The option that named it, for the message.

    Raises:
        OutputError: It cannot.
    """
    if path.is_dir():
        raise OutputError(f"{option} {_shown(path)} is a folder. Name a file in it.")
    if not path.parent.is_dir():
        raise OutputError(f"{option} {_shown(path)} came, and there is no folder {_shown(path.parent)}. Make it first, or choose another.")
    try:
        _try_writing(path.parent)
        if path.exists() and not os.access(path, os.W_OK):
            raise PermissionError(errno.EACCES, os.strerror(errno.EACCES), str(path))
    except OSError as error:
        raise _refused(path, error) from error


def write(path: Path, data: bytes) -> None:
    """Write a file whole or not at all: where the disk is full, what was there before stays.

    Raises:
        OutputError: It cannot be written.
    """
    if path.exists() and not path.is_file():  # a device or a pipe is written to, not replaced
        path.write_bytes(data)
        return
    try:
        target = path.resolve()
        unfinished = target.with_name(f"{target.name[:200]}.part")
        try:
            unfinished.write_bytes(data)
            unfinished.replace(target)
        finally:
            unfinished.unlink(missing_ok=True)
    except OSError as error:
        raise _refused(path, error) from error


def _try_writing(folder: Path) -> None:
    """Write a page into a file that nobody sees: a full disk refuses it, as one that can only be read does."""
    with tempfile.TemporaryFile(dir=folder) as probe:
        probe.write(bytes(4096))


def _refused(path: Path, error: OSError) -> OutputError:
    known = None if error.errno == errno.ENOENT else _SENTENCES.get(error.errno or 0)
    return OutputError(known.format(place=_shown(path)) if known else f"{_shown(path)} cannot be written: {error.strerror or error}.")


def _shown(name: object) -> str:
    """A path as text that a terminal can show, whatever bytes are in it."""
    text = os.fsdecode(name) if isinstance(name, (str, bytes, os.PathLike)) else str(name)
    return "".join(letter if letter.isprintable() else "?" for letter in text)[:300]
