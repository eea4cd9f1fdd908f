//! Keys, and what signs with them.
