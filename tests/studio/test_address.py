import errno
import socket

import pytest

from engines.core.errors import StudioError
from studio.serving import address
from studio.serving.address import check_address


def test_a_free_port_passes() -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    for host in ("127.0.0.1", "localhost", "0.0.0.0", ""):
        check_address(host, port)


@pytest.mark.parametrize("host", ["127.0.0.1", "0.0.0.0"])
def test_a_taken_port_is_told(host: str, monkeypatch: pytest.MonkeyPatch) -> None:
    with socket.socket() as taken:
        taken.bind((host, 0))
        taken.listen()
        port = taken.getsockname()[1]
        with pytest.raises(StudioError, match=f"Port {port} is taken by another program"):
            check_address(host, port)
        monkeypatch.setattr(address, "FIRST", port)
        monkeypatch.setattr(address, "COUNT", 1)
        with pytest.raises(StudioError, match="are taken by other programs"):
            check_address(host, None)


@pytest.mark.parametrize("port", [-1, 0, 65_536, 99_999, 10**30])
def test_a_number_that_is_no_port_is_told(port: int) -> None:
    with pytest.raises(StudioError, match="from 1 to 65535"):
        check_address("127.0.0.1", port)


@pytest.mark.parametrize(
    ("host", "sentence"), [("192.0.2.1", "no such address"), ("a..b", "no known address"), ("x" * 300, "no known address")]
)
def test_an_address_that_is_not_this_machines_is_told(host: str, sentence: str) -> None:
    with pytest.raises(StudioError, match=sentence):
        check_address(host, 7899)


def test_a_port_without_the_right_to_it_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    def refused(*_: object) -> None:
        raise PermissionError(errno.EACCES, "Permission denied")

    monkeypatch.setattr(socket.socket, "bind", refused)
    with pytest.raises(StudioError, match="no right to listen on port 80"):
        check_address("127.0.0.1", 80)
