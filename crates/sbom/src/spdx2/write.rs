//! The document as a whole.

use std::io::{self, Write};

use distil_imgcore::{Digest, Hasher};
use serde::{Serialize, Serializer, ser::SerializeStruct as _};

use super::element::author;
use super::expression::Expressions;
use super::file::{Codes, FileElement};
use super::identifier::{DOCUMENT, Identifiers};
use super::package::Packages;
use super::relationship::Relationship;
use super::{NAMESPACE, VERSION};
use crate::document::About;
use crate::inventory::{Context, Inventory};
use crate::json::{self, Streamed};
use crate::time;

/// Writes a document about an image, as one line of JSON.
///
/// Packages of the document are the image, its operating system, its layers, its base image, its packages, and the source
/// packages of these. Files without a SHA-1 cannot be told of, and then what holds them is said to be unanalysed. What is not
/// known, and licences that are no expressions, are `NOASSERTION`.
///
/// # Errors
/// Those of the writer.
pub fn write(inventory: &Inventory, about: &About, out: &mut dyn Write) -> io::Result<()> {
    let ids = Identifiers::of(inventory);
    let codes = Codes::of(inventory, about);
    let expressions = Expressions::of(inventory);
    let created = time::of_document(about.created);
    let tool = format!("Tool: distil-{}", about.version);
    let packages = Packages {
        inventory,
        about,
        ids: &ids,
        expressions: &expressions,
        codes: &codes,
        created: &created,
        tool: &tool,
    };
    let mut document = Document { packages, namespace: String::new() };
    document.namespace = namespace(&document)?;
    json::write(&document, out)
}

struct Document<'a> {
    packages: Packages<'a>,
    namespace: String,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct CreationInfo<'a> {
    created: &'a str,
    creators: [String; 2],
    comment: &'static str,
    license_list_version: String,
}

impl Serialize for Document<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let Packages { inventory, about, ids, expressions, codes, .. } = self.packages;
        let name = Some(inventory.image.name.as_str()).filter(|name| !name.is_empty()).unwrap_or("image");
        let mut document = serializer.serialize_struct("Document", 10)?;
        document.serialize_field("spdxVersion", VERSION)?;
        document.serialize_field("dataLicense", "CC0-1.0")?;
        document.serialize_field("SPDXID", DOCUMENT)?;
        document.serialize_field("name", name)?;
        document.serialize_field("documentNamespace", &self.namespace)?;
        document.serialize_field("creationInfo", &self.creation())?;
        document.serialize_field("packages", &Streamed(|| self.packages.all()))?;
        document.serialize_field("files", &Streamed(|| FileElement::all(inventory, about)))?;
        document.serialize_field("hasExtractedLicensingInfos", &Streamed(|| expressions.extracted()))?;
        let relationships = Streamed(|| Relationship::all(inventory, about, ids, codes));
        document.serialize_field("relationships", &relationships)?;
        document.end()
    }
}

impl Document<'_> {
    fn creation(&self) -> CreationInfo<'_> {
        let Packages { inventory, about, created, tool, .. } = self.packages;
        let comment = match inventory.image.context {
            Context::Build => "Generation context: build. Made by what built the image, from what it put in.",
            Context::Analysis => "Generation context: analysis. Made from the finished image, or a document about it.",
        };
        CreationInfo {
            created,
            creators: [author(about), tool.to_owned()],
            comment,
            license_list_version: spdx::license_version().rsplit_once('.').map_or_else(String::new, |v| v.0.to_owned()),
        }
    }
}

/// A namespace that no other document has: that of the image, of how its inventory was made, and of what else decides the
/// document. Of an image without a digest it is the document itself that tells.
fn namespace(document: &Document<'_>) -> io::Result<String> {
    let Packages { inventory, about, created, tool, .. } = document.packages;
    let context = match inventory.image.context {
        Context::Build => "build",
        Context::Analysis => "analysis",
    };
    let image = if let Some(digest) = &inventory.image.digest {
        format!("{}-{}", digest.algorithm(), digest.hex())
    } else {
        let mut hashing = Hashing(Hasher::sha256());
        json::write(document, &mut hashing)?;
        format!("document-{}", hashing.0.finish().hex())
    };
    let version = Digest::of(format!("{tool}\n{created}\n{}\n{}", about.files, author(about)).as_bytes()).hex();
    let version: String = version.chars().take(16).collect();
    Ok(format!("{NAMESPACE}{context}/{image}/{version}"))
}

struct Hashing(Hasher);

impl Write for Hashing {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.update(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
