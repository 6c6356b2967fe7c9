"""Where the launcher keeps what it makes: below the project, and all of it disposable."""

import hashlib
import os
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
VENV = ROOT / ".venv"
# Another folder makes a second, independent run of the same checkout (with another PORT).
LOCAL = Path(os.environ.get("EVERTURN_LOCAL") or ROOT / ".local").resolve()
PROCFILE = ROOT / "Procfile"
DOTENV = ROOT / ".env"
LOCK_FILE = ROOT / "requirements-dev.lock"
PYPROJECT = ROOT / "pyproject.toml"
RUN_LOG = LOCAL / "run.log"
RUN_LOCK = LOCAL / "run.lock"
MASTER_KEY = LOCAL / "master.key"
SETUP_LOG = LOCAL / "setup.log"
# As root, what a server that runs as another user must reach: it may not get through to ROOT.
SHARED_STATE = Path("/var/lib/everturn")


def shared_data_home() -> Path:
    """The folder for data outside the project; named after the one it stands in for."""
    return SHARED_STATE / f"data-{hashlib.sha256(str(LOCAL).encode()).hexdigest()[:12]}"
