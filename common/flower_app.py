"""What Celery Flower looks through: the broker, reached as every process reaches it.

Flower's command line wants an application at module level; this one has no tasks.
"""

from celery import Celery

from common import logs
from common.settings import Settings
from common.turn_queue import celery_config

_SOCKET_TIMEOUT_SECONDS = 5.0

_settings = Settings.from_env()
logs.configure(_settings, process="flower")

app = Celery("everturn-flower")
app.conf.update(celery_config(_settings, socket_timeout_seconds=_SOCKET_TIMEOUT_SECONDS))
