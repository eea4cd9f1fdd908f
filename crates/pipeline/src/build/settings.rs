//! What a runtime does with the image.

use std::collections::BTreeMap;

use distil_imgcore::{ImagePath, Settings};

use distil_rootfs::Owner;

use crate::recipe::{Recipe, RunAs};

/// Where programs are looked for, as in Debian's own images.
const PATH: &str = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";

/// The number of `nonroot`, who is in every image.
const NONROOT: &str = "65532";

/// Settings of an image of nothing but packages: only where programs are.
pub(super) fn of_packages() -> Settings {
    Settings { env: BTreeMap::from([("PATH".to_owned(), PATH.to_owned())]), ..Settings::default() }
}

/// Settings that a recipe asks for.
pub(super) fn of_recipe(recipe: &Recipe) -> Settings {
    let image = &recipe.image;
    let mut env = of_packages().env;
    env.extend(image.env.clone());
    Settings {
        entrypoint: image.entrypoint.clone().unwrap_or_default(),
        cmd: image.cmd.clone().unwrap_or_default(),
        user: image.user.as_ref().map_or_else(|| NONROOT.to_owned(), user),
        working_dir: image.workdir.as_ref().map(text).unwrap_or_default(),
        env,
        exposed_ports: image.exposed_ports.iter().map(ToString::to_string).collect(),
        volumes: image.volumes.iter().map(text).collect(),
        stop_signal: image.stop_signal.as_ref().map(ToString::to_string).unwrap_or_default(),
        labels: image.labels.clone(),
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
