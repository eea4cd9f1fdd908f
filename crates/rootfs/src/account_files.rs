//! `/etc/passwd`, `/etc/group` and their shadows: made where there are none, and the lines added that those of a base lack.

use std::collections::BTreeSet;

use distil_imgcore::{EntryKind, FileTree, ImagePath};

use crate::accounts::{Account, Accounts, Group};
use crate::finish::{Error, Warning};
use crate::places::{GROUP, GSHADOW, PASSWD, SHADOW, at};
use crate::plan::{Plan, from_base};

/// Who is there in every image. A base may call them otherwise, or have given their numbers to others: it knows best.
const ALWAYS: [&str; 4] = ["root", "nobody", "nogroup", "nonroot"];
const DAY: i64 = 86_400;

/// The files of a base that may get more lines.
pub(crate) fn wanted(tree: &FileTree, base: Option<&FileTree>, wanted: &mut BTreeSet<ImagePath>) {
    for path in [PASSWD, GROUP, SHADOW, GSHADOW].map(at) {
        let node = from_base(tree, base, &path);
        wanted.extend(node.filter(|node| matches!(node.entry.kind, EntryKind::File { .. })).map(|_| path));
    }
}

/// Adds users and groups, and the home directories of those who were not there before.
pub(crate) fn add(plan: &mut Plan<'_>, accounts: &Accounts) -> Result<(), Error> {
    let users = match lines_of_base(plan, PASSWD)? {
        Some(lines) => lacking_users(&lines, &accounts.users)?,
        None => accounts.users.iter().collect(),
    };
    let groups = match lines_of_base(plan, GROUP)? {
        Some(lines) => lacking_groups(&lines, &accounts.groups)?,
        None => accounts.groups.iter().collect(),
    };
    extend(plan, PASSWD, users.iter().flat_map(|user| user.line()).collect(), Missing::Make)?;
    extend(plan, GROUP, groups.iter().flat_map(|group| group.line()).collect(), Missing::Make)?;
    // Only where there are shadows does anybody look there; without a line, a user is refused. `!` is no password's hash.
    let today = plan.epoch().div_euclid(DAY);
    let shadow = users.iter().flat_map(|user| format!("{}:!:{today}::::::\n", user.name).into_bytes()).collect();
    extend(plan, SHADOW, shadow, Missing::Leave)?;
    let gshadow = groups.iter().flat_map(|group| format!("{}:!::\n", group.name).into_bytes()).collect();
    extend(plan, GSHADOW, gshadow, Missing::Leave)?;
    let new: BTreeSet<u32> = users.iter().map(|user| user.uid).collect();
    let homes = accounts.homes(plan.epoch()).into_iter().filter(|home| new.contains(&home.meta.uid));
    homes.into_iter().try_for_each(|home| plan.entry(home))
}

/// What to do where a file is not there.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Missing {
    Make,
    Leave,
}

/// Puts lines behind those of a base's file.
fn extend(plan: &mut Plan<'_>, name: &'static str, lines: Vec<u8>, missing: Missing) -> Result<(), Error> {
    let path = at(name);
    let Some(node) = plan.tree().get(&path) else {
        return if missing == Missing::Make { plan.file(path, lines) } else { Ok(()) };
    };
    match lines_of_base(plan, name)? {
        None if missing == Missing::Make => {
            // Worth a word: users that the recipe or the image's configuration names may not be in it.
            plan.warn(Warning::Kept { path, origin: node.origin.clone() });
            Ok(())
        }
        Some(mut whole) if !lines.is_empty() => {
            if whole.last().is_some_and(|b| *b != b'\n') {
                whole.push(b'\n');
            }
            whole.extend(lines);
            plan.rewrite(node, whole)
        }
        _ => Ok(()),
    }
}

/// The content of a base's file that is still the base's.
fn lines_of_base(plan: &Plan<'_>, name: &'static str) -> Result<Option<Vec<u8>>, Error> {
    let path = at(name);
    let node = plan.kept_from_base(&path).filter(|node| matches!(node.entry.kind, EntryKind::File { .. }));
    node.map(|_| plan.content(&path).map(<[u8]>::to_vec)).transpose()
}

