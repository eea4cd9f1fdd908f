//! The integration tests: one binary, made of modules. `cargo xtask test` fetches what they need and runs them.
//!
//! A test that lacks a program or a package fails and says how to get it; none is skipped.
#![expect(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, reason = "what stops a test is its result")]
#![expect(clippy::disallowed_methods, reason = "tests write plain files")]
#![expect(clippy::print_stdout, reason = "a test says how much it looked at")]

mod attestations;
mod base;
mod build;
mod cache_damage;
mod cache_prune;
mod cache_sharing;
mod certificates;
mod check;
mod check_admission;
mod check_attested;
mod check_image;
mod check_policy_files;
mod check_registry;
mod chunked;
mod ci_examples;
mod composition;
mod corpus;
mod cosign;
mod db;
mod distroless;
mod dpkg;
mod dpkg_root;
mod durable;
mod example;
mod hardening;
mod kit;
mod layer_records;
mod layering;
mod layers;
mod lock;
mod lying;
mod peers;
mod project;
mod promote;
mod proof;
mod registry_astray;
mod registry_base;
mod registry_copy;
mod registry_exchange;
mod registry_faults;
mod registry_image;
mod registry_kit;
mod registry_lies;
mod registry_login;
mod registry_moved;
mod repositories;
mod reproducible;
mod resolver;
mod sbom;
mod sbom_hostile;
mod sbom_image;
mod sbom_readers;
mod scan;
mod shop;
mod sign_attest;
mod sign_blob;
mod sign_image;
mod sign_keyless;
mod sign_keys;
mod sign_token;
mod suites;
mod tidy;
mod trusted_root;
mod validators;
mod verify;
mod verify_base;
mod verify_bundle;
mod verify_vectors;
mod versions;
