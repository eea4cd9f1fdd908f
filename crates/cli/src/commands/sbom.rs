//! `distil sbom`.

use clap::{Args, ValueEnum};
use distil_pipeline::table::Table as Rows;
use distil_pipeline::{Agent, Reference, SbomDocument, SbomFormat, SbomRequest, SbomSource};

use super::Context;
use crate::environment::Environment;
use crate::failure::Failure;
use crate::printer::{Format, Printer};
use crate::registries::Registries;
use crate::size::Size;
use crate::status::Status;
use crate::table::{Align, Table};

/// Describe what is in an image: its packages, files and licences
///
/// Where the build attached a description to the image, it is that: it says where each package came from. Of any other image
/// the layers are looked through.
#[derive(Debug, Args)]
pub(crate) struct Sbom {
    /// The image, as in registry.example.org/team/app:1.0 or oci:DIR:TAG
    #[arg(value_name = "REF", value_parser = super::reference)]
    reference: Reference,
    /// The format of the document; a table is for people
    #[arg(long, short, value_enum, default_value_t = Form::Table, value_name = "F")]
    format: Form,
    /// What to make the description from
    #[arg(long, value_enum, default_value_t = From::Best)]
    from: From,
    /// Who answers for a document that is made now, as in 'Release team <release@example.org>'
    #[arg(long, value_name = "NAME <ADDRESS>", value_parser = author)]
    author: Option<Agent>,
    /// Leave the list of files out of SPDX documents that are made now
    #[arg(long)]
    no_files: bool,
    #[command(flatten)]
    platform: super::OfPlatform,
    #[command(flatten)]
    registries: Registries,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Form {
    /// SPDX 2.3 as JSON
    #[value(name = "spdx-2.3")]
    Spdx23,
    /// SPDX 3.0.1 as JSON
    #[value(name = "spdx-3.0")]
    Spdx30,
    /// CycloneDX 1.6 as JSON
    #[value(name = "cyclonedx-1.6")]
    CycloneDx16,
    /// Packages with their licences, and a summary of these
    Table,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum From {
    /// What is attached, or else the image
    Best,
    /// What the build attached
    Attached,
    /// The layers of the image
    Image,
}

impl Sbom {
    pub(crate) fn run(self, context: &Context<'_>) -> Result<Status, Failure> {
        let printer = &context.printer;
        let host = Environment::host()?;
        let machine = self.registries.machine(&context.global, context.environment)?;
        let request = SbomRequest {
            reference: &self.reference,
            platform: self.platform.choice(&host),
            source: match self.from {
                From::Best => SbomSource::Best,
                From::Attached => SbomSource::Attached,
                From::Image => SbomSource::Image,
            },
            author: self.author,
            files: !self.no_files,
            jobs: context.environment.jobs(None),
            machine: &machine,
        };
        let format = match self.format {
            Form::Spdx23 => Some(SbomFormat::Spdx23),
            Form::Spdx30 => Some(SbomFormat::Spdx30),
            Form::CycloneDx16 => Some(SbomFormat::CycloneDx16),
            Form::Table => None,
        };
        let (found, rows) = super::reading(context, |progress| {
            let mut out = printer.stream();
            distil_pipeline::sbom(&request, format, &mut out, progress)
        })?;
        for path in &found.unreadable {
            printer.warning(format!("the record of packages {path} is broken; packages may be missing"));
        }
        if let Some(rows) = rows {
            if printer.format() == Format::Json {
                printer.document(&SbomDocument::new(&found, rows))?;
            } else {
                printer.result(&text(&rows, printer))?;
            }
        }
        match &found.attached {
            Some(digest) => printer
                .note(&format!("From the description {digest}, attached by the build; --from image looks for itself.")),
            None => printer.note("From the layers of the image."),
        }
        Ok(if found.unreadable.is_empty() { Status::Yes } else { Status::Undecided })
    }
}

fn author(text: &str) -> Result<Agent, String> {
    distil_pipeline::author(text).ok_or_else(|| {
        "a name with a mail address or a URL is wanted, as in 'Release team <release@example.org>'".to_owned()
    })
}

fn text(rows: &Rows, printer: &Printer) -> String {
    let mut packages = Table::new(&[Align::Left; 5]);
    for row in &rows.packages {
        let licence = if row.licence.is_empty() { "unknown" } else { &row.licence };
        packages.row([&row.name, &row.version, &row.kind, &row.source, licence].map(cut));
    }
    let mut files = Table::new(&[Align::Left, Align::Right, Align::Left]);
    for row in &rows.own_files {
        let size = row.size.map(|size| Size(size).to_string());
        files.row([row.path.clone(), size.unwrap_or_default(), format!("sha256:{}", row.sha256)]);
    }
    let mut licences = Table::new(&[Align::Right, Align::Left]);
    for row in &rows.licences {
        licences.row([row.packages.to_string(), cut(row.expression.as_deref().unwrap_or("unknown"))]);
    }
    let mut out = String::new();
    for (name, count, table) in [
        ("Packages", rows.packages.len(), packages),
        ("Own files", rows.own_files.len(), files),
        ("Licences", rows.licences.len(), licences),
    ] {
        if count > 0 {
            let gap = if out.is_empty() { "" } else { "\n" };
            out.extend([gap, &printer.heading(&format!("{name} ({count})")), "\n", &table.lines("  ")]);
        }
    }
    out
}

/// Characters of a name or a licence that are shown; a row of JSON has all of them.
const MAX_SHOWN: usize = 200;

fn cut(text: &str) -> String {
    match text.char_indices().nth(MAX_SHOWN).and_then(|(end, _)| text.get(..end)) {
        Some(start) => format!("{start}…"),
        None => text.to_owned(),
    }
}
