//! `distil verify-attestation`.

use std::io::Write as _;
use std::path::Path;

use clap::{Args, ValueEnum};
use distil_pipeline::signing::{PredicateType, VerifiedStatement, VerifyRequest, predicate, verify_attestation};
use distil_pipeline::{Escaped, Platform, Reference};

use super::{Context, verify};
use crate::failure::Failure;
use crate::registries::Registries;
use crate::status::Status;
use crate::verification::Verification;

/// Verify the signed statements about an image: SBOMs, provenance, scans
///
/// Only statements of the type that is asked for count, and only those about the digest that the name stands for now. The exit
/// status is 0 where enough of those who are asked for have signed one, and 1 where they have not.
#[derive(Debug, Args)]
#[command(after_help = "Examples:\n  \
    distil verify-attestation --type spdxjson --key release.pub registry.example.org/team/app:1.0\n  \
    distil verify-attestation --type slsaprovenance1 --key release.pub --print predicate oci:image:v1 > provenance.json")]
pub(crate) struct VerifyAttestation {
    /// The image, as in registry.example.org/team/app:1.0 or oci:DIR:TAG
    #[arg(value_name = "REF", value_parser = super::reference)]
    reference: Reference,
    /// What kind of statement: spdxjson, spdx, cyclonedx, vuln, openvex, slsaprovenance, slsaprovenance02, slsaprovenance1, link,
    /// test-result, vsa, ledger, custom, or a URI
    #[arg(long = "type", value_name = "T")]
    kind: PredicateType,
    /// Write what was verified, in place of who signed it: each on its own line
    #[arg(long, value_enum, value_name = "WHAT", conflicts_with = "json")]
    print: Option<Print>,
    /// Verify statements about the image for this platform, in place of the index of all
    #[arg(long, value_name = "OS/ARCH")]
    platform: Option<Platform>,
    #[command(flatten)]
    verification: Verification,
    #[command(flatten)]
    registries: Registries,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Print {
    /// The whole statement, byte for byte as it was signed
    Statement,
    /// What it says, without subject and type
    Predicate,
}

impl VerifyAttestation {
    pub(crate) fn run(self, context: &Context<'_>) -> Result<Status, Failure> {
        let wanted = self.verification.options().requirements(Path::new(""))?;
        let machine = self.registries.machine(&context.global, context.environment)?;
        let request = VerifyRequest {
            reference: &self.reference,
            platform: self.platform.as_ref(),
            wanted: &wanted,
            machine: &machine,
        };
        let report = super::reading(context, |progress| verify_attestation(&request, &self.kind, progress))?;
        let reference = self.reference.to_string();
        let Some(print) = self.print else {
            let said = |statement: &VerifiedStatement| vec![statement.predicate_type().to_owned()];
            return verify::conclude(&report, &reference, context, |report| {
                verify::text(report, report.verified(), said)
            });
        };
        let status = verify::conclude(&report, &reference, context, |_| String::new())?;
        for statement in report.verified() {
            let bytes = match print {
                Print::Statement => statement.payload(),
                Print::Predicate => predicate(statement).unwrap_or("null").as_bytes(),
            };
            write(bytes, context)?;
        }
        Ok(status)
    }
}

/// Writes what was signed as it is; to a terminal with everything escaped that could steer it.
fn write(bytes: &[u8], context: &Context<'_>) -> Result<(), Failure> {
    if context.environment.stdout_is_terminal {
        let lines = bytes.split(|byte| *byte == b'\n').map(|line| Escaped(line).to_string());
        return context.printer.result(&(lines.collect::<Vec<_>>().join("\n") + "\n"));
    }
    let mut out = context.printer.stream();
    out.write_all(bytes).and_then(|()| out.write_all(b"\n")).map_err(Failure::Stdout)
}
