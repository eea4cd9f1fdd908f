//! The ledger that is attested beside an image: that of the release before, as a rule.

use distil_imgcore::Reference;
use distil_policy::Ledger;
use distil_policy::facts::LedgerOrigin;
use distil_signing::predicate::PredicateType;
use distil_signing::verify;

use super::CheckError;
use super::attested::attested;
use super::signed::Authorities;
use crate::places::Places;
use crate::read::ReadError;

/// Reads the ledgers beside an image that an authority of the policy signed, and joins them: of what is in several, the
/// earliest beginning counts. Others are not looked into.
///
/// # Errors
/// [`CheckError::NoLedger`] where there is none: without it all times would begin anew. [`CheckError::LedgerStatement`] where
/// one of them cannot be read.
pub(super) fn read(
    reference: &Reference,
    authorities: &Authorities,
    places: &Places<'_>,
) -> Result<(Ledger, LedgerOrigin), CheckError> {
    if authorities.known().is_empty() && authorities.gaps.is_empty() {
        return Err(CheckError::NoAuthority { reference: reference.to_string() });
    }
    let (store, image) = places.find(reference).map_err(ReadError::from)?;
    let candidates = verify::gather(store.as_ref(), &image).map_err(ReadError::from)?;
    let found = attested(authorities, image.digest(), &candidates, &PredicateType::LEDGER);
    if found.statements.is_empty() {
        return Err(CheckError::NoLedger { reference: reference.to_string(), digest: image.digest().clone() });
    }
    let mut ledger = Ledger::default();
    for statement in &found.statements {
        let wrong = |source| CheckError::LedgerStatement { digest: statement.digest(), source: Box::new(source) };
        ledger = ledger.joined(&Ledger::from_predicate(statement.predicate()).map_err(wrong)?);
    }
    let origin = LedgerOrigin {
        reference: reference.to_string(),
        digest: image.digest().to_string(),
        statements: found.statements.iter().map(super::attested::Attested::digest).collect(),
    };
    Ok((ledger, origin))
}
