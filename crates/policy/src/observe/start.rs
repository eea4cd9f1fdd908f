//! What the configuration says of starting, compared with the files: the user, the search path, the program.

use distil_imgcore::Escaped;

use super::view::Node;
use super::{Observer, accounts, observation};

impl<'a> Observer<'a> {
    /// A user that is a name.
    pub(super) fn user(&mut self) {
        let user = self.config.user.as_deref().unwrap_or_default();
        let name = user.split(':').next().unwrap_or_default();
        if name.is_empty() || name == "root" || accounts::number(name).is_some() {
            return;
        }
        match self.passwd.as_deref().and_then(|text| accounts::uid(text, name)) {
            Some(0) => {
                let seen = format!("the user {} has uid 0", Escaped(name.as_bytes()));
                self.found.push(observation("DSTL-CFG-001", "/etc/passwd", seen, None, None));
            }
            Some(_) => {}
            None => {
                let seen = format!("there is no user {}", Escaped(name.as_bytes()));
                self.found.push(observation("DSTL-CFG-002", "/etc/passwd", seen, None, None));
            }
        }
    }

    /// Directories of `PATH` that everybody may write.
    pub(super) fn search_path(&mut self) {
        let paths = self.config.env.iter().filter(|(name, _)| name == "PATH").flat_map(|(_, value)| value.split(':'));
        for folder in paths.filter(|folder| folder.starts_with('/')) {
            if let Some((at, Some(Node::Directory { mode }))) = self.view.resolve(folder.as_bytes())
                && mode & 0o002 != 0
            {
                let seen = format!("PATH has it, and everybody may write it (mode {:04o})", mode & 0o7777);
                self.found.push(observation("DSTL-CFG-012", &at.to_string(), seen, None, None));
            }
        }
    }

    /// A program to start that is not there.
    pub(super) fn entrypoint(&mut self) {
        let of = |words: &'a Option<Vec<String>>| words.as_ref().and_then(|words| words.first()).map(String::as_str);
        let Some(program) = of(&self.config.entrypoint).or_else(|| of(&self.config.cmd)) else { return };
        let workdir = self.config.workdir.as_deref().unwrap_or("/");
        let places = if program.starts_with('/') {
            vec![program.to_owned()]
        } else if program.contains('/') {
            vec![format!("{workdir}/{program}")]
        } else {
            let path = self.config.env.iter().find(|(name, _)| name == "PATH").map(|(_, value)| value.as_str());
            let folders = path.unwrap_or(DEFAULT_PATH).split(':');
            folders.map(|folder| format!("{folder}/{program}")).collect()
        };
        let modes: Vec<u32> = places.iter().filter_map(|place| self.view.file(place.as_bytes())).collect();
        let seen = match modes.first() {
            None => "the program to start is not in the image".to_owned(),
            // Not even root may start it then.
            Some(mode) if modes.iter().all(|mode| mode & 0o111 == 0) => {
                format!("the program to start is not executable (mode {:04o})", mode & 0o7777)
            }
            Some(_) => return,
        };
        self.found.push(observation("DSTL-CFG-013", &Escaped(program.as_bytes()).to_string(), seen, None, None));
    }
}

/// What runtimes take where an image says nothing.
const DEFAULT_PATH: &str = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";
