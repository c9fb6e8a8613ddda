# SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
"""The table of the tracing tests, all of it: cases_*.py by topic, table.py says what a row is."""
import cases_actions  # noqa: F401
import cases_hooks  # noqa: F401
import cases_network  # noqa: F401
import cases_processes  # noqa: F401
import cases_values  # noqa: F401
from table import CASES, FILES  # noqa: F401
