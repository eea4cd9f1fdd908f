//! What packages can be chosen from.

use distil_aptrepo::{AcquireError, Acquirer, Offered, Repository, Source};
use distil_debunpack::Architecture;

use super::Provider;
use crate::lock::LockError;
use crate::parallel;
use crate::progress::Phase;

/// Acquired repositories, that of the first source first.
#[derive(Debug, Default)]
pub(crate) struct Market {
    pub(crate) repositories: Vec<Repository>,
    /// The suites that have nothing for an architecture, as their signed files say.
    pub(crate) lacking: Vec<(String, Architecture)>,
}

/// A repository as far as it serves what is built, if it serves any of it.
type Acquired = (Option<Repository>, Vec<AcquireError>);

impl Market {
    /// Acquires every source for these architectures, each of which must be served by one at least.
    pub(crate) fn open(
        sources: &[Source],
        architectures: &[Architecture],
        provider: &Provider<'_>,
    ) -> Result<Self, LockError> {
        provider.places.progress.phase(Phase::Acquire { repositories: sources.len() });
        if sources.is_empty() {
            return Ok(Self::default());
        }
        let acquirer = provider.acquirer()?;
        let answers = parallel::map(provider.downloads(), sources, |source| {
            provider.places.progress.started(&source.suite);
            let answer = acquire(source, architectures, &acquirer);
            provider.places.progress.finished(&source.suite);
            answer.map_err(|source| LockError::Acquire(Box::new(source)))
        })?;
        let mut market = Self::default();
        let mut refusals = Vec::new();
        for (repository, refused) in answers {
            market.repositories.extend(repository);
            refusals.extend(refused);
        }
        for refusal in refusals {
            let AcquireError::Architecture { suite, architecture, .. } = &refusal else { continue };
            if market.offered(architecture).0.is_empty() {
                return Err(LockError::Acquire(Box::new(refusal)));
            }
            market.lacking.push((suite.clone(), architecture.clone()));
        }
        Ok(market)
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

/// Acquires one source for those of the architectures that it has. Which it has is signed, so that a mirror cannot hide
/// one; a source that states its architectures must have them all.
fn acquire(source: &Source, architectures: &[Architecture], acquirer: &Acquirer<'_>) -> Result<Acquired, AcquireError> {
    let mut left = architectures.to_vec();
    let mut refused = Vec::new();
    while !left.is_empty() {
        match acquirer.repository(source, &left) {
            Ok(repository) => return Ok((Some(repository), refused)),
            Err(AcquireError::Architecture { architecture, source_name, suite, known })
                if source.architectures.is_none() && left.contains(&architecture) =>
            {
                left.retain(|one| *one != architecture);
                refused.push(AcquireError::Architecture { architecture, source_name, suite, known });
            }
            Err(error) => return Err(error),
        }
    }
    Ok((None, refused))
}
