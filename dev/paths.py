"""Where the launcher keeps what it makes: below the project, and all of it disposable."""

import os
import secrets
import tempfile
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
RUN_SETTINGS = LOCAL / "run.json"
MASTER_KEY = LOCAL / "master.key"
SETUP_LOG = LOCAL / "setup.log"
# Of all runs of this user, whatever their folders: they share the machine's ports.
START_LOCK = Path(tempfile.gettempdir()) / f"everturn-start-{os.getuid()}.lock"
# As root, what a server that runs as another user must reach: it may not get through to ROOT.
SHARED_STATE = Path("/var/lib/everturn")


def shared_data_home() -> Path:
    """The folder for data outside the project; named in `.local`, with which it comes and goes."""
    name = LOCAL / "data.name"
    if not name.exists():
        LOCAL.mkdir(parents=True, exist_ok=True)
        name.write_text(f"data-{secrets.token_hex(6)}\n", encoding="ascii")
    return SHARED_STATE / name.read_text(encoding="ascii").strip()
