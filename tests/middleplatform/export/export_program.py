"""Exports as a program of its own: takes up what is in the folder and ends when all is done, or hangs after so many
questions, to be killed before that.

python -m tests.middleplatform.export.export_program FOLDER ENDPOINT_FILE PAGE [QUESTIONS]
"""

import itertools
import json
import sys
import time
from pathlib import Path

from middleplatform.export import Exports
from middleplatform.export import run as running
from middleplatform.store.client import StoreClient

if __name__ == "__main__":
    folder, endpoint, page = Path(sys.argv[1]), json.loads(Path(sys.argv[2]).read_text()), int(sys.argv[3])
    running.PAGE = page
    allowed = iter(range(int(sys.argv[4]))) if len(sys.argv) > 4 else itertools.count()
    client = StoreClient(endpoint)

    def ask(question):
        if next(allowed, None) is None:
            time.sleep(3600)
        return question(client)

    exports = Exports(folder, ask)
    while any(job.active for job in exports.of(None)):
        time.sleep(0.02)
    exports.close()
