"""Uploads, into the folder of the visitor they come from, and what was uploaded or drawn, back to that visitor only."""

import shutil
from pathlib import Path

import anyio
from gradio.route_utils import upload_fn
from gradio.routes import file_upload_statuses
from starlette.exceptions import HTTPException
from starlette.formparsers import MultiPartException
from starlette.requests import ClientDisconnect, HTTPConnection, Request
from starlette.responses import JSONResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from engines.core.errors import StudioError
from studio.serving.cookie import visitor_of
from studio.serving.disk import disk
from studio.serving.guard.answers import API, RefusalError, app_of, header, refuse

_MOST_FILES_BYTES = 4
"""Times the largest file that one request may hold."""
_FILE = f"{API}/file="
_NO_FORM = "The upload is no multipart form with files of plain names."


class Uploads:
    """Takes uploads and guards files.

    Args:
        app: What comes next.
    """

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""
        path = scope["path"] if scope["type"] == "http" else ""
        if path == f"{API}/upload":
            try:
                await self._take(scope, receive, send)
            except RefusalError as refusal:
                await refuse(send, refusal, plain=True)
            return
        if path.startswith(_FILE) and _is_anothers(scope, path.removeprefix(_FILE)):
            await refuse(send, RefusalError(403, "There is no such file, or it is another visitor's."))
            return
        if path.startswith(f"{API}/heartbeat/"):
            send = _touching(scope, path.rpartition("/")[2], send)
        with disk.serving(visitor_of(HTTPConnection(scope).cookies, None) if path else None):
            await self.app(scope, receive, send)

    async def _take(self, scope: Scope, receive: Receive, send: Send) -> None:
        blocks, request = app_of(scope).get_blocks(), Request(scope)
        visitor = visitor_of(request.cookies, None)
        most = int(blocks.max_file_size)
        bound = _Bound(receive, most * _MOST_FILES_BYTES)
        declared = header(scope, "content-length") or ""
        size = min(int(declared), bound.limit) if declared.isdigit() else most
        upload = request.query_params.get("upload_id")
        try:
            await anyio.to_thread.run_sync(disk.make_room, size)
        except StudioError as error:
            raise RefusalError(507, str(error), {"connection": "close"}) from error
        folder = disk.new_upload(visitor)
        taken = False
        try:
            progress = file_upload_statuses if upload else None
            files, _, _ = await upload_fn(Request(scope, bound), folder, most, upload, upload_progress=progress)
            taken = True
        except MultiPartException as error:
            is_large = "File size" in error.message
            sentence = f"Files of at most {most / 2**20:.0f} MB are taken." if is_large else _NO_FORM
            raise RefusalError(413 if is_large else 400, sentence, {"connection": "close"}) from error
        except HTTPException as error:
            raise RefusalError(error.status_code, _NO_FORM) from error
        except (TypeError, AttributeError) as error:
            raise RefusalError(400, "The upload's field 'files' holds no file.") from error
        except ClientDisconnect:
            return
        finally:
            if not taken:
                shutil.rmtree(folder, ignore_errors=True)
        await anyio.to_thread.run_sync(disk.trim_uploads, folder)
        await JSONResponse(files)(scope, receive, send)


class _Bound:
    """A request's body that may not be larger than `limit` in all."""

    def __init__(self, receive: Receive, limit: int) -> None:
        self.receive, self.limit, self.size = receive, limit + 2**20, 0

    async def __call__(self) -> Message:
        message = await self.receive()
        self.size += len(message.get("body", b""))
        if self.size > self.limit:
            raise RefusalError(413, f"Uploads of at most {self.limit / 2**20:.0f} MB together are taken.", {"connection": "close"})
        return message


def _is_anothers(scope: Scope, path: str) -> bool:
    try:
        return disk.is_anothers(visitor_of(HTTPConnection(scope).cookies, None), Path(path))
    except (OSError, ValueError):
        return True


def _touching(scope: Scope, session: str, send: Send) -> Send:
    """A heartbeat keeps the visitor's files."""
    visitor = visitor_of(HTTPConnection(scope).cookies, session) or session

    async def touching(message: Message) -> None:
        disk.touch(visitor)
        await send(message)

    return touching
