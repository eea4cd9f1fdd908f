//! Rules about who vouches for an image, and where it comes from.

use super::Rule;
use crate::Weight;

pub(super) const RULES: &[Rule] = &[
    Rule::always(
        "DSTL-SIG-001",
        "no trusted authority signed the image",
        Weight::Error,
        "Nobody whom the policy trusts has signed this digest, so that anybody may have put it there.",
        "sign the image with `distil sign`, or have it promoted from where it is signed",
        &["CIS Docker 4.5", "CIS Docker 4.12", "CIS-DI-0005"],
    ),
    Rule::always(
        "DSTL-SIG-002",
        "a required attestation is missing, not verifiable, or too old",
        Weight::Error,
        "The policy asks for a statement about the image that somebody it trusts has signed.",
        "attach and sign the statement with `distil attest`",
        &["SLSA"],
    ),
    Rule::always(
        "DSTL-SIG-003",
        "a required SBOM is missing",
        Weight::Error,
        "Without an inventory nobody finds the images that hold a package once it matters.",
        "build with `[attestations]`, or attach the output of `distil sbom`",
        &["NTIA minimum elements"],
    ),
    Rule::always(
        "DSTL-ADM-001",
        "the registry is not allowed",
        Weight::Error,
        "The policy names the registries and folders that images may come from.",
        "promote the image to a registry that is allowed",
        &["CIS Docker 4.2"],
    ),
    Rule::always(
        "DSTL-ADM-002",
        "the image is not named by digest",
        Weight::Error,
        "A tag can mean another image by the time that it is pulled.",
        "name the image as NAME@sha256:…",
        &["CIS Docker 4.2"],
    ),
    Rule::always(
        "DSTL-ADM-003",
        "the tag is forbidden",
        Weight::Error,
        "The policy names tags that say nothing about a version.",
        "name the image by a version, or by its digest",
        &["DKL-DI-0006"],
    ),
    Rule::always(
        "DSTL-ADM-004",
        "the base is not allowed",
        Weight::Error,
        "The policy names the images that others may be built on.",
        "build on one of them",
        &["CIS Docker 4.2"],
    ),
    Rule::always(
        "DSTL-REG-001",
        "a tag that must not move has moved",
        Weight::Error,
        "Whoever pulls a version expects what was released under it.",
        "release under a new version",
        &[],
    ),
];
