//! What is put beside an image: signatures and statements, in the forms that cosign 2 and 3 look for.
//!
//! One piece is written after the other, and each is whole or not there: blobs first, then the manifest, then what makes it
//! findable. Where others may write to the same names at the same time, what was written is looked for again, and written
//! again where it is gone.

mod bundled;
mod layered;

use std::collections::BTreeMap;
use std::io::Read as _;
use std::time::{Duration, Instant};

use distil_imgcore::{AttachmentKind, Descriptor, Digest, Error, Store};
use distil_signing::Written;
use distil_signing::bundle;
use distil_signing::dsse::{self, Envelope, IN_TOTO};
use distil_signing::key::{self, Signer};
use distil_signing::keyless::Logged;
use distil_signing::legacy::{Layer, MAX_LAYER};
use distil_signing::predicate::{PredicateType, signature_statement};
use distil_signing::simple::Payload;
use distil_signing::verify::{self, Candidate, Stored};
use sha2::{Digest as _, Sha256};

use self::bundled::Bundled;
use self::layered::Layered;
use super::error::SignError;
use super::vouched::{VouchError, Vouched};

/// In which forms signatures and statements are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default)]
pub enum Formats {
    /// Layers under a tag `sha256-….sig` or `.att`, as cosign 2 writes and both read.
    Legacy,
    /// Bundles that refer to the image, as cosign 3 writes and it alone reads as signatures.
    Bundle,
    /// Both, by one key. Cosign 3 looks at bundles alone where there are some.
    #[default]
    Both,
}

/// One form that was written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Form {
    /// A layer under a tag.
    Legacy,
    /// A bundle that refers to the image.
    Bundle,
}

/// What is beside a manifest now, about it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Added {
    /// The manifest or index that it is about.
    pub image: Digest,
    /// The type of the predicate that was signed; none where the image was.
    pub predicate_type: Option<String>,
    /// Each form that was asked for, and where it is.
    pub forms: Vec<AddedForm>,
}

/// A form, and the manifest that holds it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AddedForm {
    /// The form.
    pub form: Form,
    /// The digest of the manifest; none where the same was there already, by the same key.
    pub manifest: Option<Digest>,
}

/// A place beside images, and the key that signs there.
#[derive(Debug)]
pub(crate) struct Beside<'a> {
    store: &'a dyn Store,
    signer: &'a dyn Signer,
    formats: Formats,
    /// Seconds since 1970.
    created: i64,
    replaces: bool,
    undisturbed: bool,
}

/// How often what is gone is written again.
const ATTEMPTS: u32 = 16;
/// The longest wait for what others may be writing.
const PATIENCE: Duration = Duration::from_secs(1);

impl Formats {
    fn legacy(self) -> bool {
        self != Self::Bundle
    }

    fn bundle(self) -> bool {
        self != Self::Legacy
    }

    /// Whether a signature in these forms has to name the repository.
    pub(crate) fn name_images(self) -> bool {
        self.legacy()
    }
}

impl Form {
    /// Its name: `legacy` or `bundle`.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Legacy => "legacy",
            Self::Bundle => "bundle",
        }
    }
}

impl<'a> Beside<'a> {
    /// Signs with this key in this place; `created` is in seconds since 1970.
    pub(crate) fn new(store: &'a dyn Store, signer: &'a dyn Signer, formats: Formats, created: i64) -> Self {
        Self { store, signer, formats, created, replaces: false, undisturbed: false }
    }

    /// The same; an attestation takes the place of all others of its type, in the form that allows it.
    pub(crate) fn replacing(self, replaces: bool) -> Self {
        Self { replaces, ..self }
    }

    /// The same in a place of one's own, or where no writer can take away what another has written: nobody is waited for.
    pub(crate) fn undisturbed(self, undisturbed: bool) -> Self {
        Self { undisturbed, ..self }
    }

    /// Signs a manifest or index. `name` is the repository that it is signed for, which bundles do not have.
    ///
    /// # Errors
    /// [`SignError`].
    pub(crate) fn sign(
        &self,
        image: &Descriptor,
        name: &str,
        annotations: &BTreeMap<String, String>,
    ) -> Result<Added, SignError> {
        let digest = image.digest();
        let mut pieces = Pieces::default();
        if self.formats.legacy() {
            let payload = Payload { reference: name.to_owned(), digest: digest.clone(), optional: annotations.clone() };
            let layer = self.simple(digest, payload.to_bytes())?;
            pieces.layered = Some(Layered::new(image, AttachmentKind::Signatures, layer, None));
        }
        if self.formats.bundle() {
            let envelope = self.envelope(digest, signature_statement(digest, annotations))?;
            let vouched = self.vouched(digest, Logged::Envelope(&envelope))?;
            pieces.bundled = Some(self.bundled(image, envelope, &PredicateType::SIGN, vouched.as_ref())?);
        }
        self.put(image, None, pieces)
    }

