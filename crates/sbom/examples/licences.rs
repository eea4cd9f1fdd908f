//! Measures the reading of licences: takes copyright files and .debs, prints what each comes to, and a summary.

use std::collections::BTreeMap;
use std::error::Error;
use std::io::Write;
use std::path::Path;
use std::time::{Duration, Instant};

use distil_debunpack::{Deb, Integrity, Limits};
use distil_sbom::licence::{self, Analysis};

/// What is counted over all files.
#[derive(Default)]
struct Summary {
    files: usize,
    without_licence: usize,
    without_reference: usize,
    wrong: usize,
    time: Duration,
    /// How many packages have a `LicenseRef` of this name, by the name without its digest.
    references: BTreeMap<String, usize>,
}

fn main() -> Result<(), Box<dyn Error>> {
    let mut out = std::io::stdout().lock();
    let mut summary = Summary::default();
    for path in std::env::args_os().skip(1) {
        let path = Path::new(&path);
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        let found = match path.extension() {
            Some(extension) if extension == "deb" => of_package(path)?,
            // A copyright file that is called `package` or, where the source has another name, `package@source`.
            _ => Some((std::fs::read(path)?, name.rsplit('@').next().unwrap_or_default().to_owned())),
        };
        // A package may leave its copyright file to another one.
        let Some((bytes, source)) = found else {
            summary.add(&Analysis::default());
            continue;
        };
        let start = Instant::now();
        let analysis = licence::analyse(&bytes, &source);
        summary.time += start.elapsed();
        summary.add(&analysis);
        let expression = analysis.licences.concluded.as_deref().unwrap_or("-");
        writeln!(out, "{name}\t{source}\t{expression}\t{}", analysis.licences.remarks.join("; "))?;
    }
    summary.write(&mut out)?;
    Ok(())
}

/// The bytes of a copyright file, and the name of the source package.
type Copyright = (Vec<u8>, String);

/// The copyright file of a package, and the name of its source package.
fn of_package(path: &Path) -> Result<Option<Copyright>, Box<dyn Error>> {
    let deb = Deb::open(std::fs::File::open(path)?, Limits::default())?;
    let control = deb.control_archive().control();
    let source = control.source().name.to_string();
    let wanted = format!("/usr/share/doc/{}/copyright", control.package());
    let mut data = deb.into_data(Integrity::Unverified)?;
    while let Some(entry) = data.next_entry()? {
        if entry.path.to_string() == wanted {
            let mut bytes = Vec::new();
            std::io::Read::read_to_end(&mut data, &mut bytes)?;
            return Ok(Some((bytes, source)));
        }
    }
    Ok(None)
}

impl Summary {
    fn add(&mut self, analysis: &Analysis) {
        self.files += 1;
        let Some(expression) = &analysis.licences.concluded else {
            self.without_licence += 1;
            return;
        };
        self.wrong += usize::from(spdx::Expression::parse(expression).is_err());
        self.without_reference += usize::from(analysis.texts.is_empty());
        for reference in analysis.texts.keys() {
            let name = reference.rsplit_once('-').map_or(reference.as_str(), |(name, _)| name);
            *self.references.entry(name.to_owned()).or_default() += 1;
        }
    }

    fn write(&self, out: &mut impl Write) -> std::io::Result<()> {
        for (name, count) in &self.references {
            writeln!(out, "{count}\t{name}")?;
        }
        let share = |count: usize| 1000 * count / self.files.max(1);
        writeln!(
            out,
            "{} files in {:?}: {} per mille without LicenseRef, {} per mille without a licence, {} wrong expressions",
            self.files,
            self.time,
            share(self.without_reference),
            share(self.without_licence),
            self.wrong,
        )
    }
}
