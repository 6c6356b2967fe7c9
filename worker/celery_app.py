"""The Celery application that the command line loads.

The one module-level instance in the repository: Celery's command line wants it so.
"""

from common.settings import Settings
from worker.tasks import make_app

app = make_app(Settings.from_env())
