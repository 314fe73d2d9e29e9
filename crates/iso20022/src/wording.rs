//! The words of a report.

use std::borrow::Cow;

use crate::content::Place;
use crate::schema::Content;
use crate::validate::Expanded;

/// Characters of a name or namespace of the sender's choice that a report repeats.
const FOREIGN_CHARACTERS_MAX: usize = 100;

/// Says that `child` may not come at `place`, and what may.
pub(crate) fn unexpected(
    child: &Expanded<'_>,
    is_own: bool,
    content: &Content,
    place: Place,
) -> String {
    let (expected, _) = match content {
        Content::Sequence(particles) => place.next_in_sequence(particles),
        Content::Choice(particles) => place.next_in_choice(particles),
        Content::Any { .. } | Content::Simple(_) | Content::SameAs(_) => (Vec::new(), true),
    };
    let name = shorten(child.local);
    let origin = if is_own { "" } else { " of another namespace" };
    if expected.is_empty() {
        return format!("element {name}{origin} is not allowed after the last one");
    }
    format!("element {name}{origin} is not allowed here, only {}", expected.join(" or "))
}

/// A name that the sender chose, cut to a length that a report can hold.
pub(crate) fn shorten(name: &str) -> Cow<'_, str> {
    match name.char_indices().nth(FOREIGN_CHARACTERS_MAX) {
        Some((end, _)) => Cow::Owned(format!("{}…", &name[..end])),
        None => Cow::Borrowed(name),
    }
}
