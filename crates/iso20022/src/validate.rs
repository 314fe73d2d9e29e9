//! Reads a file once and checks every part against its schema.

use quick_xml::events::Event;
use quick_xml::name::{NamespaceError, QName, ResolveResult};
use quick_xml::reader::NsReader;

use crate::encoding::decode;
use crate::limits::{NAMESPACES_MAX, TEXT_BYTES_MAX};
use crate::part::Parts;
use crate::report::Report;
use crate::schema::Schemas;
use crate::tree::Tree;
use crate::xml::{self, Fault};

/// Validates a file: every application header and document in it, each on its own, whatever
/// envelope holds them.
///
/// Never fails: what is wrong with the file is in the report. Files of [`crate::limits`]' sizes
/// take time in proportion to their length and memory in proportion to their depth.
///
/// Source: XML 1.0, Namespaces in XML 1.0, XML Schema 1.0 as far as ISO 20022 uses it.
pub fn validate(bytes: &[u8]) -> Report {
    match decode(bytes) {
        Ok(text) => read(&text, false).0,
        Err(report) => report,
    }
}

/// The names of all messages that [`validate`] knows: `pacs.008.001.08` and so on.
pub fn supported_messages() -> impl Iterator<Item = &'static str> {
    Schemas::get().names()
}

/// Validates a file and keeps the elements of its supported parts, in the order of the report's
/// parts (an unsupported part has an empty tree).
pub(crate) fn validate_into_trees(text: &str) -> (Report, Vec<Tree<'_>>) {
    read(text, true)
}

fn read(text: &str, keep_trees: bool) -> (Report, Vec<Tree<'_>>) {
    let mut parts = Parts::new(text, keep_trees);
    let walk = Walk { text, parts: &mut parts };
    let fault = xml::check_characters(text).and_then(|()| walk.run()).err();
    parts.into_report(fault)
}

/// The tokens of one file, checked for what makes XML well-formed.
struct Walk<'a, 'p> {
    text: &'a str,
    parts: &'p mut Parts<'a>,
}

impl Walk<'_, '_> {
    fn run(mut self) -> Result<(), Fault> {
        let mut reader = NsReader::from_str(self.text);
        reader.config_mut().check_comments = true;
        reader.resolver_mut().set_max_namespace_bindings(NAMESPACES_MAX);
        let mut attributes = Vec::new();
        let mut seen_root = false;
        loop {
            let at = position(reader.buffer_position());
            let event = reader.read_event().map_err(|error| self.refusal(at, &error))?;
            let end = position(reader.buffer_position());
            let outside = self.parts.depth() == 0;
            match event {
                Event::Start(_) | Event::Empty(_) if outside && seen_root => {
                    return Err(Fault::malformed(at, "a second root element follows the first"));
                }
                Event::Start(ref tag) | Event::Empty(ref tag) => {
                    seen_root = true;
                    let is_empty = matches!(event, Event::Empty(_));
                    let name = &self.text[at + 1..at + 1 + tag.name().0.len()];
                    let closing = if is_empty { 2 } else { 1 };
                    let raw = &self.text[at + 1 + name.len()..end - closing];
                    xml::read_attributes(raw, at, &mut attributes)?;
                    let namespaces = Namespaces { reader: &reader };
                    self.parts.open(name, &namespaces, &attributes, at)?;
                    if is_empty {
                        self.parts.close(at);
                    }
                }
                Event::End(_) => self.parts.close(at),
                Event::Text(text) => self.on_text(&text, at)?,
                Event::GeneralRef(reference) => {
                    let character = xml::resolve_reference(&reference);
                    let unknown = || Fault::malformed(at, "a reference names nothing known");
                    let character = character.filter(|_| !outside).ok_or_else(unknown)?;
                    self.parts.text(character.encode_utf8(&mut [0; 4]), at)?;
                }
                Event::CData(_) if outside => {
                    return Err(Fault::malformed(at, "text stands outside of the root element"));
                }
                Event::CData(data) => self.parts.character_data(&data.xml10_content(), at)?,
                Event::Decl(_) if at > 0 => {
                    return Err(Fault::malformed(at, "a declaration stands inside of the file"));
                }
                Event::Decl(declaration) => xml::check_declaration(&declaration["xml".len()..])?,
                Event::PI(instruction) => xml::check_name(instruction.target(), at)?,
                Event::DocType(_) => {
                    let code = crate::report::Code::Doctype;
                    let sentence = "a document type declaration is not allowed".into();
                    return Err(Fault { at, code, sentence });
                }
                Event::Comment(_) => {}
                Event::Eof if self.parts.depth() > 0 => {
                    return Err(Fault::malformed(at, "the file ends inside of an element"));
                }
                Event::Eof if !seen_root => {
                    return Err(Fault::malformed(at, "the file holds no element"));
                }
                Event::Eof => return Ok(()),
            }
        }
    }

