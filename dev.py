#!/usr/bin/env python3
"""Set up and run everturn on this machine: `python3 dev.py run`, `python3 dev.py test`.

Everything else is in the package `dev`.  This file exists to be typed, and to
be readable by any Python 3, so that one which is too old gets a sentence and
not a traceback.
"""

import sys

if sys.version_info < (3, 11):  # noqa: UP036  (the very reason for this file)
    sys.exit(
        "everturn needs Python 3.11 or newer; %s is %d.%d.  Try: python3.11 dev.py"  # noqa: UP031
        % (sys.executable, sys.version_info[0], sys.version_info[1])
    )

from dev.bootstrap import main

if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
