//! The first line of `License` fields: short names joined by words.
//!
//! See [copyright-format 1.0, section 7.2]: `and` binds tighter than `or`, a comma before either lowers it.
//!
//! [copyright-format 1.0, section 7.2]: https://www.debian.org/doc/packaging-manuals/copyright-format/1.0/#license-syntax

use std::fmt;

use super::expression::Expression;

/// Brackets within brackets that are followed. What is deeper is one name.
const MAX_DEPTH: usize = 16;
/// Bytes of a line that are taken apart. What is longer is one name.
const MAX_LINE: usize = 8192;

/// One licence as a file names it.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Name {
    /// The short name. Words that should be joined by hyphens are.
    pub(super) licence: String,
    /// What stands between `with` and `exception`.
    pub(super) exception: Option<String>,
}

impl Name {
    /// Takes the exception off a name. There are two forms: `GPL-2+ with Font exception`, and the same joined by hyphens.
    fn new(words: &str) -> Self {
        let joined: Vec<&str> = words.split_whitespace().collect();
        let joined = joined.join("-");
        let lower = joined.to_ascii_lowercase();
        let split =
            ["-with-", "+with-", "-with_", "~with-"].iter().filter_map(|w| Some((lower.find(w)?, w.len()))).min();
        let Some((at, length)) = split else { return Self { licence: joined, exception: None } };
        // A plus sign before `with` belongs to the licence.
        let has_plus = lower.get(at..).is_some_and(|rest| rest.starts_with('+'));
        let licence = joined.get(..at + usize::from(has_plus)).unwrap_or_default();
        let exception = joined.get(at + length..).unwrap_or_default();
        Self { licence: licence.to_owned(), exception: Some(exception.to_owned()) }
    }
}

impl fmt::Display for Name {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.licence)?;
        self.exception.iter().try_for_each(|exception| write!(f, " with {exception}"))
    }
}

/// Words that a name may have: `GNU General Public License version 2 or later`.
const MAX_WORDS: usize = 9;

/// Whether a line is a sentence: somebody put the text of the licence where its name belongs.
pub(super) fn is_prose(line: &str) -> bool {
    let of_sentences =
        ["permission", "redistribution", "redistribute", "permitted", "hereby", "this", "you", "obtaining"];
    let is_of_sentences = |word: &str| of_sentences.iter().any(|other| other.eq_ignore_ascii_case(word));
    line.split_whitespace().nth(4).is_some() && line.split_whitespace().any(is_of_sentences)
}

/// Reads a line. What breaks the grammar is one name as a whole, spaces and all; none of an empty line.
pub(super) fn parse(line: &str) -> Option<Expression<Name>> {
    let line = line.trim();
    if line.is_empty() {
        return None;
    }
    let whole = || Expression::Term(Name { licence: line.to_owned(), exception: None });
    if line.len() > MAX_LINE {
        return Some(whole());
    }
    let tokens = tokens(line);
    let mut parser = Parser { tokens: &tokens, position: 0 };
    let parsed = parser.commas(0).filter(|_| parser.position == tokens.len());
    Some(parsed.unwrap_or_else(whole))
}

#[derive(Debug, Clone, PartialEq)]
enum Token<'a> {
    Word(&'a str),
    And,
    Or,
    Comma,
    Open,
    Close,
}

fn tokens(line: &str) -> Vec<Token<'_>> {
    let mut tokens = Vec::new();
    for chunk in line.split_whitespace() {
        let mut word = chunk;
        while let Some(rest) = word.strip_prefix('(') {
            tokens.push(Token::Open);
            word = rest;
        }
        word_tokens(word, &mut tokens);
    }
    mend(tokens)
}

