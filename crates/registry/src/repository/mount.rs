//! Taking blobs over from other repositories of the same registry.

use distil_imgcore::{Descriptor, Digest, Error};
use distil_net::Attempts;
use url::Url;

use super::Repository;
use crate::transport::Target;

impl Repository {
    /// Asks the registry to [mount] a blob. Whatever it has against that, the blob can still be sent; only what is not
    /// known to be there after a yes is looked for.
    ///
    /// [mount]: https://github.com/opencontainers/distribution-spec/blob/v1.1.1/spec.md#mounting-a-blob-from-another-repository
    pub(super) fn mount(&self, blob: &Descriptor) -> Result<bool, Error> {
        let mut attempts = Attempts::begin();
        for from in &self.next_to {
            let query: String = url::form_urlencoded::Serializer::new(String::new())
                .append_pair("mount", &blob.digest().to_string())
                .append_pair("from", &self.remote.repository(from))
                .finish();
            let path = format!("blobs/uploads/?{query}");
            // A registry may also have no right to the other repository to give.
            let Ok(answer) = self.remote.mount(&mut attempts, &path, from) else { continue };
            match answer.status() {
                201 if self.has_blob(&mut attempts, blob)? => return Ok(true),
                202 => {
                    if let Ok(session) = self.remote.location(&Target::Path(&path), &answer) {
                        self.keep_spare(blob.digest(), session);
                    }
                }
                _ => {}
            }
        }
        Ok(false)
    }

    /// Keeps the upload that a registry began instead of taking a blob over. The blob is put next, most of the time.
    fn keep_spare(&self, digest: &Digest, session: Url) {
        let unused = self.spare().insert(digest.clone(), session);
        if let Some(unused) = unused {
            self.cancel(&mut Attempts::begin(), &unused);
        }
    }

    pub(super) fn spare_session(&self, digest: &Digest) -> Option<Url> {
        self.spare().remove(digest)
    }
}