    /// Signs a statement about a manifest or index. `name` is the repository that it is about, `predicate` the JSON that
    /// [`PredicateType::predicate`] gives.
    ///
    /// # Errors
    /// [`SignError`]; [`SignError::IsSignature`] for the type that a signature has.
    pub(crate) fn attest(
        &self,
        image: &Descriptor,
        name: &str,
        kind: &PredicateType,
        predicate: &str,
    ) -> Result<Added, SignError> {
        if kind.is(PredicateType::SIGN.uri()) {
            return Err(SignError::IsSignature { kind: kind.to_string() });
        }
        let envelope = self.envelope(image.digest(), kind.statement(name, image.digest(), predicate))?;
        let vouched = self.vouched(image.digest(), Logged::Envelope(&envelope))?;
        let mut pieces = Pieces::default();
        if self.formats.legacy() {
            let layer = attestation(image.digest(), &envelope, kind, vouched.as_ref())?;
            let statement = Some(envelope.payload.clone());
            pieces.layered = Some(Layered::new(image, AttachmentKind::Attestations, layer, statement));
        }
        if self.formats.bundle() {
            pieces.bundled = Some(self.bundled(image, envelope, kind, vouched.as_ref())?);
        }
        self.put(image, Some(kind.uri().to_owned()), pieces)
    }

    /// Writes pieces until all of them are there at the end of a round.
    fn put(
        &self,
        image: &Descriptor,
        predicate_type: Option<String>,
        mut pieces: Pieces<'_>,
    ) -> Result<Added, SignError> {
        let mut added = Added { image: image.digest().clone(), predicate_type, forms: Vec::new() };
        let (mut layered, mut bundled) = (None, None);
        for _ in 0..ATTEMPTS {
            let begun = Instant::now();
            let written = (
                pieces.layered.as_mut().map(|piece| piece.put(self)).transpose()?.flatten(),
                pieces.bundled.as_mut().map(|piece| piece.put(self)).transpose()?.flatten(),
            );
            let is_there = written == (None, None);
            (layered, bundled) = (written.0.or(layered), written.1.or(bundled));
            if is_there || self.undisturbed {
                let form = |form, manifest| AddedForm { form, manifest };
                added.forms.extend(pieces.layered.map(|_| form(Form::Legacy, layered)));
                added.forms.extend(pieces.bundled.map(|_| form(Form::Bundle, bundled)));
                return Ok(added);
            }
            // Whoever read before this was written is about to take it away, and needs about as long for it.
            std::thread::sleep((begun.elapsed() * 2).min(PATIENCE));
        }
        Err(SignError::Contended { digest: image.digest().clone(), place: self.store.place() })
    }

    fn signature(&self, digest: &Digest, message: &[u8]) -> Result<Vec<u8>, SignError> {
        key::sign(self.signer, message).map_err(|source| SignError::Signer { digest: digest.clone(), source })
    }

    fn envelope(&self, digest: &Digest, statement: Vec<u8>) -> Result<Envelope, SignError> {
        let signature = self.signature(digest, &dsse::pae(IN_TOTO, &statement))?;
        Ok(Envelope { payload_type: IN_TOTO.to_owned(), payload: statement, signature })
    }

