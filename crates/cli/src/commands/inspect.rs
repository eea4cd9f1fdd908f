//! `distil inspect`.

use clap::Args;
use distil_pipeline::{Escaped, Inspection, Reference};
use serde_json::Value;

use super::Context;
use crate::environment::Environment;
use crate::failure::Failure;
use crate::printer::{Format, Printer};
use crate::registries::Registries;
use crate::size::Size;
use crate::status::Status;
use crate::table::{Align, Table};

/// Show what an image is: its configuration, layers and packages
#[derive(Debug, Args)]
pub(crate) struct Inspect {
    /// The image, as in registry.example.org/team/app:1.0 or oci:DIR:TAG
    #[arg(value_name = "REF", value_parser = super::reference)]
    reference: Reference,
    #[command(flatten)]
    platform: super::OfPlatform,
    #[command(flatten)]
    registries: Registries,
}

impl Inspect {
    pub(crate) fn run(self, context: &Context<'_>) -> Result<Status, Failure> {
        let printer = &context.printer;
        let host = Environment::host()?;
        let choice = self.platform.choice(&host);
        let machine = self.registries.machine(&context.global, context.environment)?;
        let found =
            super::reading(context, |progress| distil_pipeline::inspect(&self.reference, choice, &machine, progress))?;
        for path in &found.unreadable {
            printer.warning(format!("the record of packages {path} is broken; packages may be missing from the list"));
        }
        if printer.format() == Format::Json {
            printer.document(&found)?;
        } else {
            printer.result(&text(&found, printer))?;
        }
        Ok(Status::Yes)
    }
}

fn text(image: &Inspection, printer: &Printer) -> String {
    let mut summary = Table::new(&[Align::Left, Align::Left]);
    let mut row = |name: &str, value: String| {
        if !value.is_empty() {
            summary.row([name.to_owned(), value]);
        }
    };
    row("Digest", image.digest.clone());
    row("Type", image.media_type.clone());
    let others: Vec<&str> = image.platforms.iter().map(|p| p.platform.as_str()).collect();
    row("Platforms", others.join(", "));
    if image.platforms.len() > 1 {
        row("Shown", format!("{} (--platform chooses another)", image.platform));
    }
    row("Created", clean(image.config.get("created").and_then(Value::as_str).unwrap_or_default()));
    let size: u64 = image.layers.iter().map(|layer| layer.size).sum();
    row("Size", format!("{} in {}", Size(size), counted(image.layers.len(), "layer")));
    let config = image.config.get("config").unwrap_or(&Value::Null);
    for (name, key) in [
        ("User", "User"),
        ("Entrypoint", "Entrypoint"),
        ("Command", "Cmd"),
        ("Directory", "WorkingDir"),
        ("Ports", "ExposedPorts"),
        ("Volumes", "Volumes"),
        ("Stop signal", "StopSignal"),
    ] {
        row(name, words(config.get(key)));
    }
    for (name, key) in [("Environment", "Env"), ("Labels", "Labels")] {
        for (number, line) in lines(config.get(key)).into_iter().enumerate() {
            row(if number == 0 { name } else { "" }, line);
        }
    }
    for (number, (key, value)) in image.annotations.iter().enumerate() {
        row(if number == 0 { "Annotations" } else { "" }, clean(&format!("{key}={value}")));
    }
    let mut out = summary.lines("");
    section(&mut out, printer, "Layers", &layers(image));
    section(&mut out, printer, &format!("Packages ({})", image.packages.len()), &packages(image));
    section(&mut out, printer, &format!("Referrers ({})", image.referrers.len()), &referrers(image));
    out
}

fn section(out: &mut String, printer: &Printer, title: &str, table: &Table) {
    let lines = table.lines("  ");
    if !lines.is_empty() {
        out.extend(["\n", &printer.heading(title), "\n", &lines]);
    }
}

fn layers(image: &Inspection) -> Table {
    let mut table = Table::new(&[Align::Right, Align::Left, Align::Right, Align::Left]);
    for (number, layer) in image.layers.iter().enumerate() {
        let packages = match layer.packages.as_slice() {
            [first, second, third, more @ ..] if !more.is_empty() => {
                format!("{first}, {second}, {third} and {} more", more.len())
            }
            few => few.join(", "),
        };
        table.row([number.to_string(), short(&layer.digest), Size(layer.size).to_string(), packages]);
    }
    table
}

fn packages(image: &Inspection) -> Table {
    let mut table = Table::new(&[Align::Left, Align::Left, Align::Left, Align::Left]);
    for package in &image.packages {
        let from = match (package.source == package.name, package.source_version == package.version) {
            (true, true) => String::new(),
            (_, true) => format!("from {}", package.source),
            (_, false) => format!("from {} {}", package.source, package.source_version),
        };
        table.row([package.name.clone(), package.version.clone(), package.architecture.clone(), from]);
    }
    table
}

