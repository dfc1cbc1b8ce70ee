"""Takes targets from a mirror with python-tuf's own client.

Reads one JSON object from stdin: "url" of the repository, "root", a file, "dir", a
folder to work in, "targets", a list of paths. Writes the SHA-256 of each to stdout,
as one JSON object. What fails is an exception, and the exit code 1.
"""
import hashlib
import json
import os
import sys

from tuf.ngclient import Updater, UpdaterConfig

task = json.load(sys.stdin)
metadata, targets = os.path.join(task["dir"], "metadata"), os.path.join(task["dir"], "targets")
os.makedirs(metadata)
os.makedirs(targets)
with open(task["root"], "rb") as f:
    root = f.read()
updater = Updater(
    metadata_dir=metadata,
    metadata_base_url=task["url"],
    target_dir=targets,
    target_base_url=task["url"] + "/targets",
    config=UpdaterConfig(max_delegations=64),
    bootstrap=root,
)
updater.refresh()
got = {}
for path in task["targets"]:
    info = updater.get_targetinfo(path)
    if info is None:
        raise KeyError("not promised: " + path)
    with open(updater.download_target(info), "rb") as f:
        got[path] = hashlib.sha256(f.read()).hexdigest()
json.dump(got, sys.stdout)
