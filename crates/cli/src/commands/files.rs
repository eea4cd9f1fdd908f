//! `distil files`.

use clap::Args;
use distil_pipeline::{FileList, ImagePath, Reference};

use super::Context;
use crate::environment::Environment;
use crate::failure::Failure;
use crate::printer::Format;
use crate::registries::Registries;
use crate::size::Size;
use crate::status::Status;
use crate::table::{Align, Table};

/// List the files of an image with their layers and packages
///
/// The layers are merged as a container sees them. Each line has mode, owner, size, the number of the layer, the package
/// where one is known, and the path.
#[derive(Debug, Args)]
pub(crate) struct Files {
    /// The image, as in registry.example.org/team/app:1.0 or oci:DIR:TAG
    #[arg(value_name = "REF", value_parser = super::reference)]
    reference: Reference,
    /// List only what is at and below these paths
    #[arg(value_name = "PATH", value_parser = super::image_path)]
    paths: Vec<ImagePath>,
    #[command(flatten)]
    platform: super::OfPlatform,
    #[command(flatten)]
    registries: Registries,
}

impl Files {
    pub(crate) fn run(self, context: &Context<'_>) -> Result<Status, Failure> {
        let printer = &context.printer;
        let host = Environment::host()?;
        let choice = self.platform.choice(&host);
        let machine = self.registries.machine(&context.global, context.environment)?;
        let list = super::reading(context, |progress| {
            distil_pipeline::files(&self.reference, choice, &self.paths, &machine, progress)
        })?;
        if printer.format() == Format::Json {
            printer.document(&list)?;
        } else {
            printer.result(&text(&list))?;
            if !self.platform.is_given() && list.platforms.len() > 1 {
                let (shown, all) = (&list.platform, list.platforms.join(", "));
                printer.note(&format!("These are the files of {shown}; --platform chooses among {all}."));
            }
        }
        for path in &list.missing {
            printer.error(format!("the image has no {path}"));
        }
        Ok(if list.missing.is_empty() { Status::Yes } else { Status::No })
    }
}

fn text(list: &FileList) -> String {
    let mut table = Table::new(&[Align::Left, Align::Right, Align::Right, Align::Right, Align::Left, Align::Left]);
    for file in &list.files {
        let size = if file.kind == "file" { Size(file.size).to_string() } else { "-".to_owned() };
        let link = match (&file.target, file.kind.as_str()) {
            (Some(target), "hard link") => format!(" = {target}"),
            (Some(target), _) => format!(" -> {target}"),
            (None, _) => String::new(),
        };
        table.row([
            permissions(&file.kind, &file.mode),
            format!("{}:{}", file.uid, file.gid),
            size,
            file.layer.to_string(),
            file.package.clone().unwrap_or_else(|| "-".to_owned()),
            format!("{}{link}", file.path),
        ]);
    }
    table.lines("")
}

/// Kind and permissions as `ls -l` shows them.
fn permissions(kind: &str, mode: &str) -> String {
    let kind = match kind {
        "directory" => 'd',
        "symbolic link" => 'l',
        "hard link" => 'h',
        "character device" => 'c',
        "block device" => 'b',
        "named pipe" => 'p',
        _ => '-',
    };
    let mode = u32::from_str_radix(mode, 8).unwrap_or(0);
    // For user, group and others: the bits, and the special bit that takes the place of execution.
    let sets = [(6, 0o4000, 's', 'S'), (3, 0o2000, 's', 'S'), (0, 0o1000, 't', 'T')];
    let letters = sets.into_iter().flat_map(|(shift, special, both, alone)| {
        let bits = mode >> shift;
        let execute = match (bits & 1 != 0, mode & special != 0) {
            (true, true) => both,
            (false, true) => alone,
            (true, false) => 'x',
            (false, false) => '-',
        };
        [if bits & 4 != 0 { 'r' } else { '-' }, if bits & 2 != 0 { 'w' } else { '-' }, execute]
    });
    std::iter::once(kind).chain(letters).collect()
}

#[cfg(test)]
mod tests {
    use distil_pipeline::files::FileSummary;

    use super::*;

    #[test]
    fn files_are_shown_in_a_table() {
        let file = |path: &str, kind: &str, size, target: Option<&str>, package: Option<&str>| FileSummary {
            path: path.into(),
            kind: kind.into(),
            size,
            mode: "0755".into(),
            uid: 0,
            gid: 65532,
            mtime: 0,
            target: target.map(str::to_owned),
            layer: 1,
            package: package.map(str::to_owned),
        };
        let list = FileList {
            schema: "distil.files/v1".into(),
            digest: String::new(),
            platforms: vec!["linux/amd64".into()],
            platform: "linux/amd64".into(),
            layers: Vec::new(),
            files: vec![
                file("/usr/bin", "directory", 0, None, None),
                file("/usr/bin/app", "file", 123_456, None, Some("app")),
                file("/usr/bin/b", "symbolic link", 0, Some("app"), Some("app")),
                file("/usr/bin/c", "hard link", 0, Some("/usr/bin/app"), None),
            ],
            missing: Vec::new(),
        };
        insta::assert_snapshot!(text(&list));
    }

    #[test]
    fn permissions_are_shown_as_ls_does() {
        for (mode, shown) in
            [("0644", "-rw-r--r--"), ("4755", "-rwsr-xr-x"), ("2644", "-rw-r-Sr--"), ("1777", "-rwxrwxrwt")]
        {
            assert_eq!(permissions("file", mode), shown);
        }
    }
}
