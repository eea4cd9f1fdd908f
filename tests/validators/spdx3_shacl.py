"""Checks that a file is an SPDX 3.0.1 document by the shapes of the model that SPDX publishes.

The context that such documents name lies at a URL. A copy beside this file stands in for it, so that the answer does not
depend on a network.
"""

import json
import sys
from pathlib import Path

import pyshacl
import rdflib

HERE = Path(__file__).resolve().parent
CONTEXT = "https://spdx.org/rdf/3.0.1/spdx-context.jsonld"


def main(path):
    document = json.loads(Path(path).read_bytes())
    if document.get("@context") != CONTEXT:
        print(f"@context is {document.get('@context')!r}, not {CONTEXT!r}", file=sys.stderr)
        return 1
    document["@context"] = json.loads((HERE / "spdx-context.jsonld").read_bytes())["@context"]
    data = rdflib.Graph().parse(data=json.dumps(document), format="json-ld")
    if len(data) == 0:
        print("the document says nothing", file=sys.stderr)
        return 1
    model = rdflib.Graph().parse(HERE / "spdx-model.ttl", format="turtle")
    conforms, _, report = pyshacl.validate(data, shacl_graph=model, ont_graph=model, allow_warnings=True)
    if not conforms:
        print(report, file=sys.stderr)
    return 0 if conforms else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
