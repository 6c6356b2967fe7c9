"""Makes the package importable where it lies, as an editable installation would."""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))