fn referrers(image: &Inspection) -> Table {
    let mut table = Table::new(&[Align::Left, Align::Left, Align::Left, Align::Left]);
    for referrer in &image.referrers {
        let kind = clean(referrer.artifact_type.as_deref().unwrap_or("unknown"));
        let subject = if referrer.subject == image.digest { "of the index" } else { "of the image" };
        let subject = if image.media_type.contains("index") { subject.to_owned() } else { String::new() };
        let description = clean(referrer.description.as_deref().unwrap_or_default());
        table.row([short(&referrer.digest), subject, kind, description]);
    }
    table
}

/// The first digits of a digest: enough to tell layers apart, and to find the whole one in the JSON document.
fn short(digest: &str) -> String {
    digest.chars().take("sha256:".len() + 12).collect()
}

fn counted(n: usize, noun: &str) -> String {
    if n == 1 { format!("1 {noun}") } else { format!("{n} {noun}s") }
}

/// Text from an image, fit for a terminal.
fn clean(text: &str) -> String {
    Escaped(text.as_bytes()).to_string()
}

/// A value of the configuration in one line; a set, as of ports, by its names.
fn words(value: Option<&Value>) -> String {
    match value {
        Some(Value::String(text)) => clean(text),
        // As a list in JSON, since only that shows where one word ends and whether there are any.
        Some(list @ Value::Array(items)) if !items.is_empty() => clean(&list.to_string()),
        Some(Value::Object(names)) => names.keys().map(|name| clean(name)).collect::<Vec<_>>().join(", "),
        _ => String::new(),
    }
}

/// A list or table of the configuration, each entry on a line.
fn lines(value: Option<&Value>) -> Vec<String> {
    let text = |value: &Value| value.as_str().map_or_else(|| clean(&value.to_string()), clean);
    match value {
        Some(Value::Array(items)) => items.iter().map(text).collect(),
        Some(Value::Object(table)) => table.iter().map(|(k, v)| format!("{}={}", clean(k), text(v))).collect(),
        _ => Vec::new(),
    }
}

#[cfg(test)]
mod tests {
    use distil_pipeline::inspect::{LayerSummary, PackageSummary, PlatformSummary, ReferrerSummary};
    use serde_json::json;

    use super::*;

    fn image() -> Inspection {
        let digest = |c: char| format!("sha256:{}", c.to_string().repeat(64));
        let package = |name: &str, version: &str, source: &str| PackageSummary {
            name: name.into(),
            version: version.into(),
            architecture: "amd64".into(),
            source: source.into(),
            source_version: "3.0.1-1".into(),
        };
        let layer = |c: char, size, packages: &[&str]| LayerSummary {
            digest: digest(c),
            diff_id: digest(c),
            media_type: "application/vnd.oci.image.layer.v1.tar+zstd".into(),
            size,
            packages: packages.iter().map(ToString::to_string).collect(),
        };
        Inspection {
            schema: "distil.inspect/v1".into(),
            digest: digest('a'),
            media_type: "application/vnd.oci.image.index.v1+json".into(),
            platforms: ["linux/amd64", "linux/arm64"]
                .map(|platform| PlatformSummary { platform: platform.into(), digest: digest('b') })
                .into(),
            platform: "linux/amd64".into(),
            config: json!({
                "created": "2026-01-01T00:00:00Z",
                "config": {
                    "User": "65532", "Entrypoint": ["/usr/bin/app", "two words"], "Cmd": [],
                    "Env": ["PATH=/usr/bin", "EVIL=\u{1b}[2J"], "ExposedPorts": { "8080/tcp": {} },
                },
            }),
            annotations: [("k".to_owned(), "v".to_owned())].into(),
            layers: vec![layer('c', 12_345_678, &["libssl3"]), layer('d', 512, &["a", "b", "c", "d", "e"])],
            packages: vec![package("libssl3", "3.0.1-1", "openssl"), package("openssl", "3.0.1-1", "openssl")],
            referrers: vec![ReferrerSummary {
                subject: digest('a'),
                digest: digest('e'),
                artifact_type: Some("application/spdx+json".into()),
                description: Some("SBOM (spdx-2.3) of the image for linux/amd64".into()),
                size: 4096,
            }],
            unreadable: Vec::new(),
        }
    }

    #[test]
    fn an_image_is_shown_in_tables() {
        insta::assert_snapshot!(text(&image(), &Printer::plain()));
    }
}
