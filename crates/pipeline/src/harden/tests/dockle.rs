//! What Dockle tests itself with, judged by content where it goes by names.

use std::fs;
use std::num::NonZeroUsize;

use distil_imgcore::Config;
use distil_policy::document::Hardening;
use distil_policy::facts::PlatformFacts;
use distil_policy::hardening::judge;
use distil_tests::place;

use crate::harden::{config_facts, observe};
use crate::places::Places;
use crate::read::Named;
use crate::{Choice, Machine, Silent};

fn fired(facts: &PlatformFacts) -> Vec<String> {
    let violations = judge(facts, &Hardening::default(), "registry.example.org/app:1.0").into_iter();
    let mut rules: Vec<String> =
        violations.map(|violation| format!("{} {}", violation.rule, violation.subject)).collect();
    rules.sort();
    rules
}

#[test]
fn the_configuration_of_nginx_runs_as_root_on_a_privileged_port() {
    let config = fs::read(place::root().join("tests/data/hardening/nginx-config.json")).unwrap();
    let facts = PlatformFacts { config: config_facts(&Config::parse(config).unwrap()), ..PlatformFacts::default() };
    assert_eq!(fired(&facts), ["DSTL-CFG-001 User", "DSTL-CFG-005 ExposedPorts", "DSTL-CFG-006 Healthcheck"]);
}

#[test]
fn a_file_that_is_only_named_like_credentials_is_none() {
    let archive = place::root().join("tests/data/hardening/scratch.tar");
    let reference = format!("docker-archive:{}", archive.display()).parse().unwrap();
    let machine = Machine::new(1_800_000_000);
    let named = Named::open(&reference, &Places::uncancelled(&machine, &Silent)).unwrap();
    let (_, image) = named.image(Choice::First).unwrap();
    let observed = observe(&image, NonZeroUsize::MIN, &Silent).unwrap();
    let (config, observations) = (observed.config, observed.observations);
    let facts = PlatformFacts { config, observations, ..PlatformFacts::default() };
    // Its user is not in it, either.
    assert_eq!(fired(&facts), ["DSTL-CFG-002 /etc/passwd", "DSTL-CFG-006 Healthcheck"]);
}
