//! Envelopes of signed statements.
