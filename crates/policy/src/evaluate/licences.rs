//! Whether packages are under licences that the policy allows.

use spdx::{Expression, LicenseReq, ParseMode};

use super::Question;
use super::judgement::{Judgement, violation};
use crate::document::{Licences, Response};
use crate::verdict::{Violation, Weight};

pub(super) fn judge(question: Question<'_>, judgement: &mut Judgement) {
    let rules = &question.policy.licences;
    if rules.is_empty() {
        return;
    }
    for (platform, facts) in &question.facts.platforms {
        for package in &facts.packages {
            let expression = package.licences.as_deref().and_then(parsed);
            let Some(expression) = expression else {
                let text = package.licences.as_deref().unwrap_or("nothing");
                let found = violation("DSTL-LIC-002", &package.name, format!("{text} is said about its licences"));
                match rules.unknown {
                    Response::Allow => {}
                    Response::Warn => judgement.on(platform, Violation { weight: Weight::Warning, ..found }),
                    Response::Deny => judgement.on(platform, Violation { weight: Weight::Error, ..found }),
                }
                continue;
            };
            if !expression.evaluate(|licence| is_allowed(licence, rules)) {
                judgement.on(platform, violation("DSTL-LIC-001", &package.name, expression.to_string()));
            }
        }
    }
}

/// The longest expression that is read. One of Debian's largest packages has a few thousand bytes.
const LONGEST: usize = 64 << 10;

fn parsed(text: &str) -> Option<Expression> {
    let mode = ParseMode { allow_deprecated: true, ..ParseMode::STRICT };
    (text.len() <= LONGEST).then(|| Expression::parse_mode(text, mode).ok()).flatten()
}

/// Whether a licence of an expression is in order. A rule about a licence with its exception goes before one about the
/// licence alone, which counts with every exception.
fn is_allowed(licence: &LicenseReq, rules: &Licences) -> bool {
    let whole = licence.to_string();
    let alone = licence.license.to_string();
    let names = |list: &[String], text: &str| list.iter().any(|name| name.eq_ignore_ascii_case(text));
    if names(&rules.forbidden, &whole) {
        return false;
    }
    if names(&rules.allowed, &whole) {
        return true;
    }
    !names(&rules.forbidden, &alone) && (rules.allowed.is_empty() || names(&rules.allowed, &alone))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn of_an_expression_with_or_one_side_is_enough() {
        let list = |names: &[&str]| names.iter().map(|&name| name.to_owned()).collect();
        let check = |allowed: &[&str], forbidden: &[&str], text: &str, expected: bool| {
            let rules = Licences { allowed: list(allowed), forbidden: list(forbidden), ..Licences::default() };
            let found = parsed(text).unwrap().evaluate(|licence| is_allowed(licence, &rules));
            assert_eq!(found, expected, "{text} with {allowed:?} and without {forbidden:?}");
        };
        check(&["MIT"], &[], "MIT OR GPL-3.0-only", true);
        check(&["MIT"], &[], "MIT AND GPL-3.0-only", false);
        check(&["MIT", "ISC"], &[], "(MIT OR GPL-3.0-only) AND ISC", true);
        check(&[], &["GPL-3.0-or-later"], "GPL-3.0-or-later", false);
        check(&[], &["GPL-3.0-or-later"], "GPL-3.0-or-later WITH GCC-exception-3.1", false);
        let gcc = "GPL-3.0-or-later WITH GCC-exception-3.1";
        check(&[gcc], &["GPL-3.0-or-later"], gcc, true);
        check(&["GPL-3.0-or-later"], &[], gcc, true);
        check(&["GPL-3.0-or-later"], &[gcc], gcc, false);
        check(&["LicenseRef-own"], &[], "LicenseRef-own", true);
        check(&["LicenseRef-own"], &[], "LicenseRef-other", false);
        check(&["GPL-2.0-only"], &[], "GPL-2.0-or-later", false);
        assert!(parsed("no such").is_none() && parsed("").is_none());
    }
}
