"""Checks that a file is an in-toto statement, version 1, as the library of its authors reads it; and where its predicate is
provenance, that it has the fields of SLSA Provenance, version 1, and no others.
"""

import json
import sys
from pathlib import Path

from google.protobuf import json_format
from in_toto_attestation.predicates.provenance.v1 import provenance_pb2
from in_toto_attestation.v1 import statement, statement_pb2
from in_toto_attestation.v1.resource_descriptor import ResourceDescriptor

PROVENANCE = "https://slsa.dev/provenance/v1"
# Documents nest deeper than the library reads by itself.
DEPTH = 500


def provenance(predicate):
    parsed = json_format.ParseDict(predicate, provenance_pb2.Provenance(), max_recursion_depth=DEPTH)
    definition, details = parsed.build_definition, parsed.run_details
    for what, value in [
        ("buildType", definition.build_type),
        ("externalParameters", len(definition.external_parameters)),
        ("builder.id", details.builder.id),
    ]:
        if not value:
            raise ValueError(f"no {what}")
    for named in [*definition.resolved_dependencies, *details.builder.builder_dependencies, *details.byproducts]:
        ResourceDescriptor.copy_from_pb(named).validate()


def main(path):
    try:
        document = json.loads(Path(path).read_bytes())
        parsed = json_format.ParseDict(document, statement_pb2.Statement(), max_recursion_depth=DEPTH)
        statement.Statement.copy_from_pb(parsed).validate()
        if parsed.predicate_type == PROVENANCE:
            provenance(document["predicate"])
    except (ValueError, json_format.ParseError) as error:
        print(error, file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
