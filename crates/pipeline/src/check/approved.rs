//! What was judged and may go out.

use distil_policy::Approval;

use super::Checked;

/// An image that a policy approves of, with all that it was judged by. Only a clean verdict makes one.
#[derive(Debug, Clone)]
pub struct Approved<'a> {
    checked: &'a Checked,
    approval: Approval,
    has_ledger: bool,
}

impl Checked {
    /// What was judged, where the verdict approves of it. `has_ledger` says whether it was judged with a ledger that is kept, and
    /// is to be handed on.
    #[must_use]
    pub fn approved(&self, has_ledger: bool) -> Option<Approved<'_>> {
        Some(Approved { checked: self, approval: self.approval()?, has_ledger })
    }
}

impl Approved<'_> {
    /// The approval.
    #[must_use]
    pub fn approval(&self) -> &Approval {
        &self.approval
    }

    /// What was judged.
    #[must_use]
    pub fn checked(&self) -> &Checked {
        self.checked
    }

    /// Whether the ledger is to be handed on.
    #[must_use]
    pub fn has_ledger(&self) -> bool {
        self.has_ledger
    }
}
