//! For a terminal.

use distil_vulns::Level;

use super::{cut, due, severity, shown, totals, weight};
use crate::{Outcome, Verdict, Violation, VulnerabilityNote, Weight};

const RESET: &str = "\x1b[0m";
const BOLD: &str = "\x1b[1m";
const RED: &str = "\x1b[31m";
const YELLOW: &str = "\x1b[33m";
const GREEN: &str = "\x1b[32m";

const HEADINGS: [&str; 10] =
    ["PACKAGE", "SOURCE", "INSTALLED", "FIXED", "ID", "SEVERITY", "STATUS", "DUE", "WEIGHT", "RULE"];
/// Columns that a narrow terminal does without, in this order.
const LEFT_OUT: [usize; 6] = [9, 8, 0, 6, 2, 3];
/// Characters of a cell.
const CELL: usize = 60;

/// A cell and its colour.
type Cell = (String, &'static str);

/// The verdict for people: vulnerabilities in a table, everything else as a list, what is let pass, what keeps it from being
/// decided, and the answer last. A line has at most `width` characters; 0 stands for no limit.
#[must_use]
pub fn table(verdict: &Verdict, width: usize, colour: bool) -> String {
    let mut out = Page { text: String::new(), width: if width == 0 { usize::MAX } else { width }, colour };
    let rows: Vec<_> =
        verdict.violations.iter().filter_map(|violation| Some(row(violation, note(violation)?))).collect();
    if !rows.is_empty() {
        out.heading(&format!("Vulnerabilities ({})", rows.len()));
        out.rows(&rows);
    }
    let others: Vec<_> = verdict.violations.iter().filter(|violation| violation.vulnerability.is_none()).collect();
    if !others.is_empty() {
        out.heading(&format!("Rules ({})", others.len()));
        for violation in others {
            let subject = format!("{}: {}", shown(&violation.subject), shown(&violation.evidence));
            let weight = weight(violation.weight);
            out.line(&[
                (format!("  {weight:<7}  "), colour_of(violation.weight)),
                (format!("{}  {subject}", shown(&violation.rule)), ""),
            ]);
            if !violation.fix.is_empty() {
                out.line(&[(format!("           {}", shown(&violation.fix)), "")]);
            }
        }
    }
    if !verdict.suppressed.is_empty() {
        out.heading(&format!("Suppressed ({})", verdict.suppressed.len()));
        for suppressed in &verdict.suppressed {
            let until = suppressed.expires.map(|day| format!(", until {day}")).unwrap_or_default();
            out.line(&[(
                format!(
                    "  {}  {}{until}: {}",
                    shown(&suppressed.violation.subject),
                    shown(&suppressed.by),
                    shown(&suppressed.reason)
                ),
                "",
            )]);
        }
    }
    if !verdict.undecided.is_empty() {
        out.heading(&format!("Undecided ({})", verdict.undecided.len()));
        for reason in &verdict.undecided {
            out.line(&[(format!("  {}", shown(reason)), "")]);
        }
    }
    out.gap();
    let colour = match verdict.verdict {
        Outcome::Pass => GREEN,
        Outcome::Fail => RED,
        Outcome::Undecided => YELLOW,
    };
    out.line(&[(totals(verdict), colour)]);
    out.text
}

fn note(violation: &Violation) -> Option<&VulnerabilityNote> {
    violation.vulnerability.as_ref()
}

fn row(violation: &Violation, note: &VulnerabilityNote) -> [Cell; 10] {
    let package = note.packages.first().map(|name| shown(name)).unwrap_or_default();
    let more = note.packages.len().saturating_sub(1);
    let package = if more == 0 { package } else { format!("{package} +{more}") };
    let severity_colour = match note.severity.level {
        Some(Level::Critical | Level::High) => RED,
        Some(Level::Moderate) => YELLOW,
        _ => "",
    };
    let due_colour = if violation.days_left.is_some_and(|days| days < 0) { RED } else { "" };
    let plain = |text: &str| (cut(&shown(text), CELL), "");
    [
        (cut(&package, CELL), ""),
        plain(&note.source),
        plain(&note.installed),
        plain(note.fixed.as_deref().unwrap_or_default()),
        plain(&note.id),
        (severity(&note.severity), severity_colour),
        plain(note.status.as_str()),
        (due(violation), due_colour),
        (weight(violation.weight).to_owned(), colour_of(violation.weight)),
        plain(&violation.rule),
    ]
}

fn colour_of(weight: Weight) -> &'static str {
    match weight {
        Weight::Error => RED,
        Weight::Warning => YELLOW,
        Weight::Note => "",
    }
}

struct Page {
    text: String,
    width: usize,
    colour: bool,
}

impl Page {
    fn gap(&mut self) {
        if !self.text.is_empty() {
            self.text.push('\n');
        }
    }

    fn heading(&mut self, text: &str) {
        self.gap();
        self.line(&[(text.to_owned(), BOLD)]);
    }

    fn rows(&mut self, rows: &[[Cell; 10]]) {
        let widths: [usize; 10] = std::array::from_fn(|column| {
            let cells = rows.iter().filter_map(|row| row.get(column)).map(|(text, _)| text.chars().count());
            let heading = HEADINGS.get(column).map_or(0, |heading| heading.len());
            cells.max().unwrap_or(0).max(heading) + 2
        });
        let mut shown = [true; 10];
        for column in LEFT_OUT {
            let total: usize = widths.iter().zip(shown).filter(|(_, shown)| *shown).map(|(width, _)| width).sum();
            if total > self.width
                && let Some(shown) = shown.get_mut(column)
            {
                *shown = false;
            }
        }
        let line = |cells: &[Cell; 10]| -> Vec<Cell> {
            let cells = cells.iter().zip(widths).zip(shown).filter(|(_, shown)| *shown);
            let padded = cells.map(|(((text, colour), width), _)| {
                (format!("{text}{}", " ".repeat(width.saturating_sub(text.chars().count()))), *colour)
            });
            std::iter::once(("  ".to_owned(), "")).chain(padded).collect()
        };
        self.line(&line(&HEADINGS.map(|heading| (heading.to_owned(), BOLD))));
        for row in rows {
            let cells = line(row);
            self.line(&cells);
        }
    }

    /// A line of coloured parts, cut where it is too long; colours take no room.
    fn line(&mut self, parts: &[Cell]) {
        let last = parts.iter().rposition(|(text, _)| !text.trim_end().is_empty()).unwrap_or(0);
        let parts = parts.iter().take(last + 1).enumerate();
        let parts =
            parts.map(|(at, (text, colour))| (if at == last { text.trim_end() } else { text.as_str() }, *colour));
        let parts: Vec<_> = parts.collect();
        let length: usize = parts.iter().map(|(text, _)| text.chars().count()).sum();
        let mut left = self.width;
        for (text, colour) in parts {
            let count = text.chars().count();
            let text =
                if length > self.width && count >= left { cut(&format!("{text} "), left) } else { text.to_owned() };
            left = left.saturating_sub(count);
            if self.colour && !colour.is_empty() {
                self.text.extend([colour, text.as_str(), RESET]);
            } else {
                self.text.push_str(&text);
            }
            if left == 0 {
                break;
            }
        }
        let end = self.text.trim_end_matches(' ').len();
        self.text.truncate(end);
        self.text.push('\n');
    }
}
