//! What a runtime does with the image.

use std::collections::BTreeMap;

use distil_imgcore::{ImagePath, Settings};

use distil_rootfs::Owner;

use crate::recipe::{Port, Recipe, RunAs};

/// Where programs are looked for, as in Debian's own images.
const PATH: &str = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";

/// The number of `nonroot`, who is in every image.
const NONROOT: &str = "65532";

/// Settings of an image of nothing but packages: only where programs are.
pub(super) fn of_packages() -> Settings {
    Settings { env: BTreeMap::from([("PATH".to_owned(), PATH.to_owned())]), ..Settings::default() }
}

/// Settings that a recipe asks for. What it leaves open is as in its base; without one, the user is `nonroot`.
///
/// As `docker build` does: lists of words are replaced as a whole, and an entry point that is stated takes the base's
/// arguments away, which were meant for another program; tables and sets are joined.
pub(super) fn of_recipe(recipe: &Recipe, base: Option<Settings>) -> Settings {
    let below = base.unwrap_or_else(|| Settings { user: NONROOT.to_owned(), ..Settings::default() });
    let image = &recipe.image;
    let mut env = of_packages().env;
    env.extend(below.env);
    env.extend(image.env.clone());
    let cmd = image.cmd.clone().or_else(|| image.entrypoint.as_ref().map(|_| Vec::new()));
    Settings {
        entrypoint: image.entrypoint.clone().unwrap_or(below.entrypoint),
        cmd: cmd.unwrap_or(below.cmd),
        user: image.user.as_ref().map_or(below.user, user),
        working_dir: image.workdir.as_ref().map_or(below.working_dir, text),
        env,
        exposed_ports: below.exposed_ports.into_iter().chain(image.exposed_ports.iter().map(Port::to_string)).collect(),
        volumes: below.volumes.into_iter().chain(image.volumes.iter().map(text)).collect(),
        stop_signal: image.stop_signal.as_ref().map_or(below.stop_signal, ToString::to_string),
        labels: below.labels.into_iter().chain(image.labels.clone()).collect(),
    }
}

/// The user as a number, which Kubernetes needs to see that it is not root. The group follows from `/etc/passwd` unless the
/// recipe states one.
fn user(user: &RunAs) -> String {
    let Owner { uid, gid } = user.owner;
    if user.text.contains(':') { format!("{uid}:{gid}") } else { uid.to_string() }
}

/// A path of a recipe as text again. The recipe is text, so its paths are.
fn text(path: &ImagePath) -> String {
    format!("/{}", String::from_utf8_lossy(path.as_bytes()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn table(pairs: &[(&str, &str)]) -> BTreeMap<String, String> {
        pairs.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned())).collect()
    }

    fn words(text: &str) -> Vec<String> {
        text.split_whitespace().map(str::to_owned).collect()
    }

    fn on_base(recipe: &str) -> Settings {
        let base = Settings {
            entrypoint: words("/init"),
            cmd: words("serve now"),
            user: "daemon".into(),
            working_dir: "/srv".into(),
            env: table(&[("A", "base"), ("B", "base")]),
            exposed_ports: ["80/tcp".to_owned()].into(),
            volumes: ["/data".to_owned()].into(),
            stop_signal: "SIGINT".into(),
            labels: table(&[("a", "base"), ("b", "base")]),
        };
        of_recipe(&Recipe::parse(recipe).unwrap(), Some(base))
    }

    #[test]
    fn a_base_is_inherited_where_the_recipe_is_silent() {
        let silent = on_base("");
        assert_eq!((silent.entrypoint, silent.cmd), (words("/init"), words("serve now")));
        assert_eq!((silent.user.as_str(), silent.working_dir.as_str()), ("daemon", "/srv"));
        assert_eq!(silent.env, table(&[("A", "base"), ("B", "base"), ("PATH", PATH)]));
        assert_eq!((silent.stop_signal.as_str(), silent.labels.len()), ("SIGINT", 2));
        assert_eq!((silent.exposed_ports.len(), silent.volumes.len()), (1, 1));
    }

    #[test]
    fn what_a_recipe_states_comes_over_its_base() {
        let stated = on_base(
            "[image]\nentrypoint = ['/app']\nuser = 'root'\nworkdir = '/'\nenv = { B = 'own', PATH = '/bin' }\n\
             labels = { b = 'own' }\nexposed-ports = ['443']\nvolumes = ['/more']\nstop-signal = 'SIGTERM'\n",
        );
        assert_eq!((stated.entrypoint, stated.cmd), (words("/app"), Vec::new()));
        assert_eq!((stated.user.as_str(), stated.working_dir.as_str()), ("0", "/"));
        assert_eq!(stated.env, table(&[("A", "base"), ("B", "own"), ("PATH", "/bin")]));
        assert_eq!(stated.labels, table(&[("a", "base"), ("b", "own")]));
        assert_eq!(stated.exposed_ports.into_iter().collect::<Vec<_>>(), ["443/tcp", "80/tcp"]);
        assert_eq!((stated.volumes.len(), stated.stop_signal.as_str()), (2, "SIGTERM"));
        let other = on_base("image.cmd = ['other']");
        assert_eq!((other.entrypoint, other.cmd), (words("/init"), words("other")));
        assert!(on_base("image.entrypoint = []").entrypoint.is_empty());
    }

    #[test]
    fn without_a_base_nonroot_runs_it() {
        let settings = of_recipe(&Recipe::parse("").unwrap(), None);
        assert_eq!((settings.user.as_str(), settings.env), (NONROOT, table(&[("PATH", PATH)])));
    }
}