    fn on_text(&mut self, text: &quick_xml::events::BytesText<'_>, at: usize) -> Result<(), Fault> {
        if text.len() > TEXT_BYTES_MAX {
            return Err(Fault::limit(at, format!("a text is longer than {TEXT_BYTES_MAX} bytes")));
        }
        // Most texts hold no bracket, and looking for one byte is cheap.
        if text.contains(']') && text.contains("]]>") {
            return Err(Fault::malformed(at, "text holds ]]>"));
        }
        if self.parts.depth() == 0 {
            let sentence = "text stands outside of the root element";
            return if xml::is_blank(text) { Ok(()) } else { Err(Fault::malformed(at, sentence)) };
        }
        self.parts.text(&text.xml10_content(), at)
    }

    /// The tokenizer's error, without the text of the file that it may quote.
    fn refusal(&self, at: usize, error: &quick_xml::Error) -> Fault {
        use quick_xml::errors::{IllFormedError as Ill, SyntaxError as Syntax};
        let sentence = match error {
            quick_xml::Error::Syntax(Syntax::InvalidBangMarkup) => "<! opens nothing known",
            quick_xml::Error::Syntax(_) => "the file ends inside of a tag or comment",
            quick_xml::Error::IllFormed(Ill::MismatchedEndTag { .. }) => {
                "the end tag names another element than the one that is open"
            }
            quick_xml::Error::IllFormed(Ill::UnmatchedEndTag(_)) => "the end tag closes nothing",
            quick_xml::Error::IllFormed(Ill::DoubleHyphenInComment) => "a comment holds --",
            quick_xml::Error::IllFormed(Ill::UnclosedReference) => "a reference does not end",
            quick_xml::Error::Namespace(NamespaceError::TooManyBindings(_)) => {
                return Fault::limit(at, format!("more than {NAMESPACES_MAX} namespaces"));
            }
            quick_xml::Error::Namespace(_) => "a namespace is declared wrongly",
            _ => "the file is not well-formed",
        };
        // Nothing after `at` was taken in; a text's error lies inside of it.
        Fault::malformed(at.min(self.text.len()), sentence)
    }
}

/// What the prefixes of the element just read stand for.
pub(crate) struct Namespaces<'r, 'a> {
    reader: &'r NsReader<&'a [u8]>,
}

/// A name taken apart.
pub(crate) struct Expanded<'r> {
    /// `None` without a namespace, or with a prefix that nothing declares.
    pub(crate) namespace: Option<&'r str>,
    pub(crate) local: &'r str,
}

impl<'r> Namespaces<'r, '_> {
    /// The name of an element, under the default namespace without a prefix.
    pub(crate) fn element(&self, name: &'r str) -> Expanded<'r> {
        let (resolved, local) = self.reader.resolver().resolve_element(QName(name));
        Self::expand(name, &resolved, local.into_inner())
    }

    /// The name of an attribute, under no namespace without a prefix.
    pub(crate) fn attribute(&self, name: &'r str) -> Expanded<'r> {
        let (resolved, local) = self.reader.resolver().resolve_attribute(QName(name));
        Self::expand(name, &resolved, local.into_inner())
    }

    fn expand(name: &'r str, resolved: &ResolveResult<'r>, local: &'r str) -> Expanded<'r> {
        match resolved {
            ResolveResult::Bound(namespace) => {
                Expanded { namespace: Some(namespace.into_inner()), local }
            }
            ResolveResult::Unbound => Expanded { namespace: None, local },
            // As libxml2 does: the prefix stays a part of the name.
            ResolveResult::Unknown(_) => Expanded { namespace: None, local: name },
        }
    }
}

fn position(offset: u64) -> usize {
    usize::try_from(offset).expect("an offset into a slice fits in usize")
}
