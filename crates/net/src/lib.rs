//! HTTP with limits.
