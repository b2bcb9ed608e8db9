"""The address that the page listens on, tried before anything is loaded."""

import errno
import os
import socket

from engines.core.errors import StudioError

FIRST, COUNT = 7860, 100
"""Where a port is looked for if none is given, and how many are tried."""
LAST = 65_535


def check_address(host: str, port: int | None) -> None:
    """Make sure that the page can listen.

    Args:
        host: Address or name of this machine.
        port: The port; None for the first free one from 7860.

    Raises:
        StudioError: The port is no port or taken, the right to it is missing, or the address is not this machine's.
    """
    if port is not None and not 1 <= port <= LAST:
        raise StudioError(f"--port {port} came; a port is a number from 1 to {LAST}. Leave it out to get the first free one from {FIRST}.")
    own = _addresses(host)
    refusals = [_refusal(own, candidate) for candidate in ([port] if port else range(FIRST, FIRST + COUNT))]
    if None in refusals:
        return
    raise StudioError(_told(host, port, refusals[-1] or 0))


def _told(host: str, port: int | None, code: int) -> str:
    """Why a page cannot listen, by the error's number."""
    if code == errno.EADDRNOTAVAIL:
        known = "127.0.0.1 is this machine alone, 0.0.0.0 all its addresses"
        return f"--host {host} came, and this machine has no such address. {known}."
    if code in (errno.EACCES, errno.EPERM):
        return (
            f"There is no right to listen on port {port or FIRST}; those below 1024 need the administrator's. Choose another with --port."
        )
    if code == errno.EADDRINUSE and port:
        return f"Port {port} is taken by another program. Choose another with --port, or leave it out to get the first free one."
    if code == errno.EADDRINUSE:
        return f"All ports from {FIRST} to {FIRST + COUNT - 1} are taken by other programs. Choose another with --port."
    return f"Nothing can listen on {host}, port {port or FIRST}: {os.strerror(code)}. Choose another address."


def _addresses(host: str) -> list[tuple[socket.AddressFamily, str]]:
    """What a host's name stands for; no name is this machine, as Gradio has it."""
    try:
        found = socket.getaddrinfo(host.strip("[]") or "127.0.0.1", None, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError) as error:
        raise StudioError(f"--host {host} came, which is no known address or name. Leave it out to listen on this machine only.") from error
    return [(family, str(address[0])) for family, _, _, _, address in found if family in (socket.AF_INET, socket.AF_INET6)]


def _refusal(addresses: list[tuple[socket.AddressFamily, str]], port: int) -> int | None:
    """The number of the error by which a port is refused, on a host's addresses or on 127.0.0.1, where Gradio tries it; else None."""
    for family, address in {(socket.AF_INET, "127.0.0.1"), *addresses}:
        try:
            with socket.socket(family, socket.SOCK_STREAM) as trial:
                trial.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
                if family == socket.AF_INET6:
                    trial.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
                trial.bind((address, port))
        except OSError as error:
            return error.errno or errno.EADDRINUSE
    return None
