//! The users and groups of an image.

use std::fmt;
use std::str::FromStr;

use distil_imgcore::{Entry, EntryKind, Escaped, ImagePath, Metadata};

/// The name of a user or group: up to 31 bytes, small letters, digits, `_` and `-`, not starting with a digit or `-`.
///
/// That is what both [useradd] and [systemd] take without being asked to be lenient.
///
/// [useradd]: https://manpages.debian.org/bookworm/passwd/useradd.8.en.html#CAVEATS
/// [systemd]: https://systemd.io/USER_NAMES/
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct UserName(String);

/// A user that a recipe adds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct User {
    /// The name; the group of the same number gets it too, where that group has no name yet.
    pub name: UserName,
    /// The number.
    pub uid: u32,
    /// The number of the primary group; `None` for the user's own number.
    pub gid: Option<u32>,
    /// The home directory; `None` for `/home/NAME`.
    pub home: Option<ImagePath>,
    /// The login shell, an absolute path; `None` for `/usr/sbin/nologin`.
    pub shell: Option<ImagePath>,
}

/// Whom a file belongs to, or whom a container runs as.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Owner {
    /// The user's number.
    pub uid: u32,
    /// The group's number.
    pub gid: u32,
}

/// The users and groups of an image: root, nobody (group `nogroup`, as Debian calls it) and nonroot (65532, the number
/// that distroless images have made common), and those of the recipe.
///
/// ```
/// use distil_rootfs::{Accounts, Owner, User};
///
/// let app = User { name: "app".parse()?, uid: 1000, gid: None, home: None, shell: None };
/// let accounts = Accounts::new([app])?;
/// assert_eq!(accounts.owner("app")?, Owner { uid: 1000, gid: 1000 });
/// assert_eq!(accounts.owner("65532:0")?, Owner { uid: 65532, gid: 0 });
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Accounts {
    /// By number, then name.
    pub(crate) users: Vec<Account>,
    /// By number, then name.
    pub(crate) groups: Vec<Group>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Account {
    pub(crate) name: UserName,
    pub(crate) uid: u32,
    pub(crate) gid: u32,
    pub(crate) home: ImagePath,
    shell: ImagePath,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Group {
    pub(crate) name: UserName,
    pub(crate) gid: u32,
}

impl Account {
    /// The line of `/etc/passwd`.
    pub(crate) fn line(&self) -> Vec<u8> {
        let Self { name, uid, gid, home, shell } = self;
        let mut line = format!("{name}:x:{uid}:{gid}:{name}:/").into_bytes();
        line.extend_from_slice(home.as_bytes());
        line.extend_from_slice(b":/");
        line.extend_from_slice(shell.as_bytes());
        line.push(b'\n');
        line
    }
}

impl Group {
    /// The line of `/etc/group`. Nobody is a member of a group that is not the primary one.
    pub(crate) fn line(&self) -> Vec<u8> {
        format!("{}:x:{}:\n", self.name, self.gid).into_bytes()
    }
}

/// Why users do not fit together, or a name stands for nobody.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum AccountError {
    /// A name outside the grammar of [`UserName`].
    #[error("{} is not the name of a user or group", Escaped(.0.as_bytes()))]
    Name(String),
    /// Two users of one name.
    #[error("there are two users {name}")]
    SameName {
        /// The name of both.
        name: UserName,
    },
    /// Two users of one number.
    #[error("users {first} and {second} have the same number {uid}")]
    SameUid {
        /// The number of both.
        uid: u32,
        /// The user that was there first.
        first: UserName,
        /// The user that came later.
        second: UserName,
    },
    /// A user whose group would take the name of another one.
    #[error("group {name} has the number {first}, and user {name} wants it with the number {second}")]
    SameGroup {
        /// The name of both.
        name: UserName,
        /// The number that the group has.
        first: u32,
        /// The number that the user's group would have.
        second: u32,
    },
    /// The number that means "leave it as it is" to chown(2).
    #[error("user {name} has the number {id}, which no user or group can have")]
    NoNumber {
        /// The user's name.
        name: UserName,
        /// The number.
        id: u32,
    },
    /// A home or shell that a line of the file cannot hold.
    #[error("user {name} has {path} as home or shell, and the colon or line break cannot be written")]
    Unwritable {
        /// The user's name.
        name: UserName,
        /// The path.
        path: ImagePath,
    },
    /// A name that no user has.
    #[error("there is no user {}", Escaped(.0.as_bytes()))]
    UnknownUser(String),
    /// A name that no group has.
    #[error("there is no group {}", Escaped(.0.as_bytes()))]
    UnknownGroup(String),
}

const NAME_MAX: usize = 31;
const NO_LOGIN: &str = "usr/sbin/nologin";

impl FromStr for UserName {
    type Err = AccountError;

    fn from_str(text: &str) -> Result<Self, AccountError> {
        let is_start = |b: u8| b.is_ascii_lowercase() || b == b'_';
        let fits = text.len() <= NAME_MAX
            && text.bytes().next().is_some_and(is_start)
            && text.bytes().all(|b| is_start(b) || b.is_ascii_digit() || b == b'-');
        if fits { Ok(Self(text.to_owned())) } else { Err(AccountError::Name(text.chars().take(200).collect())) }
    }
}

impl UserName {
    /// The name as text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for UserName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl Accounts {
    /// The accounts that are always there, and those of a recipe.
    ///
    /// # Errors
    /// [`AccountError`] where two users share a name or number, or a value cannot be written.
    pub fn new(users: impl IntoIterator<Item = User>) -> Result<Self, AccountError> {
        let mut accounts = Self { users: Vec::new(), groups: Vec::new() };
        for (name, id, home) in
            [("root", 0, "root"), ("nobody", 65534, "nonexistent"), ("nonroot", 65532, "home/nonroot")]
        {
            let home = ImagePath::from_archive(home.as_bytes()).ok();
            // The group comes first so that nobody does not give it the user's name.
            if name == "nobody" {
                accounts.groups.push(Group { name: UserName("nogroup".into()), gid: id });
            }
            accounts.add(User { name: UserName(name.into()), uid: id, gid: None, home, shell: None })?;
        }
        let mut users: Vec<User> = users.into_iter().collect();
        // Whose number is the group's names it; the order in the recipe must not matter.
        users.sort_by_cached_key(|u| (u.gid.is_some_and(|gid| gid != u.uid), u.uid, u.name.clone()));
        users.into_iter().try_for_each(|user| accounts.add(user))?;
        accounts.users.sort_by(|a, b| (a.uid, &a.name).cmp(&(b.uid, &b.name)));
        accounts.groups.sort_by(|a, b| (a.gid, &a.name).cmp(&(b.gid, &b.name)));
        Ok(accounts)
    }

    fn add(&mut self, user: User) -> Result<(), AccountError> {
        let User { name, uid, gid, home, shell } = user;
        let gid = gid.unwrap_or(uid);
        if let Some(id) = [uid, gid].into_iter().find(|id| *id == u32::MAX) {
            return Err(AccountError::NoNumber { name, id });
        }
        if self.users.iter().any(|u| u.name == name) {
            return Err(AccountError::SameName { name });
        }
        if let Some(first) = self.users.iter().find(|u| u.uid == uid) {
            return Err(AccountError::SameUid { uid, first: first.name.clone(), second: name });
        }
        if !self.groups.iter().any(|g| g.gid == gid) {
            if let Some(group) = self.groups.iter().find(|g| g.name == name) {
                return Err(AccountError::SameGroup { name, first: group.gid, second: gid });
            }
            self.groups.push(Group { name: name.clone(), gid });
        }
        let path = |given: Option<ImagePath>, default: &str| {
            let path = given.or_else(|| ImagePath::from_archive(default.as_bytes()).ok()).unwrap_or_default();
            if path.as_bytes().iter().any(|b| matches!(b, b':' | b'\n')) {
                return Err(AccountError::Unwritable { name: name.clone(), path });
            }
            Ok(path)
        };
        let home = path(home, &format!("home/{name}"))?;
        let shell = path(shell, NO_LOGIN)?;
        self.users.push(Account { name, uid, gid, home, shell });
        Ok(())
    }

    /// The bytes of `/etc/passwd`, see [passwd(5)]. No password is set: `x` points to a shadow file that is not there.
    ///
    /// [passwd(5)]: https://manpages.debian.org/bookworm/manpages/passwd.5.en.html
    #[must_use]
    pub fn passwd(&self) -> Vec<u8> {
        self.users.iter().flat_map(Account::line).collect()
    }

    /// The bytes of `/etc/group`, see [group(5)].
    ///
    /// [group(5)]: https://manpages.debian.org/bookworm/manpages/group.5.en.html
    #[must_use]
    pub fn group(&self) -> Vec<u8> {
        self.groups.iter().flat_map(Group::line).collect()
    }

    /// The home directories, by path: only their user may enter them. `/nonexistent` is kept from existing, and the
    /// root directory is nobody's home to own.
    #[must_use]
    pub fn homes(&self, mtime: i64) -> Vec<Entry> {
        let own = |user: &&Account| !user.home.is_root() && user.home.as_bytes() != b"nonexistent";
        let mut homes: Vec<Entry> = self
            .users
            .iter()
            .filter(own)
            .map(|user| Entry {
                path: user.home.clone(),
                kind: EntryKind::Directory,
                meta: Metadata { uid: user.uid, gid: user.gid, ..Metadata::root(0o700, mtime) },
            })
            .collect();
        homes.sort_by(|a, b| a.path.cmp(&b.path));
        // Of users who share a home the one with the smallest number, who comes first, owns it.
        homes.dedup_by(|later, first| later.path == first.path);
        homes
    }

    /// Reads `USER[:GROUP]`, each a name or a number.
    ///
    /// Without a group it is the user's primary group; a number that no user has stands for a group of that number
    /// too, as a user of the recipe without `gid` would have it.
    ///
    /// # Errors
    /// [`AccountError::UnknownUser`] and [`AccountError::UnknownGroup`] for names that are not there, and for numbers
    /// too large.
    pub fn owner(&self, text: &str) -> Result<Owner, AccountError> {
        let (user, group) = text.split_once(':').map_or((text, None), |(user, group)| (user, Some(group)));
        let id = number(user);
        let account = self.users.iter().find(|u| u.name.as_str() == user || Some(u.uid) == id);
        let (uid, primary) = account
            .map(|u| (u.uid, u.gid))
            .or_else(|| id.map(|id| (id, id)))
            .ok_or_else(|| AccountError::UnknownUser(user.to_owned()))?;
        let Some(group) = group else {
            return Ok(Owner { uid, gid: primary });
        };
        let gid = number(group)
            .or_else(|| self.groups.iter().find(|g| g.name.as_str() == group).map(|g| g.gid))
            .ok_or_else(|| AccountError::UnknownGroup(group.to_owned()))?;
        Ok(Owner { uid, gid })
    }
}

/// A decimal number of a user or group; signs, blanks and the number that stands for none are not taken.
fn number(text: &str) -> Option<u32> {
    let digits = text.bytes().all(|b| b.is_ascii_digit());
    digits.then(|| text.parse().ok())?.filter(|id| *id != u32::MAX)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn user(name: &str, uid: u32) -> User {
        User { name: name.parse().unwrap(), uid, gid: None, home: None, shell: None }
    }

    fn path(name: &str) -> ImagePath {
        ImagePath::from_absolute(name.as_bytes()).unwrap()
    }

    #[test]
    fn the_files_are_sorted_by_number() {
        let app =
            User { home: Some(path("/srv/app")), shell: Some(path("/bin/sh")), gid: Some(100), ..user("app", 1000) };
        let accounts = Accounts::new([user("web", 33), app, User { gid: Some(65532), ..user("job", 1001) }]).unwrap();
        let text = |bytes| String::from_utf8(bytes).unwrap();
        assert_eq!(
            text(accounts.passwd()),
            "root:x:0:0:root:/root:/usr/sbin/nologin\n\
             web:x:33:33:web:/home/web:/usr/sbin/nologin\n\
             app:x:1000:100:app:/srv/app:/bin/sh\n\
             job:x:1001:65532:job:/home/job:/usr/sbin/nologin\n\
             nonroot:x:65532:65532:nonroot:/home/nonroot:/usr/sbin/nologin\n\
             nobody:x:65534:65534:nobody:/nonexistent:/usr/sbin/nologin\n"
        );
        assert_eq!(text(accounts.group()), "root:x:0:\nweb:x:33:\napp:x:100:\nnonroot:x:65532:\nnogroup:x:65534:\n");
    }

    #[test]
    fn homes_belong_to_their_users() {
        let accounts = Accounts::new([user("app", 1000), User { home: Some(path("/")), ..user("x", 1) }]).unwrap();
        let homes: Vec<_> =
            accounts.homes(7).iter().map(|e| (e.path.to_string(), e.meta.mode, e.meta.uid, e.meta.mtime)).collect();
        let home = |path: &str, uid| (path.to_owned(), 0o700, uid, 7);
        assert_eq!(homes, [home("/home/app", 1000), home("/home/nonroot", 65532), home("/root", 0)]);
    }

    #[test]
    fn a_shared_group_has_the_name_of_the_user_with_its_number() {
        let team = User { gid: Some(1001), ..user("a", 1000) };
        let accounts = Accounts::new([team, user("b", 1001)]).unwrap();
        assert_eq!(accounts.owner("a:b"), Ok(Owner { uid: 1000, gid: 1001 }));
        assert!(accounts.group().windows(9).any(|w| w == b"b:x:1001:"));
    }

    #[test]
    fn users_that_do_not_fit_together_are_refused() {
        let error = |users: Vec<User>| Accounts::new(users).unwrap_err();
        let name = |text: &str| text.parse::<UserName>().unwrap();
        assert_eq!(error(vec![user("nonroot", 5)]), AccountError::SameName { name: name("nonroot") });
        assert_eq!(
            error(vec![user("app", 65534)]),
            AccountError::SameUid { uid: 65534, first: name("nobody"), second: name("app") }
        );
        assert_eq!(
            error(vec![user("nogroup", 5)]),
            AccountError::SameGroup { name: name("nogroup"), first: 65534, second: 5 }
        );
        assert_eq!(error(vec![user("app", u32::MAX)]), AccountError::NoNumber { name: name("app"), id: u32::MAX });
        let odd = User { home: Some(path("/a:b")), ..user("app", 1) };
        assert!(matches!(error(vec![odd]), AccountError::Unwritable { .. }));
    }

    #[test]
    fn names_have_a_grammar() {
        for name in ["a", "_apt", "www-data", "systemd-network", &"a".repeat(31)] {
            assert!(name.parse::<UserName>().is_ok(), "{name}");
        }
        for name in ["", "-a", "1a", "A", "a b", "a:b", "a\n", "ä", "a.b", "a$", &"a".repeat(32)] {
            assert!(matches!(name.parse::<UserName>(), Err(AccountError::Name(_))), "{name}");
        }
    }

    #[test]
    fn owners_are_found_by_name_and_by_number() {
        let accounts = Accounts::new([User { gid: Some(7), ..user("app", 1000) }]).unwrap();
        for (text, uid, gid) in [
            ("root", 0, 0),
            ("app", 1000, 7),
            ("1000", 1000, 7),
            ("app:root", 1000, 0),
            ("app:4711", 1000, 4711),
            ("4711", 4711, 4711),
            ("4711:nogroup", 4711, 65534),
        ] {
            assert_eq!(accounts.owner(text), Ok(Owner { uid, gid }), "{text}");
        }
        for text in ["", "nosuch", ":root", "4294967295", "4294967296", "+1", "-1", " 1"] {
            assert!(matches!(accounts.owner(text), Err(AccountError::UnknownUser(_))), "{text}");
        }
        for text in ["root:", "root:nosuch", "root:4294967295", "root:root:root"] {
            assert!(matches!(accounts.owner(text), Err(AccountError::UnknownGroup(_))), "{text}");
        }
    }

    proptest! {
        #[test]
        fn the_order_of_the_recipe_does_not_matter(ids in proptest::collection::btree_map("[a-d]{1,2}", (1u32..9, proptest::option::of(1u32..9)), 0..5)) {
            let users: Vec<_> = ids.iter().map(|(name, (uid, gid))| User { gid: *gid, ..user(name, *uid) }).collect();
            let forth = Accounts::new(users.clone());
            let back = Accounts::new(users.into_iter().rev());
            prop_assert_eq!(forth.is_ok(), back.is_ok());
            if let (Ok(forth), Ok(back)) = (forth, back) {
                prop_assert_eq!(forth.passwd(), back.passwd());
                prop_assert_eq!(forth.group(), back.group());
            }
        }

        #[test]
        fn every_line_has_its_fields(name in any::<String>(), home in proptest::collection::vec(any::<u8>(), 1..20)) {
            if let (Ok(name), Ok(home)) = (name.parse(), ImagePath::from_foreign(&home)) {
                let user = User { name, uid: 1, gid: None, home: Some(home), shell: None };
                if let Ok(accounts) = Accounts::new([user]) {
                    let passwd = accounts.passwd();
                    let lines: Vec<_> = passwd.split(|b| *b == b'\n').collect();
                    prop_assert_eq!(lines.len(), 5);
                    prop_assert!(lines[..4].iter().all(|l| l.split(|b| *b == b':').count() == 7));
                }
            }
        }
    }
}
