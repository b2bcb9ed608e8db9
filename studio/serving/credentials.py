"""The login that visitors are asked for: from the command line, a file or the environment, and what is said of it at the start."""

import os
import stat
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from engines.core.errors import StudioError

LARGEST = 4096
"""Bytes that a file with a login may hold."""
SHORT, FEW = 10, 5
"""Passwords with fewer letters, or fewer different ones, are easy to guess."""


@dataclass(frozen=True)
class Login:
    """A login, and where it came from.

    Attributes:
        user: Its name.
        password: Kept out of every message.
        source: The option or variable that gave it.
        file: The file that held it, if one did.
    """

    user: str
    password: str = field(repr=False)
    source: str
    file: Path | None = None


def given(option: str | None, file: Path | None, environment: Mapping[str, str] = os.environ) -> Login | None:
    """The login that the person who starts the page gave; options come before the environment.

    Args:
        option: What came with --auth.
        file: What came with --auth-file.
        environment: Where STUDIO_AUTH (USER:PASSWORD) or STUDIO_AUTH_FILE (a file's name) may stand.

    Raises:
        StudioError: Two came where one was wanted, or one of another form.
        OSError: The file cannot be read.
    """
    if option is not None and file is not None:
        raise StudioError("--auth and --auth-file came; give one of them.")
    if option is not None:
        return _parsed(option, "--auth")
    if file is not None:
        return _read(file, "--auth-file")
    variable, named = environment.get("STUDIO_AUTH"), environment.get("STUDIO_AUTH_FILE")
    if variable is not None and named is not None:
        raise StudioError("STUDIO_AUTH and STUDIO_AUTH_FILE are both set; set one of them.")
    if variable is not None:
        return _parsed(variable, "STUDIO_AUTH")
    return None if named is None else _read(Path(named), "STUDIO_AUTH_FILE")


def warnings(login: Login | None, public: bool) -> list[str]:
    """A line for each thing that makes a login weaker than it looks; none of them shows the password.

    Args:
        login: The one that was given.
        public: Whether others than the person at this machine can reach the page.
    """
    if login is None:
        return []
    lines = []
    if public and login.source == "--auth":
        lines.append("--auth shows its password to everybody on this machine who lists its processes (ps); --auth-file FILE does not.")
    if login.file is not None and _is_open(login.file):
        lines.append(f"Others on this machine can read the login in {login.file}: chmod 600 {login.file} keeps it yours.")
    if public and is_weak(login):
        lines.append(
            f"The password is easy to guess: on a public page take {SHORT} letters or more, not only figures, and not the user's name."
        )
    return lines


def is_weak(login: Login) -> bool:
    """Whether a password is short, made of few letters, all figures or mostly the user's name."""
    word, user = login.password.casefold(), login.user.casefold()
    rest = word.replace(user, "") if len(user) > 2 else word
    return len(rest) < SHORT or len(set(word)) < FEW or (word.isdecimal() and len(word) < 2 * SHORT)


def _read(path: Path, source: str) -> Login:
    with path.open("rb") as stream:
        data = stream.read(LARGEST + 1)
    try:
        text = data.decode("utf-8-sig").strip("\r\n")
    except UnicodeDecodeError:
        text = None
    if text is None or len(data) > LARGEST or not text.isprintable():
        raise StudioError(f"{source} {path} takes a text file with one line, USER:PASSWORD.")
    return _parsed(text, source, path)


def _parsed(text: str, source: str, file: Path | None = None) -> Login:
    user, separator, password = text.partition(":")
    if not (user.strip() and separator and password.strip()):
        place = f"{source} {file}" if file else source
        raise StudioError(f"{place} takes USER:PASSWORD, such as class:correct-horse; both parts are needed.")
    return Login(user, password, source, file)


def _is_open(path: Path) -> bool:
    """Whether others than a file's owner may read it, where the system knows owners."""
    mode = path.stat().st_mode
    return os.name == "posix" and stat.S_ISREG(mode) and bool(mode & (stat.S_IRGRP | stat.S_IROTH))
