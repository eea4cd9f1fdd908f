use proptest::prelude::{any, prop, prop_assert, prop_assert_eq, proptest};

use super::*;
use crate::ValueProblem as P;

const DOCUMENT: Document = Document { name: "the sample", longest: 10_000 };

const KEYS: Keys = Keys {
    known: &["word", "text", "number", "switch", "day", "list", "table", "names"],
    never: &["magic"],
    why_never: "there is none",
};

/// All that a sample can say.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
struct Sample {
    word: Option<u8>,
    text: Option<String>,
    number: Option<i64>,
    switch: Option<bool>,
    day: Option<String>,
    list: Option<Vec<String>>,
    inner: Option<&'static str>,
    names: Vec<(String, String)>,
}

fn read(text: &str) -> Result<Sample, Vec<(usize, usize, String, P)>> {
    let read = DOCUMENT.read(text, KEYS, |top, problems: &mut Problems<'_, P>| {
        let names = top.value("names").and_then(|value| value.entries(problems)).unwrap_or_default();
        let names = names.iter().filter_map(|named| Some((named.name, named.value.string(problems)?)));
        Sample {
            names: names.map(|(name, value)| (name.to_owned(), value.to_owned())).collect(),
            word: top.value("word").and_then(|value| value.choice(&["one", "two"], &[1, 2], problems)),
            text: top.required("text", problems).and_then(|value| value.string(problems)).map(str::to_owned),
            number: top.value("number").and_then(|value| value.integer(-2..=2, problems)),
            switch: top.value("switch").and_then(|value| value.boolean(problems)),
            day: top.value("day").and_then(|value| value.date(problems)).map(|day| day.to_string()),
            list: top.value("list").and_then(|value| {
                value.list(problems, |value, text, problems| {
                    let fits = !text.is_empty();
                    fits.then(|| text.to_owned()).or_else(|| value.malformed(text, "a text", problems))
                })
            }),
            inner: top
                .value("table")
                .and_then(|value| value.section(Keys::all(&["a", "b"]), problems)?.exactly_one(&["a", "b"], problems)),
        }
    });
    read.map_err(|invalid| {
        let found = invalid.problems.into_iter();
        found.map(|p| (p.line, p.column, text.get(p.span).unwrap().to_owned(), p.kind)).collect()
    })
}

const FULL: &str = "word = 'two'\ntext = \"ö\"\nnumber = -2\nswitch = true\nday = 2027-01-31\nlist = ['a', 'b']\n\n[table]\nb = 1\n\
                    [names]\n'x y' = 'z'\n";

#[test]
fn every_kind_of_value_is_read() {
    let text = FULL;
    let expected = Sample {
        word: Some(2),
        text: Some("ö".to_owned()),
        number: Some(-2),
        switch: Some(true),
        day: Some("2027-01-31".to_owned()),
        list: Some(vec!["a".to_owned(), "b".to_owned()]),
        inner: Some("b"),
        names: vec![("x y".to_owned(), "z".to_owned())],
    };
    assert_eq!(read(text), Ok(expected));
    assert_eq!(read("text = ''"), Ok(Sample { text: Some(String::new()), ..Sample::default() }));
}

#[test]
fn each_mistake_has_a_place_and_a_message() {
    let check = |text: &str, line: usize, column: usize, span: &str, message: &str| {
        let found = read(text).unwrap_err();
        let [(l, c, s, kind)] = &found[..] else { panic!("{text}: {found:?}") };
        assert_eq!((*l, *c, s.as_str(), kind.to_string().as_str()), (line, column, span, message), "{text}");
    };
    check("word = 'öne'\ntext = 'a'", 1, 8, "'öne'", "word cannot be \"öne\": it is one of one, two");
    check("text = 1", 1, 8, "1", "text is a string, not an integer");
    check("text = ''\nnumber = 3", 2, 10, "3", "number cannot be 3: it is between -2 and 2");
    check("text = ''\nnumber = 2.0", 2, 10, "2.0", "number is an integer, not a number with a fraction");
    check("text = ''\nswitch = 'yes'", 2, 10, "'yes'", "switch is true or false, not a string");
    check("text = ''\nday = '2027-01-31'", 2, 7, "'2027-01-31'", "day is a date, not a string");
    let moment = "day cannot be \"2027-01-31T00:00:00Z\": it is a date alone, as in 2027-01-31";
    check("text = ''\nday = 2027-01-31T00:00:00Z", 2, 7, "2027-01-31T00:00:00Z", moment);
    check("text = ''\nlist = ['a', '']", 2, 14, "''", "list[1] cannot be \"\": it is a text");
    check("text = ''\nlist = 'a'", 2, 8, "'a'", "list is an array, not a string");
    check("text = ''\ntable = {}", 2, 9, "{}", "[table] needs exactly one of a, b, and has none");
    check(
        "text = ''\ntable = { a = 1, b = 1 }",
        2,
        9,
        "{ a = 1, b = 1 }",
        "[table] needs exactly one of a, b, and has a, b",
    );
    check("text = ''\n[names]\n'a b' = 1", 3, 9, "1", "names.\"a b\" is a string, not an integer");
    check("text = ''\nmagic = 1", 2, 1, "magic", "magic is never supported, since there is none");
    check("text = ''\ntexts = 1", 2, 1, "texts", "unknown key texts in the sample");
    check("text = ''\ntable = { a = 1, c = 1 }", 2, 18, "c", "unknown key c in [table]");
}

#[test]
fn what_is_missing_or_no_toml_is_told_alone() {
    let message =
        |text: &str| read(text).unwrap_err().into_iter().map(|(.., kind)| kind.to_string()).collect::<Vec<_>>();
    assert_eq!(message(""), ["the sample needs the key text"]);
    assert_eq!(message(&" ".repeat(10_001)), ["10001 bytes, where 10000 are the most that is read"]);
    assert!(read("nothing = [\ntext = 1").unwrap_err().iter().all(|(.., kind)| matches!(kind, P::Syntax { .. })));
    assert!(read("text = ''\ntext = ''").unwrap_err().iter().all(|(.., kind)| matches!(kind, P::Syntax { .. })));
}

#[test]
fn all_mistakes_are_told_in_the_order_of_the_text() {
    let found = read("zzz = 1\nswitch = 1\nnumber = 9\n[table]\nd = 1\n").unwrap_err();
    let places: Vec<_> = found.iter().map(|(line, column, ..)| (*line, *column)).collect();
    // The key that is missing belongs to the whole text, which begins before everything else in it.
    assert_eq!(places, [(1, 1), (1, 1), (2, 10), (3, 10), (4, 1), (5, 1)]);
}

proptest! {
    #[test]
    fn any_text_is_read_or_refused_with_places_inside_it(text in "(?s).{0,100}") {
        if let Err(found) = read(&text) {
            prop_assert!(!found.is_empty());
            prop_assert!(found.iter().all(|(line, column, ..)| *line >= 1 && *column >= 1));
        }
    }

    #[test]
    fn a_damaged_text_is_read_or_refused(at in any::<prop::sample::Index>(), with in "[\\x00-\\x7f]{0,3}") {
        let starts: Vec<usize> = FULL.char_indices().map(|(at, _)| at).collect();
        let at = *at.get(&starts);
        let text = format!("{}{with}{}", FULL.get(..at).unwrap(), FULL.get(at..).unwrap());
        prop_assert_eq!(read(&text), read(&text));
    }
}
