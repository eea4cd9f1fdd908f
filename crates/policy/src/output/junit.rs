//! For CI systems that know tests.

use quick_junit::{NonSuccessKind, Report, TestCase, TestCaseStatus, TestSuite};

use super::{due, severity, shown, totals, weight};
use crate::{Verdict, Violation, Weight};

/// The verdict as `JUnit` XML: a test for each violation, which fails where it is against the image; what is only told passes,
/// with its words; what is let pass is skipped, with the reason; what keeps the verdict from being decided is an error. A
/// verdict without any of these is one test that passes.
#[expect(clippy::missing_panics_doc, reason = "what is written is text in memory")]
#[must_use]
pub fn junit(verdict: &Verdict) -> String {
    let mut suite = TestSuite::new(shown(&verdict.reference));
    for (name, value) in
        [("digest", &verdict.digest), ("policy", &verdict.policy), ("policy-sha256", &verdict.policy_sha256)]
    {
        suite.add_property((name, shown(value).as_str()));
    }
    for violation in &verdict.violations {
        let words = words(violation);
        let case = if violation.weight == Weight::Error {
            let mut status = TestCaseStatus::non_success(NonSuccessKind::Failure);
            status.set_type(shown(&violation.rule)).set_message(shown(&violation.evidence)).set_description(words);
            case(violation, status)
        } else {
            let mut case = case(violation, TestCaseStatus::success());
            case.set_system_out(words);
            case
        };
        suite.add_test_case(case);
    }
    for suppressed in &verdict.suppressed {
        let until = suppressed.expires.map(|day| format!(" (until {day})")).unwrap_or_default();
        let mut status = TestCaseStatus::skipped();
        status.set_message(format!("{}: {}{until}", shown(&suppressed.by), shown(&suppressed.reason)));
        suite.add_test_case(case(&suppressed.violation, status));
    }
    for reason in &verdict.undecided {
        let mut status = TestCaseStatus::non_success(NonSuccessKind::Error);
        status.set_type("undecided").set_message(shown(reason));
        let mut case = TestCase::new(shown(reason), status);
        case.set_classname("undecided");
        suite.add_test_case(case);
    }
    if suite.test_cases.is_empty() {
        let mut case = TestCase::new(totals(verdict), TestCaseStatus::success());
        case.set_classname("verdict");
        suite.add_test_case(case);
    }
    let mut report = Report::new("distil check");
    report.add_test_suite(suite);
    report.to_string().expect("text is written to memory")
}

fn case(violation: &Violation, status: TestCaseStatus) -> TestCase {
    let mut case = TestCase::new(shown(&violation.subject), status);
    case.set_classname(shown(&violation.rule));
    case
}

/// All that is known of a violation, a line each.
fn words(violation: &Violation) -> String {
    let mut lines = vec![format!("{}: {}", weight(violation.weight), shown(&violation.evidence))];
    if !violation.fix.is_empty() {
        lines.push(format!("fix: {}", shown(&violation.fix)));
    }
    if let Some(day) = violation.deadline {
        lines.push(format!("due: {day} ({})", due(violation)));
    }
    if let Some(note) = &violation.vulnerability {
        lines.push(format!("source: {} {}", shown(&note.source), shown(&note.installed)));
        lines.push(format!("severity: {}", severity(&note.severity)));
        lines.extend(note.fixed.as_deref().map(|version| format!("fixed: {}", shown(version))));
        lines.extend(note.title.as_deref().map(|title| format!("title: {}", shown(title))));
    }
    lines.join("\n")
}
