//! User, ports, volumes, entrypoint.

use distil_imgcore::Escaped;

use super::Against;
use crate::document::Hardening;
use crate::facts::{ConfigFacts, PlatformFacts};
use crate::observe::{Number, number};

pub(super) fn look(facts: &PlatformFacts, hardening: &Hardening, against: &mut Vec<Against>) {
    let config = &facts.config;
    user(facts, against);
    ports(config, hardening, against);
    if !config.has_healthcheck {
        against.push(Against::new("DSTL-CFG-006", "Healthcheck", "there is none"));
    }
    for volume in &config.volumes {
        let plain = cleaned(volume);
        let is_of_system =
            matches!(plain.as_str(), "/" | "/dev" | "/proc" | "/sys" | "/etc" | "/usr" | "/bin" | "/lib")
                || ["/dev/", "/proc/", "/sys/"].iter().any(|folder| plain.starts_with(folder));
        if is_of_system {
            against.push(Against::new("DSTL-CFG-007", "Volumes", format!("a volume on {}", shown(volume))));
        }
    }
    entrypoint(config, against);
}

fn user(facts: &PlatformFacts, against: &mut Vec<Against>) {
    let user = facts.config.user.as_deref().unwrap_or_default();
    let name = user.split(':').next().unwrap_or_default();
    let number = number(name);
    if name.is_empty() {
        against.push(Against::new("DSTL-CFG-001", "User", "no user is set, which is root"));
    } else if name == "root" || number == Some(Number::Zero) {
        against.push(Against::new("DSTL-CFG-001", "User", format!("the user is {}", shown(user))));
    } else if number.is_none() {
        // That it is root, or unknown, is known from the files alone, and told there.
        let told = |rule: &str| facts.observations.iter().any(|observation| observation.rule == rule);
        if !told("DSTL-CFG-001") && !told("DSTL-CFG-002") {
            against.push(Against::new("DSTL-CFG-002", "User", format!("the user is the name {}", shown(user))));
        }
    }
}

fn ports(config: &ConfigFacts, hardening: &Hardening, against: &mut Vec<Against>) {
    for port in &config.exposed_ports {
        // `8000-8010/tcp` is in old images.
        let numbers = port.split('/').next().unwrap_or_default();
        let (first, last) = numbers.split_once('-').unwrap_or((numbers, numbers));
        let (Ok(first), Ok(last)) = (first.parse::<u16>(), last.parse::<u16>()) else { continue };
        let privileged = first.max(1)..=last.min(1023);
        let open: Vec<u16> = privileged.filter(|number| !hardening.allow.ports.contains(number)).collect();
        let rule = match open.as_slice() {
            [] => continue,
            open if open.iter().any(|number| matches!(number, 22 | 23 | 512..=514)) => "DSTL-CFG-016",
            _ => "DSTL-CFG-005",
        };
        against.push(Against::new(rule, "ExposedPorts", format!("port {}", shown(port))));
    }
}

/// A path from the root, without `.`, `..` and empty names.
fn cleaned(path: &str) -> String {
    let mut names: Vec<&str> = Vec::new();
    for name in path.split('/') {
        match name {
            "" | "." => {}
            ".." => _ = names.pop(),
            _ => names.push(name),
        }
    }
    format!("/{}", names.join("/"))
}

fn entrypoint(config: &ConfigFacts, against: &mut Vec<Against>) {
    for (key, words) in [("Entrypoint", &config.entrypoint), ("Cmd", &config.cmd)] {
        let words: Vec<&str> = words.iter().flatten().map(String::as_str).collect();
        let [program, rest @ ..] = words.as_slice() else { continue };
        let name = program.rsplit('/').next().unwrap_or_default();
        let is_shell = matches!(name, "sh" | "bash" | "dash" | "ash" | "zsh" | "busybox");
        let is_command = rest.iter().any(|word| *word == "-c" || word.starts_with('-') && word.ends_with('c'));
        if is_shell && is_command {
            against.push(Against::new("DSTL-CFG-013", key, format!("it is run by {}", shown(program))));
        }
        debugger(key, &words, against);
    }
}

fn debugger(key: &str, words: &[&str], against: &mut Vec<Against>) {
    if let Some(word) = words.iter().find(|word| starts_debugger(word)) {
        against.push(Against::new("DSTL-CFG-018", key, format!("the argument {}", shown(word))));
    }
}

/// Whether an argument, or one of those in a variable, makes a runtime listen for a debugger.
pub(super) fn starts_debugger(text: &str) -> bool {
    text.split_whitespace().any(|word| {
        word.starts_with("-agentlib:jdwp")
            || word.starts_with("-Xrunjdwp")
            || word.starts_with("--inspect")
            || matches!(word, "debugpy" | "ptvsd" | "remote-pdb")
            || word.starts_with("-Dcom.sun.management.jmxremote.authenticate=false")
    })
}

pub(super) fn shown(text: &str) -> String {
    Escaped(text.as_bytes()).to_string()
}