/// A line of either file. Both have name and number in the same places.
struct Line<'a> {
    whole: &'a [u8],
    fields: Vec<&'a [u8]>,
}

impl<'a> Line<'a> {
    fn all(file: &'a [u8]) -> Vec<Self> {
        let lines = file.split(|b| *b == b'\n').filter(|line| !line.is_empty());
        lines.map(|whole| Self { whole, fields: whole.split(|b| *b == b':').collect() }).collect()
    }

    fn is_named(&self, name: &str) -> bool {
        self.fields.first().is_some_and(|field| *field == name.as_bytes())
    }

    fn has_number(&self, place: usize, number: u32) -> bool {
        let field = self.fields.get(place).and_then(|field| std::str::from_utf8(field).ok());
        field.and_then(|field| field.parse().ok()) == Some(number)
    }
}

const NUMBER: usize = 2;
const PRIMARY: usize = 3;
const HOME: usize = 5;

fn lacking_users<'a>(passwd: &[u8], users: &'a [Account]) -> Result<Vec<&'a Account>, Error> {
    let lines = Line::all(passwd);
    let mut lacking = Vec::new();
    for user in users {
        let taken = lines.iter().find(|line| line.is_named(user.name.as_str()));
        let Some(line) = taken.or_else(|| lines.iter().find(|line| line.has_number(NUMBER, user.uid))) else {
            lacking.push(user);
            continue;
        };
        let home = line.fields.get(HOME).and_then(|home| ImagePath::from_absolute(home).ok());
        let same = line.is_named(user.name.as_str())
            && line.has_number(NUMBER, user.uid)
            && line.has_number(PRIMARY, user.gid)
            && home.as_ref() == Some(&user.home);
        if !same && !ALWAYS.contains(&user.name.as_str()) {
            return Err(Error::BaseUser { name: user.name.clone(), uid: user.uid, found: line.whole.to_vec() });
        }
    }
    Ok(lacking)
}

