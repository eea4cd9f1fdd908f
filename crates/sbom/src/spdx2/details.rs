//! What SPDX 2.3 has no field for, as lines of an annotation.

use std::fmt::{Display, Write as _};

use distil_imgcore::{Escaped, ImagePath};

use crate::inventory::{Artefact, Package, Repository};

/// Writes lines of `Key: value`; nothing where nothing is known.
pub(super) fn write(package: &Package) -> String {
    let mut text = String::new();
    let mut line = |key: &str, value: &dyn Display| {
        let _ = writeln!(text, "{key}: {value}");
    };
    let mut known = |key, value: Option<&String>| {
        if let Some(value) = value {
            line(key, &Escaped(value.as_bytes()));
        }
    };
    known("Section", package.section.as_ref());
    known("Priority", package.priority.as_ref());
    if let Some(artefact) = &package.artefact {
        known("Path", artefact.path.as_ref());
        if let Some(repository) = &artefact.repository {
            known("Suite", Some(&repository.suite));
            known("Origin", repository.origin.as_ref());
        }
        if let Some(size) = artefact.size {
            line("Size", &size);
        }
    }
    for path in &package.locations {
        line("Location", path);
    }
    text.truncate(text.trim_end().len());
    text
}

/// Takes in what [`write`] wrote, and other lines of the kind that it knows.
pub(super) fn read(text: &str, package: &mut Package) {
    for (key, value) in text.lines().filter_map(|line| line.split_once(": ")) {
        let value_of = || Some(value.to_owned());
        match key {
            "Section" => package.section = value_of(),
            "Priority" => package.priority = value_of(),
            "Path" => artefact(package).path = value_of(),
            "Size" => artefact(package).size = value.parse().ok(),
            "Suite" => value.clone_into(&mut repository(package).suite),
            "Origin" => repository(package).origin = value_of(),
            "Location" => package.locations.extend(ImagePath::from_absolute(value.as_bytes())),
            _ => {}
        }
    }
}

fn artefact(package: &mut Package) -> &mut Artefact {
    package.artefact.get_or_insert_default()
}

fn repository(package: &mut Package) -> &mut Repository {
    let unknown = || Repository { origin: None, suite: String::new() };
    artefact(package).repository.get_or_insert_with(unknown)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn details_come_back() {
        for package in crate::sample::inventory().packages {
            let mut read_back = Package::new(package.kind.clone(), "", None);
            read(&write(&package), &mut read_back);
            assert_eq!((&read_back.section, &read_back.priority), (&package.section, &package.priority));
            assert_eq!(read_back.locations, package.locations);
            let of = |package: &Package| package.artefact.clone().map(|of| (of.size, of.path, of.repository));
            assert_eq!(of(&read_back), of(&package));
        }
    }

    #[test]
    fn a_value_cannot_forge_a_line() {
        let mut package = crate::sample::inventory().packages.remove(0);
        package.section = Some("libs\nOrigin: Somebody".into());
        assert!(write(&package).starts_with("Section: libs\\nOrigin: Somebody\nPath: "), "{}", write(&package));
    }
}
