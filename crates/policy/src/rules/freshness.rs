//! Rules about what is out of date, and no longer supported.

use super::Rule;
use crate::Weight;

pub(super) const RULES: &[Rule] = &[
    Rule::always(
        "DSTL-UPD-001",
        "the base is out of date",
        Weight::Warning,
        "The tag that the base was taken by means another image now.",
        "lock again, and build on the new base",
        &["CIS Docker 4.4"],
    ),
    Rule::always(
        "DSTL-UPD-002",
        "there is a newer package in its suite",
        Weight::Warning,
        "The configured suites have a newer version of it; where it repairs a vulnerability it is a security update.",
        "run `distil lock`, and build again",
        &["CIS Docker 4.4"],
    ),
    Rule::always(
        "DSTL-UPD-003",
        "the image, or what was found in it, is older than the limit",
        Weight::Warning,
        "What was looked at long ago says little about today.",
        "build or scan again",
        &["FedRAMP RA-5"],
    ),
    Rule::always(
        "DSTL-EOS-001",
        "the release is past its support",
        Weight::Error,
        "Nobody repairs its packages any more under the tier that the policy counts on, nor says what is wrong with them: \
         an old image looks clean because nobody looks.",
        "move to a release that is supported",
        &["CIS Docker 4.4"],
    ),
    Rule::always(
        "DSTL-EOS-002",
        "the support of the release ends soon",
        Weight::Warning,
        "Moving to another release takes time.",
        "plan to move before the day that is named",
        &[],
    ),
    Rule::always(
        "DSTL-EOS-003",
        "a package without security support, or with little",
        Weight::Warning,
        "Debian supports some packages for a shorter time than their release, or not against everything.",
        "do without the package, or have somebody look after it",
        &[],
    ),
    Rule::always(
        "DSTL-EOS-004",
        "the release is not known",
        Weight::Error,
        "Without a release nothing can be looked up: no vulnerability found is then no vulnerability looked for.",
        "keep etc/os-release, which base-files brings, in the image",
        &[],
    ),
];