fn lacking_groups<'a>(file: &[u8], groups: &'a [Group]) -> Result<Vec<&'a Group>, Error> {
    let lines = Line::all(file);
    let mut lacking = Vec::new();
    for group in groups {
        // A number that has a name already needs no other.
        if lines.iter().any(|line| line.has_number(NUMBER, group.gid)) {
            continue;
        }
        match lines.iter().find(|line| line.is_named(group.name.as_str())) {
            None => lacking.push(group),
            Some(_) if ALWAYS.contains(&group.name.as_str()) => {}
            Some(line) => {
                let found = line.whole.to_vec();
                return Err(Error::BaseGroup { name: group.name.clone(), gid: group.gid, found });
            }
        }
    }
    Ok(lacking)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use proptest::prelude::*;

    use super::*;
    use crate::accounts::User;
    use crate::finish::Finished;
    use crate::sample;

    const DEBIAN: &str = "root:x:0:0:root:/root:/bin/bash\nwww-data:x:33:33:www:/var/www:/usr/sbin/nologin\n";

    fn user(name: &str, uid: u32) -> User {
        User { name: name.parse().unwrap(), uid, gid: None, home: None, shell: None }
    }

    /// What is made on a base with these files.
    fn finished(files: &[(&'static str, &str)], users: Vec<User>) -> Result<Finished, Error> {
        let base = sample::tree(&files.iter().map(|(name, _)| *name).collect::<Vec<_>>());
        let contents: BTreeMap<_, _> = files.iter().map(|(name, text)| (at(name), text.as_bytes().to_vec())).collect();
        let mut paths = BTreeSet::new();
        wanted(&base, Some(&base), &mut paths);
        assert_eq!(paths.len(), files.len());
        let mut plan = Plan::new(&base, &contents, 7 * DAY).on(&base);
        add(&mut plan, &Accounts::new(users).unwrap())?;
        Ok(plan.finish())
    }

    fn text(finished: &Finished, name: &'static str) -> Option<String> {
        let file = finished.files.iter().find(|file| file.entry.path == at(name))?;
        Some(String::from_utf8(file.bytes.clone()).unwrap())
    }

    #[test]
    fn what_a_base_lacks_comes_behind_what_it_has() {
        let files = [
            (PASSWD, DEBIAN),
            (GROUP, "root:x:0:\nwww-data:x:33:app"),
            (SHADOW, "root:*:1::::::\n"),
            (GSHADOW, "root:*::\n"),
        ];
        let made = finished(&files, vec![user("app", 1000)]).unwrap();
        assert_eq!(
            text(&made, PASSWD).unwrap(),
            format!(
                "{DEBIAN}app:x:1000:1000:app:/home/app:/usr/sbin/nologin\n\
                 nonroot:x:65532:65532:nonroot:/home/nonroot:/usr/sbin/nologin\n\
                 nobody:x:65534:65534:nobody:/nonexistent:/usr/sbin/nologin\n"
            )
        );
        assert_eq!(
            text(&made, GROUP).unwrap(),
            "root:x:0:\nwww-data:x:33:app\napp:x:1000:\nnonroot:x:65532:\nnogroup:x:65534:\n"
        );
        assert_eq!(
            text(&made, SHADOW).unwrap(),
            "root:*:1::::::\napp:!:7::::::\nnonroot:!:7::::::\nnobody:!:7::::::\n"
        );
        assert_eq!(text(&made, GSHADOW).unwrap(), "root:*::\napp:!::\nnonroot:!::\nnogroup:!::\n");
        assert_eq!(made.replaced.len(), 4);
        let has = |name: &'static str| made.files.iter().any(|file| file.entry.path == at(name));
        assert!(has("home/app") && has("home/nonroot") && !has("root"));
        assert!(made.warnings.is_empty());
    }

    #[test]
    fn a_base_without_lists_gets_them_and_no_shadows() {
        let made = finished(&[], vec![]).unwrap();
        assert!(text(&made, PASSWD).is_some() && text(&made, GROUP).is_some() && text(&made, SHADOW).is_none());
    }

    #[test]
    fn who_is_always_there_may_be_another_in_a_base() {
        let passwd = "nobody:x:99:99::/:/x\nadmin:x:0:0::/:/x\nnonroot:x:7:7::/home/nonroot:/x\n";
        let made = finished(&[(PASSWD, passwd), (GROUP, "a:x:0:\nnonroot:x:7:\nb:x:65534:\n")], vec![]).unwrap();
        assert_eq!(made, Finished::default());
    }

    #[test]
    fn a_user_that_the_base_has_is_left_and_another_is_refused() {
        let base = |line: &str| finished(&[(PASSWD, line), (GROUP, "")], vec![user("app", 1000)]);
        let same = base("app:x:1000:1000:whatever:/home/app:/bin/sh\n").unwrap();
        assert!(!text(&same, PASSWD).unwrap().contains("app:x:1000:1000:app"));
        for line in [
            "app:x:1001:1000::/home/app:/x",
            "app:x:1000:1001::/home/app:/x",
            "app:x:1000:1000::/srv:/x",
            "other:x:1000:1000::/home/app:/x",
            "app",
        ] {
            let error = base(line).unwrap_err();
            assert!(matches!(&error, Error::BaseUser { found, .. } if found == line.as_bytes()), "{line}: {error}");
        }
        let error = finished(&[(GROUP, "app:x:7:")], vec![user("app", 1000)]).unwrap_err();
        assert!(matches!(error, Error::BaseGroup { gid: 1000, .. }));
    }

    proptest! {
        #[test]
        fn nothing_of_a_base_is_lost(text in "([a-z:0-9\n]|root|:x:0:){0,60}") {
            if let Ok(made) = finished(&[(PASSWD, &text), (GROUP, &text)], vec![]) {
                for file in made.files.iter().filter(|file| [at(PASSWD), at(GROUP)].contains(&file.entry.path)) {
                    prop_assert!(file.bytes.starts_with(text.as_bytes()) && file.bytes.ends_with(b"\n"));
                }
                prop_assert!(made.replaced.iter().all(|path| made.files.iter().any(|f| f.entry.path == *path)));
            }
        }
    }
}
