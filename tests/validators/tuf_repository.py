"""Makes a TUF repository, a step at a time: tuf-repository DIR STEP...

publish=FILE    FILE becomes the target trusted_root.json
rotate          the root gets another key, vouched for by the old one
usurp           the root gets another key, which vouches for itself alone
lapse           the timestamp is one that has expired
swap=FILE       FILE lies where the target was, and the metadata knows nothing of it
save=NAME       what there is so far is kept as DIR/NAME, as a server would show it
"""

import hashlib
import shutil
import sys
from datetime import datetime, timedelta, timezone
from pathlib import Path

from securesystemslib.signer import CryptoSigner
from tuf.api.metadata import Metadata, MetaFile, Root, Snapshot, TargetFile, Targets, Timestamp

TARGET = "trusted_root.json"


class Maker:
    def __init__(self, folder):
        self.folder = folder
        self.live = folder / "live"
        (self.live / "targets").mkdir(parents=True)
        later = datetime.now(timezone.utc).replace(microsecond=0) + timedelta(days=7)
        self.signers = {
            "root": CryptoSigner.generate_ecdsa(),
            "targets": CryptoSigner.generate_ed25519(),
            "snapshot": CryptoSigner.generate_ecdsa(),
            "timestamp": CryptoSigner.generate_rsa(),
        }
        self.root = Root(expires=later, consistent_snapshot=True)
        for role, signer in self.signers.items():
            self.root.add_key(signer.public_key, role)
        self.targets = Targets(expires=later)
        self.snapshot = Snapshot(expires=later)
        self.timestamp = Timestamp(expires=later)
        self.targets.version = self.snapshot.version = self.timestamp.version = 0
        self.write(f"{self.root.version}.root.json", self.root, [self.signers["root"]])

    def write(self, name, signed, signers):
        metadata = Metadata(signed)
        for signer in signers:
            metadata.sign(signer, append=True)
        metadata.to_file(str(self.live / name))

    def stamp(self):
        self.timestamp.version += 1
        self.timestamp.snapshot_meta = MetaFile(version=self.snapshot.version)
        self.write("timestamp.json", self.timestamp, [self.signers["timestamp"]])

    def publish(self, file):
        data = Path(file).read_bytes()
        self.targets.targets[TARGET] = TargetFile.from_data(TARGET, data)
        digest = hashlib.sha256(data).hexdigest()
        self.lies = self.live / "targets" / f"{digest}.{TARGET}"
        self.lies.write_bytes(data)
        self.targets.version += 1
        self.write(f"{self.targets.version}.targets.json", self.targets, [self.signers["targets"]])
        self.snapshot.version += 1
        self.snapshot.meta["targets.json"] = MetaFile(version=self.targets.version)
        self.write(f"{self.snapshot.version}.snapshot.json", self.snapshot, [self.signers["snapshot"]])
        self.stamp()

    def new_root(self, vouching):
        old, new = self.signers["root"], CryptoSigner.generate_ecdsa()
        self.root.revoke_key(old.public_key.keyid, "root")
        self.root.add_key(new.public_key, "root")
        self.signers["root"] = new
        self.root.version += 1
        self.write(f"{self.root.version}.root.json", self.root, [old, new] if vouching else [new])

    def step(self, name, value):
        if name == "publish":
            self.publish(value)
        elif name == "rotate":
            self.new_root(True)
        elif name == "usurp":
            self.new_root(False)
        elif name == "lapse":
            self.timestamp.expires = datetime.now(timezone.utc).replace(microsecond=0) - timedelta(days=1)
            self.stamp()
        elif name == "swap":
            self.lies.write_bytes(Path(value).read_bytes())
        elif name == "save":
            shutil.copytree(self.live, self.folder / value)
        else:
            sys.exit(f"no such step: {name}")


maker = Maker(Path(sys.argv[1]))
for argument in sys.argv[2:]:
    maker.step(*argument.partition("=")[::2])
