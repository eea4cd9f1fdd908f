"""Checks that a file is a CycloneDX 1.6 document by the strict schema: no property that the schema does not name."""

import sys

from cyclonedx.schema import SchemaVersion
from cyclonedx.validation.json import JsonStrictValidator

# More tell nobody more, and a document can be wrong in every one of its components.
MOST = 20


def main(path):
    with open(path, encoding="utf-8") as file:
        document = file.read()
    errors = JsonStrictValidator(SchemaVersion.V1_6).validate_str(document, all_errors=True)
    found = list(errors or [])
    for error in found[:MOST]:
        where = "/".join(str(part) for part in error.data.absolute_path)
        print(f"/{where}: {error.data.message[:500]}", file=sys.stderr)
    if len(found) > MOST:
        print(f"and {len(found) - MOST} more", file=sys.stderr)
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
