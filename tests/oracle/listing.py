"""Lists the tar archive on standard input as JSON, as Python's tarfile reads it."""

import hashlib
import json
import sys
import tarfile

KINDS = {
    tarfile.REGTYPE: "f",
    tarfile.AREGTYPE: "f",
    tarfile.LNKTYPE: "h",
    tarfile.SYMTYPE: "l",
    tarfile.CHRTYPE: "c",
    tarfile.BLKTYPE: "b",
    tarfile.DIRTYPE: "d",
    tarfile.FIFOTYPE: "p",
}


def shown(name):
    """The bytes of a name, each as the character of the same number: JSON has no bytes."""
    return name.encode("utf-8", "surrogateescape").decode("latin-1")


def path(name):
    return "/".join(part for part in shown(name).split("/") if part not in ("", "."))


def content(archive, entry):
    if entry.isreg():
        digest = hashlib.sha256()
        stream = archive.extractfile(entry)
        while block := stream.read(1 << 20):
            digest.update(block)
        return digest.hexdigest()
    if entry.islnk():
        return path(entry.linkname)
    return shown(entry.linkname)


def xattrs(entry):
    prefix = "SCHILY.xattr."
    named = {key: value for key, value in entry.pax_headers.items() if key.startswith(prefix)}
    return {key[len(prefix) :]: value.encode("utf-8", "surrogateescape").hex() for key, value in named.items()}


entries = []
with tarfile.open(fileobj=sys.stdin.buffer, mode="r|", encoding="utf-8", errors="surrogateescape") as archive:
    for entry in archive:
        entries.append(
            {
                "path": path(entry.name),
                "kind": KINDS.get(entry.type, "?"),
                "mode": entry.mode,
                "uid": entry.uid,
                "gid": entry.gid,
                "mtime": int(entry.mtime),
                "content": content(archive, entry),
                "xattrs": xattrs(entry),
            }
        )
json.dump(entries, sys.stdout)
