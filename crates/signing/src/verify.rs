//! Verification, one numbered procedure.
