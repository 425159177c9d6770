"""Imported by the server that fresh processes are forked from: it ends with the process that started it.

Else one that a network has stopped (SIGSTOP) would keep its server alive for ever, and both would outlive the run.
"""

from __future__ import annotations

import os
import sys

from fbench.core.processes import end_with

if any("multiprocessing.forkserver" in part for part in sys.orig_argv):
    end_with(os.getppid())
