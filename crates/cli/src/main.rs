//! The command line of distil: arguments in, one call of the library, text or JSON out, an exit status.
//!
//! Everything that belongs to the machine and not to the work is read here and handed down: flags, environment, clock,
//! terminal, signals. Advice to the user is written here, too; the library says only what happened.

mod arguments;
mod commands;
mod environment;
mod failure;
mod judging;
mod keychain;
mod overwritten;
mod passwords;
mod policy_file;
mod printer;
mod progress;
mod registries;
mod repositories;
mod signals;
mod signatory;
mod signature_form;
mod signing_key;
mod size;
mod snippet;
mod status;
mod table;
mod verification;
mod written;

use std::ffi::OsString;
use std::panic::{self, AssertUnwindSafe};
use std::process::ExitCode;

use clap::{CommandFactory as _, FromArgMatches as _};

use arguments::Arguments;
use commands::Context;
use environment::Environment;
use printer::Printer;
use status::Status;

fn main() -> ExitCode {
    let environment = Environment::read();
    guarded(|| run(std::env::args_os(), &environment)).into()
}

/// Does the work. A panic is a bug, and must not look like an answer; the standard hook has said by then where it was.
fn guarded(work: impl FnOnce() -> Status) -> Status {
    panic::catch_unwind(AssertUnwindSafe(work)).unwrap_or_else(|_| {
        Printer::plain().error("this is a bug in distil: please report the lines above");
        Status::Failed
    })
}

fn run(arguments: impl IntoIterator<Item = OsString>, environment: &Environment) -> Status {
    let parsed = Arguments::command().try_get_matches_from(arguments);
    let arguments = match parsed.and_then(|mut matches| Arguments::from_arg_matches_mut(&mut matches)) {
        Ok(arguments) => arguments,
        Err(error) => return Printer::of(environment).command_line(&error),
    };
    let printer = Printer::new(&arguments.global, environment);
    let context = Context { global: arguments.global, environment, printer };
    match arguments.command.run(&context) {
        Ok(status) => status,
        Err(failure) => {
            context.printer.failure(&failure);
            failure.status()
        }
    }
}

#[cfg(test)]
mod tests;
