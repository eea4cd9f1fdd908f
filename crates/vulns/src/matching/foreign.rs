//! Packages in Debian's form that are not Debian's.

/// Whether a package seems to be Debian's own, by its maintainer as its record has it and its version.
///
/// Debian's maintainers use addresses of any kind, so that only others can be told: companies and projects that offer packages
/// for Debian from repositories of their own, and distributions that are made from Debian. What Debian's data says is not about
/// their packages, even where these have the same names.
#[must_use]
pub fn is_debians(maintainer: Option<&str>, version: &str) -> bool {
    let foreign = |text: &str| {
        let address = text.rsplit_once('<').map_or(text, |(_, address)| address).trim_end_matches('>');
        let host = address.rsplit_once('@').map_or(address, |(_, host)| host).trim().to_ascii_lowercase();
        DOMAINS.iter().any(|domain| host.strip_suffix(domain).is_some_and(|h| h.is_empty() || h.ends_with('.')))
    };
    !maintainer.is_some_and(foreign) && !MARKS.iter().any(|mark| version.contains(mark))
}

/// Of those who offer packages from repositories of their own.
const DOMAINS: [&str; 33] = [
    "aiven.io",
    "amazon.com",
    "canonical.com",
    "cloudflare.com",
    "confluent.io",
    "datadoghq.com",
    "docker.com",
    "elastic.co",
    "f5.com",
    "git.io",
    "github.com",
    "gitlab.com",
    "google.com",
    "grafana.com",
    "hashicorp.com",
    "influxdata.com",
    "jenkins-ci.org",
    "linuxmint.com",
    "mariadb.com",
    "microsoft.com",
    "mongodb.com",
    "mysql.com",
    "newrelic.com",
    "nginx.com",
    "nodesource.com",
    "nvidia.com",
    "oracle.com",
    "percona.com",
    "puppet.com",
    "redis.com",
    "sury.org",
    "tailscale.com",
    "ubuntu.com",
];

/// In the versions of those whose maintainers are Debian's: that of its own database project, Ubuntu, PHP's.
const MARKS: [&str; 6] = ["pgdg", "ubuntu", "nodesource", "+deb.sury.org", "~sury", "raspbian"];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn packages_of_others_are_known() {
        for (maintainer, version, expected) in [
            (Some("Docker <support@docker.com>"), "5:20.10.7~3-0~debian-buster", false),
            (Some("Ubuntu Developers <ubuntu-devel-discuss@lists.ubuntu.com>"), "1.6.3ubuntu0.1", false),
            (Some("Debian PostgreSQL Maintainers <team+postgresql@tracker.debian.org>"), "15.4-1.pgdg120+1", false),
            (Some("GNU Libc Maintainers <debian-glibc@lists.debian.org>"), "2.36-9+deb12u4", true),
            (Some("Someone <someone@example.org>"), "1.0-1", true),
            (Some("Someone <someone@notdocker.com>"), "1.0-1", true),
            (Some("docker.com"), "1", false),
            (None, "1.0-1", true),
        ] {
            assert_eq!(is_debians(maintainer, version), expected, "{maintainer:?} {version}");
        }
    }
}
