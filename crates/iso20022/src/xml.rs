//! The rules of XML 1.0 that the tokenizer leaves to its caller: characters, names, attributes,
//! references, the declaration.

use std::borrow::Cow;

use quick_xml::escape;

use crate::encoding::is_readable;
use crate::limits::{ATTRIBUTES_MAX, NAME_BYTES_MAX};
use crate::report::Code;

/// Why a file is refused as a whole.
#[derive(Debug)]
pub(crate) struct Fault {
    /// Byte offset into the text.
    pub(crate) at: usize,
    pub(crate) code: Code,
    pub(crate) sentence: Cow<'static, str>,
}

impl Fault {
    pub(crate) fn malformed(at: usize, sentence: impl Into<Cow<'static, str>>) -> Self {
        Self { at, code: Code::Malformed, sentence: sentence.into() }
    }

    pub(crate) fn limit(at: usize, sentence: impl Into<Cow<'static, str>>) -> Self {
        Self { at, code: Code::Limit, sentence: sentence.into() }
    }

    pub(crate) fn encoding(at: usize, sentence: impl Into<Cow<'static, str>>) -> Self {
        Self { at, code: Code::Encoding, sentence: sentence.into() }
    }
}

/// Checks that every character of a file is one of XML.
pub(crate) fn check_characters(text: &str) -> Result<(), Fault> {
    // Without an early exit the scan runs over many bytes at once; nearly all files pass.
    let holds_control = text.bytes().fold(false, |found, byte| found | is_forbidden_control(byte));
    let control = holds_control.then(|| text.bytes().position(is_forbidden_control)).flatten();
    let noncharacter = || text.find('\u{FFFE}').or_else(|| text.find('\u{FFFF}'));
    match control.or_else(noncharacter) {
        Some(at) => Err(Fault::malformed(at, "the file holds a character that XML forbids")),
        None => Ok(()),
    }
}

const fn is_forbidden_control(byte: u8) -> bool {
    byte < b' ' && !matches!(byte, b'\t' | b'\n' | b'\r')
}

/// Whether `text` holds nothing but the blanks of XML.
pub(crate) fn is_blank(text: &str) -> bool {
    text.bytes().all(|byte| matches!(byte, b' ' | b'\t' | b'\n' | b'\r'))
}

/// `text` without the blanks of XML around it.
pub(crate) fn trim(text: &str) -> &str {
    text.trim_matches([' ', '\t', '\n', '\r'])
}

/// Checks a name of an element, attribute or processing instruction.
pub(crate) fn check_name(name: &str, at: usize) -> Result<(), Fault> {
    if name.len() > NAME_BYTES_MAX {
        return Err(Fault::limit(at, format!("a name is longer than {NAME_BYTES_MAX} bytes")));
    }
    let mut letters = name.chars();
    let starts = letters.next().is_some_and(is_name_start);
    if starts && letters.all(|letter| is_name_start(letter) || is_name_rest(letter)) {
        Ok(())
    } else {
        Err(Fault::malformed(at, "a tag does not open with a name of XML"))
    }
}

/// Source: XML 1.0 (fifth edition), production 4.
fn is_name_start(letter: char) -> bool {
    matches!(letter,
        ':' | '_' | 'A'..='Z' | 'a'..='z' | '\u{C0}'..='\u{D6}' | '\u{D8}'..='\u{F6}'
        | '\u{F8}'..='\u{2FF}' | '\u{370}'..='\u{37D}' | '\u{37F}'..='\u{1FFF}'
        | '\u{200C}'..='\u{200D}' | '\u{2070}'..='\u{218F}' | '\u{2C00}'..='\u{2FEF}'
        | '\u{3001}'..='\u{D7FF}' | '\u{F900}'..='\u{FDCF}' | '\u{FDF0}'..='\u{FFFD}'
        | '\u{10000}'..='\u{EFFFF}')
}

/// Source: XML 1.0 (fifth edition), production 4a.
fn is_name_rest(letter: char) -> bool {
    matches!(letter,
        '-' | '.' | '0'..='9' | '\u{B7}' | '\u{300}'..='\u{36F}' | '\u{203F}'..='\u{2040}')
}

/// One attribute as it is written.
pub(crate) struct Attribute<'a> {
    pub(crate) name: &'a str,
    pub(crate) value: Cow<'a, str>,
}

