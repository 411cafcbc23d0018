"""The `runway` command.

Products of matrices are calculated in one thread: with another number of threads, and so on another machine, their last bits
differ, and tenants already run side by side. OpenBLAS reads the number once, when numpy is loaded.
"""

import os

os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