fn word_tokens<'a>(word: &'a str, tokens: &mut Vec<Token<'a>>) {
    // Brackets within a word, as in `zlib(acknowledgement)`, belong to it.
    let closing = word.len() - word.trim_end_matches([')', ',', ';']).len();
    let (head, tail) = word.split_at(word.len() - closing);
    let inner = head.matches('(').count();
    let keep = tail.bytes().take(inner).take_while(|byte| *byte == b')').count();
    let (head, tail) = word.split_at(head.len() + keep);
    for (number, part) in head.split('|').enumerate() {
        if number > 0 {
            tokens.push(Token::Or);
        }
        match part.to_ascii_lowercase().as_str() {
            "" => {}
            "and" | "&" => tokens.push(Token::And),
            "or" | "and/or" => tokens.push(Token::Or),
            _ => tokens.push(Token::Word(part)),
        }
    }
    tokens.extend(tail.chars().map(|c| if c == ')' { Token::Close } else { Token::Comma }));
}

/// Joins what only looks like operators: `or later`, and `||`; and drops a comma at the end.
fn mend(tokens: Vec<Token<'_>>) -> Vec<Token<'_>> {
    let mut mended: Vec<Token<'_>> = Vec::with_capacity(tokens.len());
    for token in tokens {
        match (mended.last(), &token) {
            (Some(Token::Or), Token::Or) => {}
            (Some(Token::Or), Token::Word(word))
                if matches!(word.to_ascii_lowercase().as_str(), "later" | "newer" | "above" | "any") =>
            {
                mended.pop();
                mended.push(Token::Word("or-later"));
            }
            _ => mended.push(token),
        }
    }
    while mended.last() == Some(&Token::Comma) {
        mended.pop();
    }
    mended
}

struct Parser<'a> {
    tokens: &'a [Token<'a>],
    position: usize,
}

/// What joins two parts.
#[derive(Clone, Copy, PartialEq)]
enum Operator {
    And,
    Or,
}

impl<'a> Parser<'a> {
    fn peek(&self) -> Option<&'a Token<'a>> {
        self.tokens.get(self.position)
    }

    fn take(&mut self, token: &Token<'_>) -> bool {
        let is_next = self.peek() == Some(token);
        self.position += usize::from(is_next);
        is_next
    }

    fn operator(&mut self) -> Option<Operator> {
        if self.take(&Token::And) {
            Some(Operator::And)
        } else if self.take(&Token::Or) {
            Some(Operator::Or)
        } else {
            None
        }
    }

    /// Parts with commas between them.
    fn commas(&mut self, depth: usize) -> Option<Expression<Name>> {
        let mut parts = vec![self.ors(depth)?];
        let mut operators = Vec::new();
        while self.take(&Token::Comma) {
            operators.push(self.operator());
            parts.push(self.ors(depth)?);
        }
        // `A, B or C` and `A, B, or C` are lists in English: the last operator stands for those left out. A list without any
        // is read as `and`, which promises least.
        let mut last = match parts.last() {
            Some(Expression::Any(_)) if operators.last() == Some(&None) => Operator::Or,
            _ => Operator::And,
        };
        for operator in operators.iter_mut().rev() {
            last = operator.unwrap_or(last);
            *operator = Some(last);
        }
        let mut groups = Vec::new();
        let mut parts = parts.into_iter();
        let mut group = vec![parts.next()?];
        for (operator, part) in operators.into_iter().flatten().zip(parts) {
            if operator == Operator::Or {
                groups.extend(Expression::all(std::mem::take(&mut group)));
            }
            group.push(part);
        }
        groups.extend(Expression::all(group));
        Expression::any(groups)
    }

    fn ors(&mut self, depth: usize) -> Option<Expression<Name>> {
        let mut parts = vec![self.ands(depth)?];
        while self.take(&Token::Or) {
            parts.push(self.ands(depth)?);
        }
        Expression::any(parts)
    }

    fn ands(&mut self, depth: usize) -> Option<Expression<Name>> {
        let mut parts = vec![self.name(depth)?];
        while self.take(&Token::And) {
            parts.push(self.name(depth)?);
        }
        Expression::all(parts)
    }

