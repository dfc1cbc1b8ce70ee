#!/usr/bin/env python3
"""Publishes releases for assay with python-tuf's Metadata API.

An example, run by a test, and small enough to be copied and changed; docs/publishing.md
explains it. It needs tuf 7 and securesystemslib[crypto].

    publish.py init REPO KEYS ROLE...          a new repository, with these roles delegated
    publish.py add REPO KEYS FILES [ROLE...]   promise what lies below FILES, all or those roles' part
    publish.py online REPO KEYS                snapshot and timestamp: what was added is seen from now on
    publish.py rotate REPO KEYS ROLE           other keys for a role, and its metadata signed anew

REPO is what a web server serves: metadata/ and targets/. KEYS holds private keys,
ROLE.N.pem, and need hold only those of the roles that a step signs.
"""

import copy
import hashlib
import os
import sys
from datetime import datetime, timedelta, timezone
from pathlib import Path

from cryptography.hazmat.primitives.serialization import load_pem_private_key
from securesystemslib.signer import CryptoSigner
from tuf.api.metadata import (
    TOP_LEVEL_ROLE_NAMES,
    DelegatedRole,
    Delegations,
    Metadata,
    MetaFile,
    Root,
    Snapshot,
    TargetFile,
    Targets,
    Timestamp,
)
from tuf.api.serialization.json import JSONSerializer

# For how many days each role's signature counts. A mirror can hold the past back for as
# long as the timestamp counts, and a role that needs a person outlives a holiday.
EXPIRY = {"root": 365, "targets": 365, "snapshot": 7, "timestamp": 1}
EXPIRY_OF_DELEGATED = 90

# How many keys a role has, and how many of them have to sign.
QUORUM = {"root": (3, 2)}


class Refused(Exception):
    """What was expected, and what was found."""


