//! Types of predicates, by name or URI.