/// Reads all attributes of a tag from `raw`, the text between the tag's name and its end, which
/// begins at offset `at`.
pub(crate) fn read_attributes<'a>(
    raw: &'a str,
    at: usize,
    attributes: &mut Vec<Attribute<'a>>,
) -> Result<(), Fault> {
    attributes.clear();
    let wrong = |sentence| Fault::malformed(at, sentence);
    let blanks = [' ', '\t', '\n', '\r'];
    let mut rest = raw;
    loop {
        let attribute = rest.trim_start_matches(blanks);
        if attribute.is_empty() {
            return Ok(());
        }
        if attribute.len() == rest.len() {
            return Err(wrong("attributes are not separated by a blank"));
        }
        let (name, value) =
            attribute.split_once('=').ok_or_else(|| wrong("an attribute has no value"))?;
        let name = name.trim_end_matches(blanks);
        check_name(name, at)?;
        let value = value.trim_start_matches(blanks);
        let quote = value.chars().next().filter(|quote| matches!(quote, '"' | '\''));
        let quoted = quote.and_then(|quote| value[1..].split_once(quote));
        let (value, after) = quoted.ok_or_else(|| wrong("an attribute's value is not quoted"))?;
        if attributes.iter().any(|earlier| earlier.name == name) {
            return Err(wrong("an attribute is given twice"));
        }
        if attributes.len() == ATTRIBUTES_MAX {
            return Err(Fault::limit(
                at,
                format!("a tag has more than {ATTRIBUTES_MAX} attributes"),
            ));
        }
        attributes.push(Attribute { name, value: normalize(value).map_err(wrong)? });
        rest = after;
    }
}

/// The value of an attribute: blanks become spaces, references are replaced.
fn normalize(raw: &str) -> Result<Cow<'_, str>, &'static str> {
    if raw.contains('<') {
        return Err("an attribute's value holds a <");
    }
    if !raw.contains(['&', '\t', '\n', '\r']) {
        return Ok(Cow::Borrowed(raw));
    }
    let spaced = raw.replace("\r\n", " ").replace(['\t', '\n', '\r'], " ");
    let value = escape::unescape(&spaced).map_err(|_| "a reference names nothing known")?;
    if value.chars().all(is_character) {
        Ok(Cow::Owned(value.into_owned()))
    } else {
        Err("a reference names a character that is not allowed")
    }
}

/// The character of `&name;` in text, if it is predefined or given by number.
pub(crate) fn resolve_reference(name: &str) -> Option<char> {
    let number = match name.strip_prefix('#') {
        Some(hexadecimal) if hexadecimal.starts_with('x') => (&hexadecimal[1..], 16),
        Some(decimal) => (decimal, 10),
        None => {
            return match name {
                "lt" => Some('<'),
                "gt" => Some('>'),
                "amp" => Some('&'),
                "apos" => Some('\''),
                "quot" => Some('"'),
                _ => None,
            };
        }
    };
    let (digits, radix) = number;
    let all_digits = digits.chars().all(|digit| digit.is_digit(radix));
    let code = u32::from_str_radix(digits, radix).ok().filter(|_| all_digits)?;
    char::from_u32(code).filter(|character| is_character(*character))
}

/// Source: XML 1.0, production 2.
fn is_character(character: char) -> bool {
    matches!(character, '\t' | '\n' | '\r' | ' '..='\u{FFFD}' | '\u{10000}'..)
}

/// Checks `<?xml …?>`, of which `content` is what follows `xml`.
pub(crate) fn check_declaration(content: &str) -> Result<(), Fault> {
    let mut attributes = Vec::new();
    read_attributes(content, 0, &mut attributes)?;
    let mut given = attributes.iter().map(|given| (given.name, given.value.as_ref())).peekable();
    let version = given.next_if(|(name, _)| *name == "version");
    let minor = version.and_then(|(_, version)| version.strip_prefix("1."));
    if !minor.is_some_and(|minor| !minor.is_empty() && minor.bytes().all(|b| b.is_ascii_digit())) {
        return Err(Fault::malformed(0, "the declaration does not name version 1.0"));
    }
    let encoding = given.next_if(|(name, _)| *name == "encoding").map(|(_, value)| value);
    if !encoding.is_none_or(is_readable) {
        return Err(Fault::encoding(0, "the declared encoding is neither UTF-8 nor ISO-8859-1"));
    }
    let standalone = given.next_if(|(name, _)| *name == "standalone").map(|(_, value)| value);
    if given.next().is_some() || !standalone.is_none_or(|value| matches!(value, "yes" | "no")) {
        return Err(Fault::malformed(0, "the declaration is not that of XML"));
    }
    Ok(())
}
