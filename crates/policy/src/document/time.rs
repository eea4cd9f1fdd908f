//! `[time]`: when days begin.

use crate::problem::Problems;
use distil_settings::{Keys, Section};

pub(crate) const KEYS: Keys = Keys::all(&["timezone"]);

const UTC: &str = "UTC, since days begin at midnight UTC";

/// Reads what may be written, and changes nothing: a day that begins elsewhere would give another verdict for the same facts.
pub(crate) fn read(section: &Section<'_, '_>, problems: &mut Problems<'_>) {
    let zone = section.value("timezone").filter(|zone| !zone.is_text("UTC"));
    if let Some(zone) = zone
        && let Some(text) = zone.string(problems)
    {
        zone.malformed::<(), _>(text, UTC, problems);
    }
}
