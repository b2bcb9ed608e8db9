"""Zip archives from outside, with a bound on what comes out of them rather than on what their directory claims."""

import mmap
import re
import zipfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from io import BytesIO
from typing import BinaryIO

from engines.core.errors import WeightsError

MOST_MEMBERS = 20_000
"""Members of an archive: a checkpoint has one for each of its tensors."""

Buffer = bytes | bytearray | mmap.mmap
_ENTRY = re.compile(b"PK\x01\x02")
_AT_ONCE = 2**20


class Archive:
    """The members of a zip archive by name; made by `opened`.

    Args:
        file: The archive, open.
        data: The same bytes.
        most: Bytes that may come out of it in all.
    """

    def __init__(self, file: zipfile.ZipFile, data: Buffer, most: int) -> None:
        self._file, self._data, self._most = file, data, most
        self._left = most
        self._members = {item.filename: item for item in file.infolist() if not item.is_dir()}

    @property
    def names(self) -> list[str]:
        """What its directory lists, folders left out."""
        return list(self._members)

    def read(self, name: str) -> bytearray:
        """A member, unpacked and checked against its check sum.

        Raises:
            WeightsError: More comes out of the archive than it may hold.
            zipfile.BadZipFile: It is damaged.
            KeyError: There is none of this name.
        """
        content, item = bytearray(), self._readable(name)
        with self._file.open(item) as member:
            while part := member.read(min(_AT_ONCE, self._left - len(content) + 1)):
                content += part
                if len(content) > self._left:
                    raise WeightsError(f"This file unpacks to more than {self._most / 2**20:.0f} MB, which is the most that is read.")
        if len(content) != item.file_size:
            raise zipfile.BadZipFile("a member is shorter than its directory says")
        self._left -= len(content)
        return content

    def place(self, name: str) -> slice | None:
        """Where the bytes of a member lie in the file, if they lie there as they are, not compressed.

        Raises:
            zipfile.BadZipFile: It reaches beyond the file.
            KeyError: There is none of this name.
        """
        item = self._readable(name)
        if item.compress_type != zipfile.ZIP_STORED:
            return None
        head = self._data[item.header_offset : item.header_offset + 30]
        if len(head) < 30 or head[:4] != b"PK\x03\x04" or item.compress_size != item.file_size:
            raise zipfile.BadZipFile("a member has no head")
        start = item.header_offset + 30 + int.from_bytes(head[26:28], "little") + int.from_bytes(head[28:30], "little")
        if start + item.file_size > len(self._data):
            raise zipfile.BadZipFile("a member reaches beyond the file")
        return slice(start, start + item.file_size)

    def claimed(self, ending: str = "") -> int:
        """Bytes that members of this ending have by the directory's word, which may be wrong."""
        return sum(item.file_size for name, item in self._members.items() if name.endswith(ending))

    def _readable(self, name: str) -> zipfile.ZipInfo:
        item = self._members[name]
        if item.flag_bits & 1 or item.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
            raise WeightsError("This archive is encrypted, or packed in a way that neither numpy nor torch uses. Save it again.")
        return item


@contextmanager
def opened(data: Buffer, most: int, stream: BinaryIO | None = None) -> Iterator[Archive]:
    """Open an archive from outside.

    Args:
        data: All of its bytes.
        most: Bytes that may come out of it in all.
        stream: The same as a file, where there is one: it saves a copy.

    Raises:
        WeightsError: It has far more members than any file of arrays.
        zipfile.BadZipFile: It is damaged, or cut off.
    """
    if sum(1 for _, _ in zip(_ENTRY.finditer(data), range(MOST_MEMBERS + 1), strict=False)) > MOST_MEMBERS:
        raise WeightsError(f"This archive has more than {MOST_MEMBERS} members. Save what is wanted of it in a file of its own.")
    try:
        with zipfile.ZipFile(stream or BytesIO(data)) as file:
            yield Archive(file, data, most)
    except (zlib.error, NotImplementedError, EOFError, RuntimeError, UnicodeDecodeError) as error:
        raise zipfile.BadZipFile("damaged") from error
