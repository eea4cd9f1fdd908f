//! Copyright files in prose.

use super::draft::Draft;
use super::gnu;
use super::text;

/// Adds what a text in prose says for certain.
pub(super) fn analyse(text: &str, draft: &mut Draft) {
    draft.copyright(text.lines().map(str::trim).filter(|line| is_copyright(line)));
    let folded = text::folded(text);
    for id in gnu::pointed_to(&folded) {
        draft.add(id);
    }
}

/// Whether a line says who has the copyright since when.
fn is_copyright(line: &str) -> bool {
    let lower = line.to_lowercase();
    let is_claim = lower.contains("copyright") || lower.contains("(c)") || lower.contains('\u{a9}');
    let has_year = line
        .as_bytes()
        .windows(4)
        .any(|w| (w.starts_with(b"19") || w.starts_with(b"20")) && w.iter().all(u8::is_ascii_digit));
    is_claim && has_year && line.len() < 500
}
