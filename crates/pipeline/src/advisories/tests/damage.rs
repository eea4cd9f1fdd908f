//! Whatever becomes of the file: it is refused, or the answers are the same.

use std::collections::BTreeMap;

use distil_vulns::CveFacts;
use proptest::test_runner::{RngAlgorithm, TestRng};

use proptest::prelude::Rng as _;

use super::*;

/// As large as the blocks of the file and the pages of the engine.
const BLOCK: usize = 4096;

/// All that can be asked of a database.
#[derive(Debug, PartialEq)]
struct Answers {
    advisories: BTreeMap<(String, String), Vec<Advisory>>,
    cves: BTreeMap<String, Option<CveFacts>>,
    known: BTreeMap<String, bool>,
    document: String,
}

/// What is asked for: every key, and one that is not there.
struct Questions {
    sources: Vec<(String, String)>,
    cves: Vec<String>,
}

impl Questions {
    fn of(database: &Database) -> Self {
        let key = |key: redb::AccessGuard<'_, (&str, &str)>| {
            let (release, source) = key.value();
            (release.to_owned(), source.to_owned())
        };
        let mut sources: Vec<_> =
            database.advisories.range(("", "")..).unwrap().map(|entry| key(entry.unwrap().0)).collect();
        let mut cves: Vec<String> =
            database.cves.range(""..).unwrap().map(|entry| entry.unwrap().0.value().to_owned()).collect();
        sources.push(("bullseye".to_owned(), "nothing".to_owned()));
        cves.push("CVE-1999-0001".to_owned());
        Self { sources, cves }
    }

    /// Asks all, until there is no answer.
    fn ask(&self, path: &Path) -> Result<Answers, DatabaseError> {
        let database = Database::open(path)?;
        let (mut advisories, mut known, mut cves) = (BTreeMap::new(), BTreeMap::new(), BTreeMap::new());
        for (release, source) in &self.sources {
            known.insert(release.clone(), database.knows(release)?);
            advisories.insert((release.clone(), source.clone()), database.about(release, source)?);
        }
        for cve in &self.cves {
            cves.insert(cve.clone(), database.cve(cve)?);
        }
        let document = format!("{:?}", DatabaseDocument::of(path)?);
        Ok(Answers { advisories, cves, known, document })
    }
}

struct Sound {
    place: Place,
    bytes: Vec<u8>,
    questions: Questions,
    answers: Answers,
}

impl Sound {
    fn new() -> Self {
        let place = Place::new();
        place.import(&data(&["osv/records", "nvd", "kev", "lists/DSA.list"])).unwrap();
        let questions = Questions::of(&place.open());
        let answers = questions.ask(&place.database()).unwrap();
        let bytes = fs::read(place.database()).unwrap();
        Self { place, bytes, questions, answers }
    }

    /// Whether a file in its place is refused as damaged.
    fn is_refused(&self, bytes: &[u8], what: &str) -> bool {
        whole_file::replace(&self.place.database(), bytes).unwrap();
        match self.questions.ask(&self.place.database()) {
            Ok(answers) => {
                assert!(answers == self.answers, "{what}: another answer");
                false
            }
            Err(DatabaseError::Damaged { .. }) => true,
            Err(error) => panic!("{what}: {error:?}"),
        }
    }
}

#[test]
fn whatever_byte_is_flipped_there_is_no_other_answer() {
    let sound = Sound::new();
    let mut random = TestRng::deterministic_rng(RngAlgorithm::ChaCha);
    let mut any = |below: usize| usize::try_from(random.next_u64() % below as u64).unwrap();
    let size = sound.bytes.len();
    // The head, the engine's own head behind it, sums, the mark at the end; then anywhere.
    let mut places: Vec<usize> = (0..40).chain(BLOCK..BLOCK + 400).step_by(3).chain(size - 200..size).collect();
    places.extend((0..150).map(|_| any(size)));
    let mut refused = 0;
    for at in places {
        let mut bytes = sound.bytes.clone();
        let flip = 1 << any(8);
        bytes[at] ^= flip;
        refused += usize::from(sound.is_refused(&bytes, &format!("{flip:#x} at {at} of {size}")));
    }
    assert!(refused > 350, "{refused}");
}

#[test]
fn whatever_is_cut_off_added_or_moved_is_refused() {
    let sound = Sound::new();
    let size = sound.bytes.len();
    for length in [16, 17, 32, BLOCK - 1, BLOCK, BLOCK + 16, BLOCK + 17, size / 2, size - BLOCK, size - 16, size - 1] {
        assert!(sound.is_refused(&sound.bytes[..length], &format!("cut to {length}")));
    }
    for added in [1, 4, BLOCK, BLOCK + 4] {
        assert!(sound.is_refused(&[&sound.bytes[..], &vec![0; added]].concat(), &format!("{added} more")));
    }
    assert!(sound.is_refused(&[&sound.bytes[..], &sound.bytes[..]].concat(), "twice"));
    // Blocks that are used have something in them; some of them are enough, from everywhere.
    let used: Vec<usize> = (1..size / BLOCK).filter(|block| sound.bytes[block * BLOCK..][..64] != [0; 64]).collect();
    let used: Vec<usize> = used.iter().step_by((used.len() / 30).max(1)).copied().collect();
    for pair in used.windows(2) {
        let mut bytes = sound.bytes.clone();
        let (front, back) = bytes.split_at_mut(pair[1] * BLOCK);
        front[pair[0] * BLOCK..][..BLOCK].swap_with_slice(&mut back[..BLOCK]);
        sound.is_refused(&bytes, &format!("{pair:?} swapped"));
    }
    for block in used {
        let mut bytes = sound.bytes.clone();
        bytes[block * BLOCK..][..BLOCK].fill(0);
        sound.is_refused(&bytes, &format!("{block} lost"));
    }
}

#[test]
fn a_damaged_database_is_made_anew_by_an_import() {
    let sound = Sound::new();
    for at in [3, 30, BLOCK + 8, sound.bytes.len() / 2, sound.bytes.len() - 2] {
        let mut bytes = sound.bytes.clone();
        bytes[at..].iter_mut().take(BLOCK).for_each(|byte| *byte ^= 0x55);
        whole_file::replace(&sound.place.database(), &bytes).unwrap();
        let imported = sound.place.import(&data(&["lists/DLA.list"])).unwrap();
        assert!(imported.started_anew, "{at}");
        assert_eq!(sound.place.open().sources().unwrap().len(), 1);
    }
}

#[test]
fn a_file_of_the_engine_that_somebody_else_made_is_left_alone() {
    let place = Place::new();
    place.file("state/advisories.redb", b"");
    fs::remove_file(place.database()).unwrap();
    drop(redb::Database::create(place.database()).unwrap());
    let before = fs::read(place.database()).unwrap();
    assert!(matches!(place.import(&data(&["lists/DLA.list"])), Err(DatabaseError::Foreign { .. })));
    assert!(fs::read(place.database()).unwrap() == before);
}
