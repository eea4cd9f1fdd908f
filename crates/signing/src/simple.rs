//! The payload of a simple signature.
