//! Project tasks: `cargo xtask` fetches what the tests and the example need, and runs them.
//!
//! Everything fetched lies under `target/` and is checked by apt's own signatures and digests; nothing here is part of
//! the product.
#![expect(clippy::print_stderr, reason = "a task runner talks to whoever runs it")]
#![expect(clippy::disallowed_methods, reason = "a task runner reads its environment and the clock itself")]

mod apt;
mod bench;
mod debs;
mod error;
mod example;
mod licences;
mod locked;
mod peers;
mod process;
mod sample;
mod scanners;
mod suite;
mod validators;

use std::env;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use error::{Error, Result};

const HELP: &str = "\
Usage: cargo xtask TASK

  debs SET [--into DIR]          download a package set: python, jre, large, or sample (200 packages, fixed seed)
  debs --list FILE [--into DIR]  download the packages that FILE names, one a line
  example NAME                   build the image of examples/NAME (static, base, cc, python or java) to
                                 oci:target/NAME:latest, from packages of this machine's apt sources
  bench [SET...] [--quick]       time whole builds beside other tools, and write benches/RESULTS.md; of some sets,
                                 of `resolve` or `registry`, or with each command once, print the figures instead
  licences                       find the licences of 1,000 packages beside Syft, and write benches/LICENCES.md
  peers                          fetch the programs that the tests compare with
  scanners [--quick]             build grype and osv-scanner with Go, compare what they and `distil scan` find in the
                                 image of the large set, and time them; --quick leaves the time out
  test [--offline] [CARGO ARGS]  fetch what the tests need, then run every test; --offline fetches nothing
";

fn main() -> ExitCode {
    let arguments: Vec<String> = env::args().skip(1).collect();
    match run(&arguments) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("xtask: {error}");
            let mut cause = std::error::Error::source(&error);
            while let Some(error) = cause {
                eprintln!("  because: {error}");
                cause = error.source();
            }
            ExitCode::FAILURE
        }
    }
}

fn run(arguments: &[String]) -> Result<()> {
    let root = root();
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    match arguments.as_slice() {
        ["debs", rest @ ..] => debs::task(&root, rest),
        ["example", name] => example::task(&root, name),
        ["bench", rest @ ..] => bench::task(&root, rest),
        ["licences"] => licences::task(&root),
        ["peers"] => peers::fetch(&root),
        ["scanners", rest @ ..] => scanners::task(&root, rest),
        ["test", rest @ ..] => suite::task(&root, rest),
        [] | ["help" | "--help" | "-h"] => {
            eprint!("{HELP}");
            Ok(())
        }
        _ => Err(Error::Usage(arguments.join(" "))),
    }
}

/// The root of the workspace: where this package's folder lies.
fn root() -> PathBuf {
    let manifest = Path::new(env!("CARGO_MANIFEST_DIR"));
    manifest.parent().unwrap_or(manifest).to_path_buf()
}