    fn vouched(&self, digest: &Digest, signed: Logged<'_>) -> Result<Option<Vouched<'a>>, SignError> {
        Vouched::of(self.signer, signed).map_err(unvouched(digest))
    }

    /// The layer of a simple signature.
    fn simple(&self, image: &Digest, payload: Vec<u8>) -> Result<Layer, SignError> {
        let signature = self.signature(image, &payload)?;
        let digest = Sha256::digest(&payload).into();
        let layer = Layer::signature(payload.clone(), &signature);
        let signed = Logged::Bytes { digest: &digest, signature: &signature };
        let Some(vouched) = self.vouched(image, signed)? else { return Ok(layer) };
        let evidence = vouched.evidence(&signature).map_err(unvouched(image))?;
        let layer = layer.with_evidence(&evidence);
        let stored = Stored::Simple { payload, annotations: layer.annotations().clone() };
        let checked = vouched.check(&evidence, |wanted| verify::image(image, &candidate(stored), wanted));
        checked.map_err(unvouched(image)).map(|()| layer)
    }

    /// The bundle of a statement, of whatever type.
    fn bundled<'b>(
        &self,
        image: &'b Descriptor,
        envelope: Envelope,
        kind: &PredicateType,
        vouched: Option<&Vouched<'_>>,
    ) -> Result<Bundled<'b>, SignError> {
        let Some(vouched) = vouched else {
            let bundle = bundle::of_envelope(self.signer.public_key(), &envelope);
            return Ok(Bundled::new(image, envelope, bundle, kind.uri()));
        };
        let digest = image.digest();
        let evidence = vouched.evidence(&envelope.signature).map_err(unvouched(digest))?;
        let bundle = bundle::of_envelope(&evidence, &envelope);
        let stored = candidate(Stored::Bundle(bundle.clone()));
        let checked = vouched.check(&evidence, |wanted| verify::attestation(digest, kind, &stored, wanted));
        checked.map_err(unvouched(digest))?;
        Ok(Bundled::new(image, envelope, bundle, kind.uri()))
    }

    /// Whether an envelope says the same, by the same key.
    fn is_repeated(&self, found: &Envelope, statement: &[u8]) -> bool {
        found.repeats(IN_TOTO, statement, |message, signature| self.verifies(message, signature))
    }

    fn verifies(&self, message: &[u8], signature: &[u8]) -> bool {
        self.signer.public_key().verify(message, signature).is_ok()
    }

    /// Keeps what a manifest names, and the manifest.
    fn keep(&self, written: &Written) -> Result<(), SignError> {
        for named in written.blobs.iter().chain([&written.manifest]) {
            if !self.store.has(&named.descriptor)? {
                self.store.put(&named.descriptor, &mut &*named.bytes)?;
            }
        }
        Ok(())
    }

    /// A blob that may hold a statement of these bytes, in an envelope or a bundle. By its size it is passed over where it
    /// cannot, and by its content where it is not what it should be: anybody may write beside an image.
    fn likely(&self, blob: &Descriptor, statement: &[u8]) -> Result<Option<Vec<u8>>, SignError> {
        let encoded = (statement.len() as u64).div_ceil(3) * 4;
        let fits = encoded..=(encoded + MORE).min(MAX_LAYER as u64);
        if !fits.contains(&blob.size()) {
            return Ok(None);
        }
        let mut bytes = Vec::new();
        let read = self.store.open(blob).and_then(|mut content| {
            let broken = |source| Error::Blob { digest: blob.digest().clone(), place: self.store.place(), source };
            content.read_to_end(&mut bytes).map_err(broken)
        });
        match read {
            Ok(_) => Ok(Some(bytes)),
            Err(error) if error.is_io() => Err(error.into()),
            Err(_) => Ok(None),
        }
    }
}

/// The layer of a statement.
fn attestation(
    image: &Digest,
    envelope: &Envelope,
    kind: &PredicateType,
    vouched: Option<&Vouched<'_>>,
) -> Result<Layer, SignError> {
    let bytes = envelope.to_bytes();
    let layer = Layer::attestation(bytes.clone(), kind.uri());
    let Some(vouched) = vouched else { return Ok(layer) };
    // Cosign has timestamps of these over the whole layer.
    let evidence = vouched.evidence(&bytes).map_err(unvouched(image))?;
    let layer = layer.with_evidence(&evidence);
    let stored = Stored::Envelope { bytes, annotations: layer.annotations().clone() };
    let checked = vouched.check(&evidence, |wanted| verify::attestation(image, kind, &candidate(stored), wanted));
    checked.map_err(unvouched(image)).map(|()| layer)
}

fn unvouched(digest: &Digest) -> impl FnOnce(VouchError) -> SignError {
    let digest = digest.clone();
    move |source| SignError::Vouch { digest, source }
}

fn candidate(stored: Stored) -> [Candidate; 1] {
    [Candidate { place: String::new(), stored }]
}

/// Bytes of an envelope or bundle beside its payload: a certificate and log entries at most.
const MORE: u64 = 256 << 10;

/// What is to be beside an image.
#[derive(Debug, Default)]
struct Pieces<'a> {
    layered: Option<Layered<'a>>,
    bundled: Option<Bundled<'a>>,
}

#[cfg(test)]
mod tests;
