//! Rules about known vulnerabilities, and what is said of them.

use super::Rule;
use crate::Weight;

pub(super) const RULES: &[Rule] = &[
    Rule::always(
        "DSTL-VUL-001",
        "a vulnerability is past its resolution time",
        Weight::Error,
        "The policy gives a number of days for each severity, from the day that it counts from. That time is over.",
        "update the package; where no fix is there, say in an exception or a VEX document why it may stay, and until when",
        &["FedRAMP RA-5"],
    ),
    Rule::always(
        "DSTL-VUL-002",
        "a vulnerability that could have been fixed when the image was made",
        Weight::Error,
        "A new image must not begin with what is repaired already, at or above the severity that the policy names.",
        "build with current packages",
        &["CIS Docker 4.4"],
    ),
    Rule::always(
        "DSTL-VUL-003",
        "a vulnerability that is known to be exploited",
        Weight::Error,
        "Somebody breaks in through it already: it is in a catalogue of known exploited vulnerabilities.",
        "update the package now",
        &["CISA BOD 22-01"],
    ),
    Rule::always(
        "DSTL-VUL-004",
        "a resolution time ends soon",
        Weight::Warning,
        "The image is in order today, and will not be on the day that is named.",
        "update the package before that day",
        &["FedRAMP RA-5"],
    ),
    Rule::always(
        "DSTL-VUL-005",
        "an exception has expired, is unused, or lasts too long",
        Weight::Error,
        "Exceptions are decisions for a time. One that has ended counts no more, and one that nothing needs hides the next.",
        "decide again and set another day, or remove the exception",
        &[],
    ),
    Rule::always(
        "DSTL-VUL-006",
        "nobody can tell whether a package is vulnerable",
        Weight::Note,
        "Debian has not decided yet, or the package is from somewhere that no advisories are about.",
        "have a scanner's report read for packages of others; look again for what is under investigation",
        &[],
    ),
    Rule::always(
        "DSTL-VUL-007",
        "data about vulnerabilities is missing or stale",
        Weight::Error,
        "Without fresh data an image looks better than it is, so nothing is decided from old data.",
        "fetch the feeds again, and import them with `distil db import`",
        &[],
    ),
    Rule::always(
        "DSTL-VUL-008",
        "a VEX statement cannot be used",
        Weight::Warning,
        "It is by somebody the policy does not trust, too old, about no product that is here, or about a whole image.",
        "have it written by an author that the policy trusts, about the package that it means",
        &["OpenVEX"],
    ),
    Rule::always(
        "DSTL-VUL-009",
        "an ignore file without an end",
        Weight::Warning,
        "It was taken from the file of a scanner that knows no dates, and would be in force for ever.",
        "write it as an exception of the policy, with a day",
        &[],
    ),
];
