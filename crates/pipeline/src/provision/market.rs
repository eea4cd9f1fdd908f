//! What packages can be chosen from.

use distil_aptrepo::{Offered, Repository, Source};
use distil_debunpack::Architecture;

use super::Provider;
use crate::lock::LockError;
use crate::parallel;
use crate::progress::Phase;

/// Acquired repositories, that of the first source first.
#[derive(Debug, Default)]
pub(crate) struct Market {
    pub(crate) repositories: Vec<Repository>,
}

impl Market {
    /// Acquires every source for these architectures.
    pub(crate) fn open(
        sources: &[Source],
        architectures: &[Architecture],
        provider: &Provider<'_>,
    ) -> Result<Self, LockError> {
        provider.progress.phase(Phase::Acquire { repositories: sources.len() });
        let repositories = parallel::map(provider.downloads(), sources, |source| {
            provider.progress.started(&source.suite);
            let repository = provider.acquirer().repository(source, architectures);
            provider.progress.finished(&source.suite);
            repository.map_err(|source| LockError::Acquire(Box::new(source)))
        })?;
        Ok(Self { repositories })
    }

    /// What is offered to a system of one architecture, and for each index the place of its repository.
    pub(crate) fn offered(&self, architecture: &Architecture) -> (Vec<Offered<'_>>, Vec<usize>) {
        let mut offers = Vec::new();
        for (place, repository) in self.repositories.iter().enumerate() {
            let suits = |of: &Architecture| of == architecture || of.is_all();
            for index in repository.indices.iter().filter(|index| suits(&index.architecture)) {
                let codename = repository.release.codename();
                offers.push((Offered { suite: &repository.source.suite, codename, index: &index.index }, place));
            }
        }
        offers.into_iter().unzip()
    }
}