class Repository:
    def __init__(self, repo: str, keys: str):
        self.dir, self.keys = Path(repo), Path(keys)
        self.now = datetime.now(timezone.utc).replace(microsecond=0)

    # doc: delegate
    @staticmethod
    def delegation(role: str) -> DelegatedRole:
        """The paths that are the role's own and no others: a channel's role has its
        indexes, a product's role the files of its releases."""
        pattern = f"{role}/*/*"  # hello/1.0.0/release.json
        if role.startswith("channel-"):
            pattern = f"{role}/*"  # channel-stable/hello.json
        return DelegatedRole(role, [], QUORUM.get(role, (1, 1))[1], terminating=True, paths=[pattern])

    # doc: end

    def init(self, roles: list[str]) -> None:
        """Makes keys, a root, the top-level targets with its delegations, and the empty
        roles. Nothing is there yet for clients: that is for add and online."""
        if list(self.dir.glob("metadata/*.root.json")):
            raise Refused(f"{self.dir}: expected no repository")
        root = Metadata(Root(consistent_snapshot=True))
        for role in TOP_LEVEL_ROLE_NAMES:
            root.signed.roles[role].threshold = QUORUM.get(role, (1, 1))[1]
            self.replace_keys(root.signed, role)
        targets = Metadata(Targets(delegations=Delegations({}, {})))
        for role in roles:
            targets.signed.delegations.roles[role] = self.delegation(role)
            self.replace_keys(targets.signed, role)
        self.sign_root(root, root)
        self.sign_role(root, "targets", targets)
        for role in roles:
            self.sign_role(targets, role, Metadata(Targets()))
        digest = hashlib.sha256(self.file("root", 1).read_bytes()).hexdigest()
        print(f"root 1, sha256 {digest}: tell it to your users by another way than the web server")

    def add(self, files: str, only: list[str]) -> None:
        """Promises the files below a folder, each by the role that its path belongs to,
        and signs the roles that changed. Clients see none of it before online has run, so
        a crash here leaves the repository as it was for them; running add again
        completes it."""
        root, targets = self.load("root"), self.load("targets")
        found = by_role(Path(files))
        for role in only or found:
            if role not in found:
                raise Refused(f"{files}: expected files of role {role!r}, found none")
            if role == "targets":
                self.promise(targets.signed, Path(files), found[role])
                self.sign_role(root, "targets", targets)
                continue
            edge = (targets.signed.delegations.roles or {}).get(role)
            if edge is None:
                raise Refused(f"role {role!r}: targets does not delegate to it")
            for path in found[role]:
                if not edge.is_delegated_path(path):
                    raise Refused(f"{path}: expected a path that role {role!r} may sign, {edge.paths}")
            content = self.load(role)
            self.promise(content.signed, Path(files), found[role])
            self.sign_role(targets, role, content)

    def promise(self, role: Targets, files: Path, paths: list[str]) -> None:
        """Lists files in a role, and lays them where clients ask for them: with
        consistent snapshots a file's digest stands before its name. Release files never
        change: assay refuses a release whose bytes did (17), so it is refused here before."""
        for path in paths:
            data = (files / path).read_bytes()
            entry = TargetFile.from_data(path, data, ["sha256"])
            digest = entry.hashes["sha256"]
            held = role.targets.get(path)
            if held and path.count("/") == 2 and held.hashes["sha256"] != digest:
                raise Refused(
                    f"{path}: expected the bytes that were published, sha256 {held.hashes['sha256']}, "
                    f"found {digest}: publish a new version"
                )
            role.targets[path] = entry
            folder, _, name = path.rpartition("/")
            write(self.dir / "targets" / folder / f"{digest}.{name}", data)

    # doc: online
    def online(self) -> None:
        """Signs a snapshot of the newest metadata of every role, and a timestamp for it.
        The timestamp is written last, and it alone replaces a file: until then clients
        see the repository as it was, and afterwards all of the new one."""
        root, targets = self.load("root"), self.load("targets")
        root.verify_delegate("targets", targets)
        version = self.newest("snapshot") + 1
        snapshot = Metadata(Snapshot(version=version, expires=self.until("snapshot")))
        snapshot.signed.meta["targets.json"] = MetaFile(targets.signed.version)
        for role in targets.signed.delegations.roles or {}:
            content = self.load(role)
            targets.verify_delegate(role, content)
            snapshot.signed.meta[f"{role}.json"] = MetaFile(content.signed.version)
        timestamp = Metadata(
            Timestamp(version=version, expires=self.until("timestamp"), snapshot_meta=MetaFile(version))
        )
        for role, metadata in (("snapshot", snapshot), ("timestamp", timestamp)):
            self.sign(metadata, role, root.signed.roles[role].keyids)
            root.verify_delegate(role, metadata)
        self.store("snapshot", snapshot)
        self.store("timestamp", timestamp)

    # doc: end

    def rotate(self, role: str) -> None:
        """Gives a role other keys, and has its metadata signed by them. Whoever took the
        old keys can sign nothing any more once online has run; destroy them then."""
        root, targets = self.load("root"), self.load("targets")
        if role not in TOP_LEVEL_ROLE_NAMES:
            content = self.load(role)
            self.replace_keys(targets.signed, role)
            self.sign_role(root, "targets", targets)
            self.sign_role(targets, role, content)
            return
        before = copy.deepcopy(root)
        self.replace_keys(root.signed, role)
        self.sign_root(before, root)
        if role == "targets":
            self.sign_role(root, "targets", targets)
        # snapshot and timestamp are signed by the next online

    def sign_root(self, before: Metadata, root: Metadata) -> None:
        """Signs a new root by the keys of the root before it and by its own: that is how
        clients follow a change of root keys."""
        root.signed.version = self.newest("root") + 1
        root.signed.expires = self.until("root")
        self.sign(root, "root", before.signed.roles["root"].keyids + root.signed.roles["root"].keyids)
        before.verify_delegate("root", root)
        root.verify_delegate("root", root)
        self.store("root", root)

    def sign_role(self, delegator: Metadata, role: str, content: Metadata) -> None:
        content.signed.version = self.newest(role) + 1
        content.signed.expires = self.until(role)
        self.sign(content, role, delegator.signed.get_delegated_role(role).keyids)
        delegator.verify_delegate(role, content)
        self.store(role, content)

    def replace_keys(self, delegator: Root | Targets, role: str) -> None:
        """Gives a role new keys, in place of those that it has."""
        held = list(delegator.get_delegated_role(role).keyids)
        self.keys.mkdir(mode=0o700, parents=True, exist_ok=True)
        number, count = 1, QUORUM.get(role, (1, 1))[0]
        while count:
            signer = CryptoSigner.generate_ed25519()
            try:
                file = os.open(self.keys / f"{role}.{number}.pem", os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
            except FileExistsError:
                number += 1  # that key is never overwritten
                continue
            with os.fdopen(file, "wb") as f:
                f.write(signer.private_bytes)
            delegator.add_key(signer.public_key, role)
            count -= 1
        for keyid in held:
            delegator.revoke_key(keyid, role)

    def sign(self, metadata: Metadata, role: str, keyids: list[str]) -> None:
        """Signs by those keys in the folder that the role's delegation names; who calls
        it verifies the threshold. In earnest the key lies in a token or a key service:
        then its securesystemslib.signer.Signer stands here."""
        metadata.signatures.clear()
        for name in sorted(self.keys.glob(f"{role}.*.pem")):
            signer = CryptoSigner(load_pem_private_key(name.read_bytes(), None))
            if signer.public_key.keyid in keyids:
                metadata.sign(signer, append=True)
        if not metadata.signatures:
            raise Refused(f"{self.keys}: expected a key of role {role!r} that its delegation lists, found none")

    def until(self, role: str) -> datetime:
        return self.now + timedelta(days=EXPIRY.get(role, EXPIRY_OF_DELEGATED))

    def file(self, role: str, version: int) -> Path:
        """Where a version of a role's metadata lies; the timestamp has no versions."""
        return self.dir / "metadata" / ("timestamp.json" if role == "timestamp" else f"{version}.{role}.json")

    def newest(self, role: str) -> int:
        """The highest version of a role that was signed, 0 if there is none."""
        versions = (name.name.partition(".")[0] for name in self.dir.glob(f"metadata/*.{role}.json"))
        return max((int(v) for v in versions if v.isdigit() and self.file(role, int(v)).exists()), default=0)

    def load(self, role: str) -> Metadata:
        version = self.newest(role)
        if not version:
            raise Refused(f"{self.dir}: expected metadata of role {role!r}, found none")
        return Metadata.from_bytes(self.file(role, version).read_bytes())

    def store(self, role: str, metadata: Metadata) -> None:
        write(self.file(role, metadata.signed.version), metadata.to_bytes(JSONSerializer()))


def by_role(files: Path) -> dict[str, list[str]]:
    """The paths below a folder by the role that signs them: the one that is named like
    their first segment, and the top-level one for those that have only one."""
    found: dict[str, list[str]] = {}
    for file in sorted(files.rglob("*")):
        if file.is_file():
            path = file.relative_to(files)
            role = path.parts[0] if len(path.parts) > 1 else "targets"
            found.setdefault(role, []).append(path.as_posix())
    return found


def write(name: Path, data: bytes) -> None:
    """Has a file appear whole. Crash here: a file that ends in .new, which nobody asks for."""
    name.parent.mkdir(parents=True, exist_ok=True)
    new = name.with_name(name.name + ".new")
    with open(new, "wb") as file:
        file.write(data)
        file.flush()
        os.fsync(file.fileno())
    new.replace(name)


def main(args: list[str]) -> None:
    match args:
        case ["init", repo, keys, *roles] if roles:
            Repository(repo, keys).init(roles)
        case ["add", repo, keys, files, *only]:
            Repository(repo, keys).add(files, only)
        case ["online", repo, keys]:
            Repository(repo, keys).online()
        case ["rotate", repo, keys, role]:
            Repository(repo, keys).rotate(role)
        case _:
            raise Refused("usage: publish.py init|add|online|rotate REPO KEYS ..., as its first lines tell")


if __name__ == "__main__":
    try:
        main(sys.argv[1:])
    except (Refused, OSError) as refused:
        sys.exit(f"publish: {refused}")
