//! `distil check`.

use std::path::PathBuf;

use clap::{Args, ValueEnum};
use distil_pipeline::check::{Checked, LedgerUse, Timestamp, judge, moment, openvex, read_facts, summary, write_facts};
use distil_pipeline::policy::{Outcome, output};
use distil_pipeline::{Escaped, Platform, Reference, whole_file};

use super::Context;
use crate::failure::Failure;
use crate::judging::{Image, Judging};
use crate::overwritten;
use crate::policy_file::PolicyFile;
use crate::printer::Format;
use crate::registries::Registries;
use crate::status::Status;

/// Judge an image by a policy
///
/// Known vulnerabilities with the time that is left to resolve them, hardening, signatures, support, licences: every violation
/// comes with its rule, what was seen and what to do. The exit status is 0 where nothing is against the image, 1 where something
/// is, and 3 where data is missing or stale so that nobody can tell. What the verdict is made from can be kept with
/// --save-facts, and judged again with --facts, by another policy or for another day, without the image.
#[derive(Debug, Args)]
#[command(after_help = "Examples:\n  \
    distil check oci:image:v1 --policy distil-policy.toml --ledger distil-ledger.jsonl\n  \
    distil check registry.example.org/team/app:1.4 --policy distil-policy.toml --report trivy.json --format sarif\n  \
    distil check registry.example.org/team/app:1.4 --policy distil-policy.toml --ledger-from registry.example.org/team/app:1.3\n  \
    distil check --facts facts.json --policy distil-policy.toml --now 2027-01-31")]
pub(crate) struct Check {
    /// The image, as in registry.example.org/team/app:1.0 or oci:DIR:TAG
    #[arg(value_name = "REF", value_parser = super::reference, required_unless_present = "facts")]
    reference: Option<Reference>,
    /// The policy
    #[arg(long, value_name = "FILE")]
    policy: PathBuf,
    /// The form of the verdict; --json is the same as json
    #[arg(long, short, value_enum, default_value_t = Form::Table, value_name = "F")]
    format: Form,
    /// Write the verdict to a file, also in another form; may be repeated
    #[arg(long = "output", short, value_name = "[F=]FILE", value_parser = target)]
    outputs: Vec<Target>,
    /// Judge for this moment: a date, of which it is the start in UTC, or a time as in RFC 3339; the default is now
    #[arg(long, value_name = "TIME", value_parser = moment)]
    now: Option<Timestamp>,
    /// Judge it as an image that is made now, whatever date it bears
    #[arg(long)]
    new: bool,
    /// Judge the image for this platform alone
    #[arg(long, value_name = "OS/ARCH")]
    platform: Option<Platform>,
    /// Judge facts that were kept, in place of an image
    #[arg(
        long, value_name = "FILE",
        conflicts_with_all = ["reference", "platform", "database", "reports", "vex", "ignores", "ledger", "ledger_from", "record"]
    )]
    facts: Option<PathBuf>,
    /// Who says so, in a VEX document that is made
    #[arg(long, value_name = "NAME", default_value = "distil")]
    author: String,
    /// Keep here all that the verdict is made from
    #[arg(long, value_name = "FILE")]
    save_facts: Option<PathBuf>,
    #[command(flatten)]
    judging: Judging,
    /// Compare the image's tag with this log of `distil promote`, where the policy says that the tag must not move
    #[arg(long, value_name = "FILE", help_heading = "Evidence")]
    record: Option<PathBuf>,
    #[command(flatten)]
    registries: Registries,
}

/// A form of a verdict.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Form {
    /// For people
    Table,
    /// Everything, as `distil schema check` says
    Json,
    /// For code hosts
    Sarif,
    /// For CI systems
    Junit,
    /// For summaries of jobs
    Markdown,
    /// OpenVEX: what is known of the image's vulnerabilities, and what is let pass of them
    #[value(name = "openvex")]
    OpenVex,
    /// A verification summary of SLSA, to be attested with the type vsa
    Vsa,
}

/// What a table is to look like. By default it is for a file: without colours, and as wide as it comes.
#[derive(Debug, Clone, Copy, Default)]
struct Look {
    colors: bool,
    /// Characters of a line; 0 for no limit.
    width: usize,
}

/// Where a verdict is written, and how where that is said.
#[derive(Debug, Clone)]
struct Target {
    form: Option<Form>,
    path: PathBuf,
}

/// Reads `FORM=FILE` or `FILE`. A word before an equals sign is a form; a file that is called so is named with its folder.
fn target(text: &str) -> Result<Target, String> {
    let (form, path) = match text.split_once('=') {
        Some((word, path)) if word.bytes().all(|b| b.is_ascii_alphanumeric()) => (Some(form(word, text)?), path),
        _ => (None, text),
    };
    if path.is_empty() {
        return Err("names no file".to_owned());
    }
    Ok(Target { form, path: PathBuf::from(path) })
}

