//! The elements that stand for files of the image.

use std::borrow::Cow;
use std::fmt::Write as _;
use std::io;

use distil_imgcore::ImagePath;

use super::value::Hash;
use super::write::Writer;
use crate::inventory::Owner;

impl Writer<'_> {
    /// A file of the image. There may be many: those that a package brought have no more digests than needed, and name
    /// their layer only where it is not that of the package.
    pub(super) fn file(&mut self, number: usize) -> io::Result<()> {
        let plan = self.plan;
        let Some(file) = plan.inventory.files.get(number) else { return Ok(()) };
        let owner = match file.owner {
            Owner::Package { number, .. } => plan.inventory.packages.get(number),
            _ => None,
        };
        let layer = file.layer.filter(|layer| owner.is_none_or(|owner| owner.layer != Some(*layer)));
        let layer = self.layer(layer);
        let is_component = file.owner == Owner::Recipe || plan.is_distributed(number);
        let is_conffile = matches!(file.owner, Owner::Package { is_conffile: true, .. });
        let executable = file.is_executable.then_some("executable");
        // The word for a file that nothing can be unpacked from, by the rules of the BSI.
        let form = is_component.then_some("firmware");
        self.graph.element("software_File", plan.one('f', number), |fields| {
            fields.put("name", &name(&file.path))?.some("comment", layer)?;
            if is_component {
                fields.list("verifiedUsing", Hash::all(&file.digests))?;
            } else {
                fields.list("verifiedUsing", Hash::short(&file.digests))?;
            }
            fields.some("software_primaryPurpose", is_conffile.then_some("configuration"))?;
            fields.list("software_additionalPurpose", executable.into_iter().chain(form)).map(drop)
        })
    }
}

/// A path as text, from the root. Bytes that are no UTF-8 are written as `\xe9`.
pub(super) fn name(path: &ImagePath) -> Cow<'static, str> {
    let mut name = String::with_capacity(path.as_bytes().len() + 1);
    name.push('/');
    for chunk in path.as_bytes().utf8_chunks() {
        name.push_str(chunk.valid());
        for byte in chunk.invalid() {
            let _ = write!(name, "\\x{byte:02x}");
        }
    }
    Cow::Owned(name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bytes_that_are_no_text_stay_apart() {
        let name = |bytes: &[u8]| name(&ImagePath::from_archive(bytes).unwrap());
        assert_eq!(name("usr/größe".as_bytes()), "/usr/größe");
        assert_eq!(name(b"caf\xe9/\xff"), "/caf\\xe9/\\xff");
    }
}
