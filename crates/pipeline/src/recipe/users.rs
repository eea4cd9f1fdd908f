//! `[users.NAME]`, and whom a name or number in other places of the recipe means.

use std::fmt;

use distil_imgcore::ImagePath;
use distil_rootfs::{AccountError, Accounts, Owner, User, UserName};

use distil_settings::{Keys, Named, Value, ValueProblem, nearest};

use super::files::image_path;
use super::problem::{ProblemKind, Problems};

pub(super) const KEYS: Keys = Keys::all(&["uid", "gid", "home", "shell"]);

/// Those who are there in every image.
const ALWAYS: [&str; 3] = ["root", "nobody", "nonroot"];
const NAME: &str = "small letters, digits, _ and -, starting with a letter or _, at most 31 in all";
/// The largest number that a user can have: the next one means "leave it as it is" to chown(2).
const MAX_ID: i64 = u32::MAX as i64 - 1;

/// The user of a process.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RunAs {
    /// As it stands in the recipe: a name or number, and a group if wanted.
    pub text: String,
    /// The numbers that it means.
    pub owner: Owner,
}

/// As it stands in the recipe.
impl fmt::Display for RunAs {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

/// The users of a recipe, and the names by which other keys may call them.
pub(super) struct Users {
    pub(super) accounts: Accounts,
    own: Vec<User>,
}

impl Users {
    /// Reads `[users]`.
    pub(super) fn read(value: Option<&Value<'_, '_>>, problems: &mut Problems<'_>) -> Self {
        let accounts = Accounts::new([]).expect("the users that are always there fit together");
        let mut users = Self { accounts, own: Vec::new() };
        for entry in value.and_then(|v| v.entries(problems)).unwrap_or_default() {
            if let Some(user) = read_user(&entry, problems) {
                users.add(user, &entry, problems);
            }
        }
        users
    }

    /// Adds a user who fits to those before; otherwise the newcomer is at fault.
    fn add(&mut self, user: User, entry: &Named<'_, '_>, problems: &mut Problems<'_>) {
        self.own.push(user);
        match Accounts::new(self.own.iter().cloned()) {
            Ok(accounts) => self.accounts = accounts,
            Err(cause) => {
                self.own.pop();
                problems.add(entry.span.clone(), ProblemKind::User { key: entry.value.key.clone(), cause });
            }
        }
    }

    /// Whom `USER[:GROUP]` means, in names or numbers.
    pub(super) fn owner(&self, value: &Value<'_, '_>, problems: &mut Problems<'_>) -> Option<Owner> {
        let text = value.string(problems)?;
        self.accounts.owner(text).map_err(|cause| self.unknown(value, cause, problems)).ok()
    }

    /// The user of a process.
    pub(super) fn run_as(&self, value: &Value<'_, '_>, problems: &mut Problems<'_>) -> Option<RunAs> {
        let owner = self.owner(value, problems)?;
        Some(RunAs { text: value.string(problems)?.to_owned(), owner })
    }

    fn unknown(&self, value: &Value<'_, '_>, cause: AccountError, problems: &mut Problems<'_>) {
        let kind = |key| match cause {
            AccountError::UnknownUser(found) | AccountError::UnknownGroup(found) => {
                let own = self.own.iter().map(|user| user.name.as_str());
                let nearest = nearest(&found, ALWAYS.into_iter().chain(own));
                ProblemKind::UnknownUser { key, found, nearest }
            }
            cause => ProblemKind::User { key, cause },
        };
        value.problem::<(), _, _>(problems, kind);
    }
}

fn read_user(entry: &Named<'_, '_>, problems: &mut Problems<'_>) -> Option<User> {
    let name: Option<UserName> = entry.name.parse().ok();
    if name.is_none() {
        let (key, found) = ("users".to_owned(), entry.name.to_owned());
        problems.add(entry.span.clone(), ValueProblem::Malformed { key, found, expected: NAME });
    }
    let section = entry.value.section(KEYS, problems)?;
    let uid = section.required("uid", problems).and_then(|v| id(&v, problems));
    let gid = section.value("gid").and_then(|v| id(&v, problems));
    let mut path = |key| section.value(key).and_then(|v| path(&v, problems));
    let (home, shell) = (path("home"), path("shell"));
    Some(User { name: name?, uid: uid?, gid, home, shell })
}

fn id(value: &Value<'_, '_>, problems: &mut Problems<'_>) -> Option<u32> {
    value.integer(0..=MAX_ID, problems).and_then(|n| u32::try_from(n).ok())
}

fn path(value: &Value<'_, '_>, problems: &mut Problems<'_>) -> Option<ImagePath> {
    let text = value.string(problems)?;
    image_path(&value.key, value.span.clone(), text, problems)
}
