//! Rules about the packages of an image.

use super::{E, N, OFF, Rule, W};
use crate::Weight;

pub(super) const RULES: &[Rule] = &[
    Rule::hardening(
        "DSTL-PKG-001",
        "a package that no repository signed",
        [E, E, E],
        "The build says of other packages which signed repository they came from, and of this one nothing: it was a \
         file that somebody had.",
        "take it from a signed repository",
        &["CIS Docker 4.11"],
    ),
    Rule::hardening(
        "DSTL-PKG-002",
        "a package of services that send passwords in clear",
        [E, E, E],
        "telnetd, rsh, nis, ftp servers and the like have had better successors for decades, and have no place in a \
         container.",
        "leave it out",
        &["CIS Docker 4.3", "CCI-000381"],
    ),
    Rule::hardening(
        "DSTL-PKG-003",
        "a package for development or reading",
        [W, N, W],
        "Packages of headers, debugging symbols, compilers and documentation are of no use to what runs.",
        "leave it out of the final image",
        &["CIS Docker 4.3"],
    ),
    Rule::hardening(
        "DSTL-PKG-004",
        "a record of a package that cannot be read",
        [W, W, W],
        "What it should tell of is in the image, and no scanner sees it.",
        "build the image again; a record is one stanza of a control file",
        &["CIS Docker 4.4"],
    ),
    Rule::hardening(
        "DSTL-PKG-005",
        "a package that is recorded in two versions",
        [W, N, W],
        "Only one of them can be what the files are, so that advisories are matched with one that is not there.",
        "install one version, and remove the record of the other in the layer that has it",
        &["CIS Docker 4.4"],
    ),
    Rule::hardening(
        "DSTL-PKG-006",
        "a version that is known for a back door",
        [E, E, E],
        "Somebody put a back door into this version. That is more than a vulnerability: whatever ran with it is to be \
         looked at.",
        "take another version, and look after every machine that ran this one",
        &["CVE-2024-3094"],
    ),
    Rule::hardening(
        "DSTL-PKG-007",
        "a package that a container has no use for",
        [N, OFF, N],
        "Init systems, boot loaders, kernels, cron and mail servers serve a machine. In an image they are more to update.",
        "leave it out",
        &["CIS Docker 4.3"],
    ),
    Rule::hardening(
        "DSTL-PKG-008",
        "a package that is not wholly installed",
        [W, N, W],
        "Its files are there, and its record says that it was never configured, or not even unpacked to the end. Its \
         vulnerabilities count.",
        "install it again, or remove it with all its files",
        &["CIS Docker 4.11"],
    ),
    Rule::always(
        "DSTL-PKG-101",
        "a package that the policy forbids",
        Weight::Error,
        "The policy names packages that no image may hold.",
        "leave it out, or ask those who look after the policy",
        &[],
    ),
    Rule::always(
        "DSTL-PKG-102",
        "a package that the policy requires is missing",
        Weight::Error,
        "The policy names packages that every image has to hold, certificates of the organisation for example.",
        "add it to the recipe",
        &[],
    ),
    Rule::always(
        "DSTL-LIC-001",
        "a licence that is not allowed",
        Weight::Error,
        "The policy says which licences may be in what is given away. Of an expression with OR one side is enough.",
        "leave the package out, or have the licence allowed by those who look after the policy",
        &[],
    ),
    Rule::always(
        "DSTL-LIC-002",
        "a package of unknown licence",
        Weight::Warning,
        "Nothing in the image says under which licence the package stands, or not in words that are known.",
        "look at its copyright file, and name the package in the policy",
        &[],
    ),
    Rule::always(
        "DSTL-SIZ-001",
        "the image is larger than the policy allows",
        Weight::Error,
        "What is large takes long to start where it is not yet, and mostly holds what nobody needs.",
        "look at `distil inspect` for the largest layers, and leave packages out",
        &[],
    ),
    Rule::always(
        "DSTL-SIZ-002",
        "the image has more layers than the policy allows",
        Weight::Error,
        "Storage drivers have a limit, and every layer costs a request.",
        "set a smaller number of layers in the recipe",
        &[],
    ),
    Rule::always(
        "DSTL-SIZ-003",
        "a layer is larger than the policy allows",
        Weight::Error,
        "Registries limit the size of a blob, and a large layer is fetched by one connection.",
        "let the recipe split packages over more layers",
        &[],
    ),
];
