"""Uploads of odd names, and uploads put together by hand."""

from tests.hostile.requests import Request

NAMES = {
    "traversal": "../../../climbed.png",
    "traversal of Windows": "..\\..\\climbed.png",
    "encoded traversal": "..%2f..%2fclimbed.png",
    "a path": "/tmp/climbed.png",
    "a zero": "a\0b.png",
    "300 letters": "x" * 300 + ".png",
    "5000 letters": "x" * 5000 + ".png",
    "from right to left": "photo\u202egnp.exe",
    "markup": "<img src=x onerror=alert(1)>.png",
    "line ends": "a\r\nX-Set: 1\r\n.png",
    "quotes": 'a"; filename="b.png',
    "nothing": "",
    "a dot": ".",
    "two dots": "..",
    "blanks": "   ",
    "a device of Windows": "CON",
    "a stream of Windows": "a.png:hidden",
    "letters of all kinds": "фото-照片-🙂.png",
    "a command": "$(touch climbed).png",
    "a flag": "-rf",
    "a hidden file": ".bashrc",
    "a program": "run.py",
}
"""Names of uploads by what is wrong with them."""


def _form(*parts: bytes, boundary: str = "edge") -> bytes:
    return b"".join(b"--" + boundary.encode() + b"\r\n" + part + b"\r\n" for part in parts) + b"--" + boundary.encode() + b"--\r\n"


def forms_of_uploads() -> list[Request]:
    """Uploads put together by hand."""
    kind = {"Content-Type": "multipart/form-data; boundary=edge"}
    part = b'Content-Disposition: form-data; name="files"; filename="a.png"\r\nContent-Type: image/png\r\n\r\nx'
    field_only = b'Content-Disposition: form-data; name="files"\r\n\r\nx'
    upload, wide = "/gradio_api/upload", b"x" * 200_000
    odd: dict[str, tuple[dict[str, str], bytes, bool]] = {
        "no parts": (kind, _form(), False),
        "no bytes": (kind, b"", False),
        "no boundary": ({"Content-Type": "multipart/form-data"}, _form(part), True),
        "another boundary": ({"Content-Type": "multipart/form-data; boundary=other"}, _form(part), False),
        "a boundary of 100 000 letters": ({"Content-Type": "multipart/form-data; boundary=" + "x" * 20_000}, _form(part), False),
        "no end": (kind, _form(part)[:-8], False),
        "cut in a head": (kind, _form(part)[:40], False),
        "a field and no file": (kind, _form(field_only), False),
        "no name": (kind, _form(b"Content-Disposition: form-data\r\n\r\nx"), False),
        "no head": (kind, _form(b"\r\nx"), False),
        "a head of 200 000 letters": (kind, _form(b"X-Wide: " + wide + b"\r\n" + part), False),
        "a field's name of 200 000 letters": (kind, _form(part.replace(b"files", wide)), False),
        "2000 heads": (kind, _form(b"X-More: 1\r\n" * 2000 + part), False),
        "2000 fields": (kind, _form(*[field_only] * 2000), False),
        "1500 files": (kind, _form(*[part] * 1500), False),
        "a form within": (
            kind,
            _form(part.replace(b"image/png", b"multipart/mixed; boundary=inner") + _form(part, boundary="inner")),
            False,
        ),
        "a name by RFC 5987": (kind, _form(part.replace(b'filename="a.png"', b"filename*=UTF-8''..%2f..%2fclimbed.png")), False),
        "two names": (kind, _form(part.replace(b'"a.png"', b'"a.png"; filename="../../climbed.png"')), False),
        "letters that are none": (kind, _form(part.replace(b"a.png", b"\xff\xfe.png")), False),
        "JSON": ({"Content-Type": "application/json"}, b'{"files": ["/etc/passwd"]}', True),
        "a file over the limit": (kind, _form(part + bytes(33 * 2**20)), True),
    }
    found = [Request(f"upload of {title}", "POST", upload, body, head, refused) for title, (head, body, refused) in odd.items()]
    ids = ["../../x", "%00", "x" * 5000, "<script>", "", "a%0d%0aSet-Cookie:%20a=1"]
    return found + [Request(f"upload named {name[:20]}", "POST", f"{upload}?upload_id={name}", _form(part), kind, False) for name in ids]
