use std::collections::BTreeSet;
use std::fmt::Write as _;

use super::*;

#[test]
fn names_are_unique_and_well_formed() {
    let form = regex::Regex::new(r"^DSTL-(ADM|CFG|ELF|EOS|FS|LIC|PKG|REG|SIG|SIZ|UPD|VUL)-[0-9]{3}$").unwrap();
    let names: BTreeSet<&str> = RULES.iter().map(|rule| rule.id).collect();
    assert_eq!(names.len(), RULES.len());
    for one in RULES.iter() {
        assert!(form.is_match(one.id), "{}", one.id);
        assert_eq!(rule(one.id), Some(one));
    }
    assert_eq!(rule("DSTL-FS-999"), None);
}

#[test]
fn every_rule_says_what_why_and_what_to_do() {
    for rule in RULES.iter() {
        // What SARIF allows for a title and a help text.
        assert!((7..=100).contains(&rule.title.len()), "{}: {}", rule.id, rule.title.len());
        assert!((30..=1000).contains(&rule.help.len()), "{}: {}", rule.id, rule.help.len());
        assert!((10..=400).contains(&rule.fix.len()), "{}: {}", rule.id, rule.fix.len());
        assert!(!rule.title.ends_with('.') && rule.help.ends_with('.') && !rule.fix.ends_with('.'), "{}", rule.id);
        assert!(rule.references.len() <= 6, "{}", rule.id);
    }
}

#[test]
fn there_are_about_sixty_hardening_rules_and_each_counts_somewhere() {
    let hardening: Vec<&Rule> = RULES.iter().filter(|rule| rule.is_hardening()).collect();
    assert!(hardening.len() >= 50, "{}", hardening.len());
    for rule in hardening {
        assert!(rule.weight(Profile::Distroless).is_some(), "{}", rule.id);
        assert_eq!(rule.weight(Profile::None), None, "{}", rule.id);
    }
}

#[test]
fn names_of_what_is_manual_are_none_of_a_rule() {
    for (id, words) in MANUAL {
        assert_eq!(rule(id), None);
        assert!(!words.is_empty());
    }
}

/// The part of the documentation that is made of the catalogue.
fn tables() -> String {
    let mut text = String::new();
    for (id, words) in MANUAL {
        writeln!(text, "- {id}: {words}").unwrap();
    }
    for (prefix, title) in FAMILIES {
        write!(
            text,
            "\n## {title}\n\n| Rule | Against | distroless | cis-docker-1.6 | disa-2.6 | References |\n|---|---|---|---|---|---|\n"
        )
        .unwrap();
        for rule in
            RULES.iter().filter(|rule| prefix.split(' ').any(|family| rule.id.starts_with(&format!("DSTL-{family}-"))))
        {
            let weight = |profile| match rule.weight(profile) {
                None => "off",
                Some(Weight::Error) => "error",
                Some(Weight::Warning) => "warning",
                Some(Weight::Note) => "note",
            };
            let [one, two, three] = [Profile::Distroless, Profile::Cis, Profile::Disa].map(weight);
            let references = rule.references.join(", ");
            writeln!(text, "| {} | {} | {one} | {two} | {three} | {references} |", rule.id, rule.title).unwrap();
        }
    }
    text
}

const FAMILIES: &[(&str, &str)] = &[
    ("CFG", "Configuration"),
    ("FS", "Files"),
    ("ELF", "Programs and libraries"),
    ("PKG", "Packages"),
    ("VUL EOS UPD", "Known vulnerabilities, support and age"),
    ("ADM SIG REG", "Origin"),
    ("LIC SIZ", "Licences and size"),
];

#[test]
fn the_documentation_lists_the_catalogue() {
    let tables = tables();
    for rule in RULES.iter() {
        assert!(tables.contains(rule.id), "{}", rule.id);
    }
    let written = include_str!("../../../../docs/hardening.md");
    assert!(written.ends_with(&tables), "the end of docs/hardening.md should be:\n{tables}");
}
