//! Lists that come in pages.

use std::collections::BTreeSet;

use distil_net::Response;
use url::Url;

use super::answer::{self, AnswerError};
use super::remote::{Remote, Whole};
use crate::error::RegistryError;
use crate::transport::Target;

/// Pages of one list.
const MOST_PAGES: usize = 10_000;

/// The pages of a list, each at the place that the one before [names].
///
/// [names]: https://www.rfc-editor.org/rfc/rfc8288
pub(super) struct Pages<'a> {
    remote: &'a Remote,
    what: &'static str,
    first: Option<String>,
    next: Option<Url>,
    seen: BTreeSet<Url>,
}

/// What came for a page.
pub(super) enum Page {
    Bytes(Vec<u8>),
    /// An answer that is no page.
    Other(Box<Response>),
    /// There are no more.
    None,
}

impl<'a> Pages<'a> {
    pub(super) fn new(remote: &'a Remote, path: String, what: &'static str) -> Self {
        Self { remote, what, first: Some(path), next: None, seen: BTreeSet::new() }
    }

    /// The next page. `is_page` says whether an answer is one.
    pub(super) fn next(&mut self, is_page: &dyn Fn(&Response) -> bool) -> Result<Page, RegistryError> {
        let (path, url) = (self.first.take(), self.next.take());
        let target = match (&path, &url) {
            (Some(path), _) => Target::Path(path),
            (None, Some(url)) => Target::Url(url),
            (None, None) => return Ok(Page::None),
        };
        let head = |answer: &Response| {
            if !is_page(answer) {
                return Ok(None);
            }
            answer::check_encoding(answer)?;
            Ok(Some(answer.headers("link").find_map(next_link).map(str::to_owned)))
        };
        let (link, bytes) = match self.remote.read(&target, &Vec::new(), &head)? {
            Whole::Read(link, bytes) => (link, bytes),
            Whole::Other(answer) => return Ok(Page::Other(answer)),
        };
        if let Some(link) = link {
            let next = self.remote.locate(&target, &link)?;
            // A page that names one from before would go round for ever.
            if self.seen.len() >= MOST_PAGES || !self.seen.insert(next.clone()) {
                return Err(AnswerError::Endless { what: self.what, limit: self.seen.len() }.into());
            }
            self.next = Some(next);
        }
        Ok(Page::Bytes(bytes))
    }
}

/// The target of the link with the relation `next` in a header field of links.
fn next_link(field: &str) -> Option<&str> {
    let mut rest = field;
    loop {
        let (_, after) = rest.split_once('<')?;
        let (target, after) = after.split_once('>')?;
        let (parameters, after) = split_outside_quotes(after, ',');
        if is_next(parameters) {
            return Some(target);
        }
        rest = after;
    }
}

fn is_next(mut parameters: &str) -> bool {
    while !parameters.is_empty() {
        let (parameter, rest) = split_outside_quotes(parameters, ';');
        if let Some((name, value)) = parameter.split_once('=')
            && name.trim().eq_ignore_ascii_case("rel")
        {
            let value = value.trim().trim_matches('"');
            return value.split_ascii_whitespace().any(|relation| relation.eq_ignore_ascii_case("next"));
        }
        parameters = rest;
    }
    false
}

/// Splits at the first such character that does not stand in quotes.
fn split_outside_quotes(text: &str, at: char) -> (&str, &str) {
    let (mut quoted, mut escaped) = (false, false);
    let end = text.find(|c| {
        let ends = c == at && !quoted;
        match c {
            _ if escaped => escaped = false,
            '\\' if quoted => escaped = true,
            '"' => quoted = !quoted,
            _ => {}
        }
        ends
    });
    match end.and_then(|end| text.split_at_checked(end)) {
        Some((before, after)) => (before, after.strip_prefix(at).unwrap_or_default()),
        None => (text, ""),
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn links_are_told_apart() {
        let cases = [
            ("</v2/a/tags/list?last=b&n=2>; rel=\"next\"", Some("/v2/a/tags/list?last=b&n=2")),
            ("<https://a/b>;rel=next", Some("https://a/b")),
            ("<a>; rel=prev, <b,c>; title=\"x, y; rel=next\"; REL=\"last Next\"", Some("b,c")),
            ("<a>; rel=\"prev\"", None),
            ("<a>; title=\"rel=next\"", None),
            ("<a>; title=\"\\\"; rel=next\"", None),
            ("a; rel=next", None),
            ("<a; rel=next", None),
            ("", None),
        ];
        for (field, expected) in cases {
            assert_eq!(next_link(field), expected, "{field}");
        }
    }

    proptest! {
        #[test]
        fn what_is_found_stands_in_angle_brackets(field in "[<>;,=\"\\\\ a-z]{0,60}") {
            if let Some(link) = next_link(&field) {
                let quoted = format!("<{link}>");
                prop_assert!(field.contains(&quoted));
                prop_assert!(field.to_ascii_lowercase().contains("next"));
            }
        }

        #[test]
        fn a_written_link_is_read(target in "[a-z/?=&,;\"]{1,30}", before in "[a-z]{1,8}") {
            let field = format!("<x>; rel={before}x, <{target}>; rel=\"next\"");
            prop_assert_eq!(next_link(&field), Some(target.as_str()));
        }
    }
}