fn form(word: &str, text: &str) -> Result<Form, String> {
    Form::from_str(word, false).map_err(|_| {
        let values = Form::value_variants().iter().filter_map(Form::to_possible_value);
        let names: Vec<String> = values.map(|value| value.get_name().to_owned()).collect();
        format!("there is no form \"{word}\", but {}; a file of that name is ./{text}", names.join(", "))
    })
}

impl Check {
    pub(crate) fn run(mut self, context: &Context<'_>) -> Result<Status, Failure> {
        let file = PolicyFile::read(&self.policy)?;
        let read = self.judging.files(&file);
        let own = [Some(&self.policy), self.facts.as_ref(), self.record.as_ref()];
        overwritten::refuse(
            self.outputs.iter().map(|target| target.path.as_path()).chain(self.save_facts.as_deref()),
            read.iter().chain(own.into_iter().flatten()).map(PathBuf::as_path),
        )?;
        let registries = std::mem::take(&mut self.registries);
        let checked = self.checked(&file, registries, context)?;
        if let Some(path) = &self.save_facts {
            write_facts(path, &checked.facts)?;
        }
        for target in &self.outputs {
            let text = self.written(&checked, target.form.unwrap_or(self.format), Look::default());
            whole_file::deliver(&target.path, text.as_bytes())
                .map_err(|source| Failure::Write { path: target.path.clone(), source })?;
        }
        let printer = &context.printer;
        checked.facts.notes.iter().for_each(|note| printer.warning(Escaped(note.as_bytes())));
        let form = if printer.format() == Format::Json { Form::Json } else { self.format };
        let width = context.environment.columns.map_or(0, usize::from);
        let look = Look { colors: printer.takes_colors(), width };
        printer.result(&self.written(&checked, form, look))?;
        Ok(status(checked.verdict.verdict))
    }

    fn checked(&self, file: &PolicyFile, registries: Registries, context: &Context<'_>) -> Result<Checked, Failure> {
        if let Some(path) = &self.facts {
            let mut facts = read_facts(path)?;
            facts.now = self.now.unwrap_or(facts.now);
            facts.is_new |= self.new;
            // They hold the ledger that they were judged with, as it was then.
            return Ok(judge(facts, &file.policy, LedgerUse::OfFacts)?);
        }
        let Some(reference) = &self.reference else { return Err(Failure::NoImage) };
        let machine = registries.machine(&context.global, context.environment)?;
        let image = Image {
            reference,
            platform: self.platform.as_ref(),
            now: self.now,
            is_new: self.new,
            record: self.record.as_deref(),
        };
        super::reading(context, |progress| self.judging.judge(&image, file, &machine, context, progress))
    }

    /// The verdict in a form.
    fn written(&self, checked: &Checked, form: Form, look: Look) -> String {
        let verdict = &checked.verdict;
        match form {
            Form::Table => output::table(verdict, look.width, look.colors),
            Form::Json => output::json(verdict),
            Form::Sarif => output::sarif(verdict, image_name(&verdict.reference)),
            Form::Junit => output::junit(verdict),
            Form::Markdown => output::markdown(verdict),
            Form::OpenVex => openvex(checked, &self.author),
            Form::Vsa => summary(checked),
        }
    }
}

fn status(outcome: Outcome) -> Status {
    match outcome {
        Outcome::Pass => Status::Yes,
        Outcome::Fail => Status::No,
        Outcome::Undecided => Status::Undecided,
    }
}

/// The name of an image without tag and digest, so that two builds have one name.
fn image_name(reference: &str) -> &str {
    let name = reference.split('@').next().unwrap_or(reference);
    match name.rsplit_once(':') {
        Some((name, tag)) if !tag.contains('/') => name,
        _ => name,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_output_may_say_its_form() {
        let form = |text: &str| target(text).map(|target| (target.form, target.path));
        assert_eq!(form("sarif=a=b"), Ok((Some(Form::Sarif), "a=b".into())));
        assert_eq!(form("./a=b"), Ok((None, "./a=b".into())));
        assert!(form("json=").is_err() && form("").is_err() && form("=x").is_err());
        assert!(form("sarrif=a").unwrap_err().contains("table, json, sarif"));
    }

    #[test]
    fn two_builds_have_one_name() {
        for (reference, name) in [
            ("registry.example.org:5000/team/app:1.4", "registry.example.org:5000/team/app"),
            ("registry.example.org:5000/team/app@sha256:00", "registry.example.org:5000/team/app"),
            ("oci:dir/image:v1", "oci:dir/image"),
        ] {
            assert_eq!(image_name(reference), name);
        }
    }
}
