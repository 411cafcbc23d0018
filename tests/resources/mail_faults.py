"""`make faults-mail`: forked senders killed at every point of sending; the last line is JSON.

python -m tests.resources.mail_faults --kills 2000 --seed 20261120
"""

import argparse
import json
import sys
import tempfile
from contextlib import closing
from dataclasses import asdict
from pathlib import Path

from rich.console import Console
from rich.progress import Progress

from migrations.chain import upgrade
from resources.database import Database
from tests.resources.mail_kills import campaign
from tests.resources.mail_server import mail_server, make_certificates


def main() -> int:
    """Run one campaign; 1 if a mail was sent twice, lost or shown in a wrong state."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--kills", type=int, default=2_000)
    parser.add_argument("--seed", type=int, default=20_261_120)
    asked = parser.parse_args()
    print(f"seed {asked.seed}, {asked.kills} kills", flush=True)  # noqa: T201 - what the command is for
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        migrated = folder / "migrated.sqlite"
        with closing(Database(f"sqlite:///{migrated}")) as database:
            upgrade(database)
        with mail_server(make_certificates(folder)) as server, Progress(console=Console(stderr=True)) as shown:
            task = shown.add_task("Killing senders", total=asked.kills)
            tally = campaign(
                folder, migrated, server, kills=asked.kills, seed=asked.seed, after_kill=lambda: shown.advance(task)
            )
    print(json.dumps({"seed": asked.seed, **asdict(tally), "clean": tally.is_clean}))  # noqa: T201
    return 0 if tally.is_clean else 1


if __name__ == "__main__":
    sys.exit(main())
