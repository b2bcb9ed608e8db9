"""What stands between a browser and Gradio: each part looks at a request or an answer, in the order given here.

Gradio puts what `launch(app_kwargs={"middleware": ...})` names inside its own compression and its rules on foreign origins. All parts
are plain ASGI, so that streams pass as they come.
"""

from starlette.middleware import Middleware

from studio.serving.cookie import VISITOR_COOKIE, visitor_of
from studio.serving.guard.bodies import Bodies
from studio.serving.guard.compress import Compress
from studio.serving.guard.doors import Doors
from studio.serving.guard.headers import Headers
from studio.serving.guard.login import Brake, LoginGate
from studio.serving.guard.sessions import Sessions
from studio.serving.guard.trust import Trust
from studio.serving.guard.uploads import Uploads
from studio.serving.guard.visitor import VisitorCookie
from studio.settings import Settings

__all__ = ["VISITOR_COOKIE", "parts", "visitor_of"]


def parts(settings: Settings) -> list[Middleware]:
    """The guard of a page, outermost first."""
    sessions = Sessions()
    return [
        Middleware(Headers),
        Middleware(Trust, settings=settings),
        Middleware(Compress),
        Middleware(VisitorCookie),
        Middleware(Doors, sessions=sessions),
        Middleware(LoginGate, brake=Brake()),
        Middleware(Uploads),
        Middleware(Bodies, sessions=sessions, limit=settings.json_megabytes * 2**20),
    ]
