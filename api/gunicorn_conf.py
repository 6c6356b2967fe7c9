"""How gunicorn serves the api: threads over short database transactions.

The application is loaded after the fork (no preload), so connections are made in
the process that uses them.  Requests are logged by the application, without content.
"""

from __future__ import annotations

from common.settings import Settings

_settings = Settings.from_env()

bind = f"{_settings.bind_host}:{_settings.api_port}"
worker_class = "api.gunicorn_worker.PacedWorker"
# It would pass by the pace that answers are taken at.
sendfile = False
workers = _settings.api_workers
threads = _settings.api_threads
backlog = 2048
keepalive = 30
timeout = 30
graceful_timeout = 10
max_requests = 0
preload_app = False
accesslog = None
errorlog = "-"
loglevel = "warning"
proc_name = "everturn-api"
# One socket a user would be shared by all installations of that user.
control_socket_disable = True
