"""`python -m rondgang` is the `rondgang` command."""

import sys

from rondgang.cli import main

sys.exit(main())