    fn name(&mut self, depth: usize) -> Option<Expression<Name>> {
        if self.take(&Token::Open) {
            let inner = if depth < MAX_DEPTH { self.commas(depth + 1)? } else { return None };
            return self.take(&Token::Close).then_some(inner);
        }
        let mut words = Vec::new();
        self.words(&mut words);
        // `GPL-2+ with Font and OpenSSL exceptions` is one name.
        let is_open = |words: &[&str]| {
            let at = words.iter().rposition(|word| word.eq_ignore_ascii_case("with"));
            at.is_some() && !words.last().is_some_and(|word| is_exception(word))
        };
        if is_open(&words) && self.peek() == Some(&Token::And) {
            let (start, mut longer) = (self.position, words.clone());
            self.position += 1;
            longer.push("and");
            self.words(&mut longer);
            if longer.last().is_some_and(|word| is_exception(word)) { words = longer } else { self.position = start }
        }
        (1..=MAX_WORDS).contains(&words.len()).then(|| Expression::Term(Name::new(&words.join(" "))))
    }

    fn words(&mut self, words: &mut Vec<&'a str>) {
        while let Some(Token::Word(word)) = self.peek() {
            words.push(word);
            self.position += 1;
        }
    }
}

fn is_exception(word: &str) -> bool {
    let lower = word.to_ascii_lowercase();
    lower.ends_with("exception") || lower.ends_with("exceptions")
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn operators_and_commas_have_their_precedence() {
        for (line, expected) in [
            ("GPL-2+", "GPL-2+"),
            ("GPL-1+ or Artistic", "GPL-1+ OR Artistic"),
            ("A or B and C", "A OR (B AND C)"),
            ("A or B, and C", "(A OR B) AND C"),
            ("A and B, or C", "(A AND B) OR C"),
            ("A, B or C", "A OR B OR C"),
            ("A, B, or C", "A OR B OR C"),
            ("A, B and C", "A AND B AND C"),
            ("A, B", "A AND B"),
            ("A, or B, and C", "A OR (B AND C)"),
            ("A AND (B OR C)", "A AND (B OR C)"),
            ("((A) or (B))", "A OR B"),
            ("A and/or B", "A OR B"),
            ("A | B", "A OR B"),
            ("A|B||C", "A OR B OR C"),
            ("A and A", "A"),
            ("A and (B and C)", "A AND B AND C"),
            ("GPL-2 or later", "GPL-2-or-later"),
            ("BSD 3-clause", "BSD-3-clause"),
            ("zlib(acknowledgement) and B", "zlib(acknowledgement) AND B"),
            ("GPL-2+ with OpenSSL exception or B", "GPL-2+ with OpenSSL-exception OR B"),
            ("GPL-2+ with Font and OpenSSL exceptions and B", "GPL-2+ with Font-and-OpenSSL-exceptions AND B"),
            ("GPL-2+-with-Font-exception", "GPL-2+ with Font-exception"),
            ("GPL-2 with Linux-syscall-note or MIT", "GPL-2 with Linux-syscall-note OR MIT"),
            // What breaks the grammar is a name.
            ("A or", "A or"),
            ("(A", "(A"),
            ("a b c d e f g h i j", "a b c d e f g h i j"),
            ("and", "and"),
        ] {
            assert_eq!(parse(line).unwrap().to_string(), expected, "{line}");
        }
        assert_eq!(parse(" "), None);
    }

    #[test]
    fn nesting_has_an_end() {
        let deep = format!("{}A{}", "(".repeat(4000), ")".repeat(4000));
        assert_eq!(parse(&deep).unwrap().len(), 1);
        assert_eq!(parse(&"A or ".repeat(1 << 16)).unwrap().len(), 1);
    }

    proptest! {
        #[test]
        fn any_line_ends_in_an_expression(line in "((and|or|,|\\(|\\)|with|GPL-2\\+|later|\\||\\PC{0,3}) ?){0,12}") {
            prop_assert_eq!(parse(&line).is_none(), line.trim().is_empty());
        }
    }
}
