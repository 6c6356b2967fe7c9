"""A program that says its secrets in every way that logging knows, and then crashes with them.

Configured by the environment, as every process is; what it prints is for a test to look through.
"""

import asyncio
import logging
import threading
from types import SimpleNamespace

import structlog

from common import logs
from common.settings import Settings

KEY = "evr_pat_0123456789abcdefplanted"
FOREIGN = "sk-planted-0123456789abcdef"
CONTENT = "xyzzy-planted-words"


def main() -> None:
    settings = Settings.from_env()
    logs.configure(settings, process="test")
    secrets = [*sorted(settings.secrets), KEY, FOREIGN]
    own = structlog.get_logger()
    own.warning("own", told=secrets, nested={"deep": [secrets]}, settings=settings)
    library = logging.getLogger("a.library")
    for secret in secrets:
        library.error("cannot reach %s", f"redis://:{secret}@host/0")
        library.error(f"refused {secret}", extra={"key": secret})
        _fail(library, secret)
    _quote(secrets)
    thread = threading.Thread(target=_crash, args=(secrets,), name="planted")
    thread.start()
    thread.join()
    asyncio.run(_forget_an_error(secrets))
    own.warning("seen to the end")
    _crash(secrets)


def _fail(library: logging.Logger, secret: str) -> None:
    try:
        int(f"{secret} {CONTENT}")
    except ValueError:
        library.exception("failed")


def _quote(secrets: list[str]) -> None:
    """What Celery, gunicorn and asyncio print of what they were sent."""
    body = {"args": [CONTENT, *secrets]}
    consumer = logging.getLogger("celery.worker.consumer.consumer")
    consumer.error(
        "Received invalid task message: %s\n\nThe full contents of the message:\n%s", body, body
    )
    consumer.critical("Can't decode message body: %r [type:%r]\n\nbody: %s", body, "x", body)
    gunicorn = logging.getLogger("gunicorn.error")
    gunicorn.warning(f"Invalid request from ip=127.0.0.1: {body}")
    gunicorn.error("Error handling request %s", f"/{CONTENT}?{secrets}")


async def _forget_an_error(secrets: list[str]) -> None:
    loop = asyncio.get_running_loop()
    loop.call_exception_handler(
        {"message": "Exception in callback", "exception": ValueError(CONTENT, secrets)}
    )
    loop.call_soon(_crash, secrets)
    await asyncio.sleep(0)


def _crash(secrets: list[str]) -> None:
    kept = SimpleNamespace(secrets=secrets)
    raise RuntimeError(f"crashed with {kept.secrets} {CONTENT}")


if __name__ == "__main__":
    main()
