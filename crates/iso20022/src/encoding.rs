//! Bytes as text.

use std::borrow::Cow;

use crate::limits::FILE_BYTES_MAX;
use crate::position::Position;
use crate::report::Report;
use crate::xml::Fault;

/// Bytes in which a declaration must name its encoding.
const DECLARATION_BYTES_MAX: usize = 200;

/// The text of a file, without its byte order mark. ISO 20022-4 prescribes UTF-8; older systems of
/// banks still write ISO-8859-1, which is read where the file declares it.
///
/// # Errors
/// The report on a file that is too large or has another encoding.
pub(crate) fn decode(bytes: &[u8]) -> Result<Cow<'_, str>, Report> {
    if bytes.len() > FILE_BYTES_MAX {
        let sentence = format!("the file is larger than {FILE_BYTES_MAX} bytes");
        return Err(refuse("", &Fault::limit(0, sentence)));
    }
    if declares_latin_1(bytes) {
        return Ok(Cow::Owned(bytes.iter().copied().map(char::from).collect()));
    }
    let bytes = bytes.strip_prefix(b"\xEF\xBB\xBF").unwrap_or(bytes);
    std::str::from_utf8(bytes).map(Cow::Borrowed).map_err(|error| {
        let at = error.valid_up_to();
        let readable = String::from_utf8_lossy(&bytes[..at]);
        refuse(&readable, &Fault::encoding(at, "the bytes are not UTF-8"))
    })
}

/// Whether a declaration may name this encoding; ASCII is a part of UTF-8.
pub(crate) fn is_readable(name: &str) -> bool {
    ["utf-8", "us-ascii", "iso-8859-1"].iter().any(|readable| name.eq_ignore_ascii_case(readable))
}

fn declares_latin_1(bytes: &[u8]) -> bool {
    let head = String::from_utf8_lossy(&bytes[..bytes.len().min(DECLARATION_BYTES_MAX)]);
    let declaration = head.strip_prefix("<?xml").and_then(|rest| rest.split_once("?>"));
    declaration.is_some_and(|(declaration, _)| {
        let declaration = declaration.to_ascii_lowercase();
        declaration.contains("\"iso-8859-1\"") || declaration.contains("'iso-8859-1'")
    })
}

fn refuse(text: &str, fault: &Fault) -> Report {
    let fault = Position::default().violation(text, fault);
    Report { parts: Vec::new(), fault: Some(fault) }
}
