//! Finds the parts of a file in the stream of its elements and holds each to its schema.

use std::borrow::Cow;
use std::fmt::Write as _;

use crate::content::Place;
use crate::limits::{DEPTH_MAX, PARTS_MAX, TEXT_BYTES_MAX, VIOLATIONS_MAX};
use crate::position::Position;
use crate::report::{Code, Part, Report, Verdict, Violation};
use crate::schema::{Content, Message, NAMESPACE_PREFIX, Schemas, Simple, Type};
use crate::tree::Tree;
use crate::validate::{Expanded, Namespaces};
use crate::value;
use crate::xml::{Attribute, Fault, check_name, is_blank};

/// The namespace of `xsi:schemaLocation` and its like, which may stand on any element.
const INSTANCE: &str = "http://www.w3.org/2001/XMLSchema-instance";

/// Characters of a foreign namespace or name that a report repeats.
const FOREIGN_CHARACTERS_MAX: usize = 100;

/// The state of one validation.
pub(crate) struct Parts<'a> {
    text: &'a str,
    schemas: &'static Schemas,
    position: Position,
    /// The elements open now, the root first.
    open: Vec<Open<'a>>,
    /// The text of the innermost element, where it is a value.
    value: String,
    found: Vec<Part>,
    /// The message of the part that is open, and its depth.
    current: Option<(Option<&'static Message>, usize)>,
    keep_trees: bool,
    trees: Vec<Tree<'a>>,
}

/// One open element.
struct Open<'a> {
    local: &'a str,
    start: usize,
    kind: Kind,
    /// Which of several equal siblings this is, from 1.
    ordinal: u32,
    /// Place in the part's tree, where one is kept.
    node: usize,
}

/// What an open element is to its schema.
#[derive(Clone, Copy)]
enum Kind {
    /// In the envelope, in an unsupported part, or below an element that was refused.
    Ignored,
    Elements {
        content: &'static Content,
        place: Place,
        saw_text: bool,
    },
    /// One element of `namespace` must come inside.
    Any {
        namespace: Option<&'static str>,
        lax: bool,
        seen: bool,
        saw_text: bool,
    },
    /// Foreign content; `lax` as in the schema.
    Foreign {
        lax: bool,
    },
    Value(&'static Simple),
}

impl<'a> Parts<'a> {
    pub(crate) fn new(text: &'a str, keep_trees: bool) -> Self {
        Self {
            text,
            schemas: Schemas::get(),
            position: Position::default(),
            open: Vec::new(),
            value: String::new(),
            found: Vec::new(),
            current: None,
            keep_trees,
            trees: Vec::new(),
        }
    }

    /// How many elements are open.
    pub(crate) fn depth(&self) -> usize {
        self.open.len()
    }

    /// The report, once all was read or `fault` ended the reading.
    pub(crate) fn into_report(mut self, fault: Option<Fault>) -> (Report, Vec<Tree<'a>>) {
        let fault = fault.or_else(|| {
            let sentence = "the file holds neither an application header nor a document".into();
            self.found.is_empty().then_some(Fault { at: 0, code: Code::NoPart, sentence })
        });
        let fault = fault.map(|fault| self.position.violation(self.text, &fault));
        if fault.is_some() {
            for part in &mut self.found {
                part.verdict = Verdict::Invalid;
            }
        }
        (Report { parts: self.found, fault }, self.trees)
    }

    /// Takes a start tag.
    pub(crate) fn open(
        &mut self,
        name: &'a str,
        namespaces: &Namespaces<'_, '_>,
        attributes: &[Attribute<'_>],
        at: usize,
    ) -> Result<(), Fault> {
        if self.open.len() == DEPTH_MAX {
            return Err(Fault::limit(at, format!("elements nest deeper than {DEPTH_MAX}")));
        }
        let expanded = namespaces.element(name);
        let local = name.rsplit(':').next().unwrap_or(name);
        let (matched, ordinal) = self.admit(&expanded, at)?;
        let kind = matched.map_or_else(|kind| kind, |ty| self.kind_of(ty));
        if !matches!(kind, Kind::Value(_) | Kind::Elements { .. }) {
            check_name(name, at)?;
        }
        self.open.push(Open { local, start: at, kind, ordinal, node: usize::MAX });
        self.value.clear();
        let Ok(ty) = matched else { return Ok(()) };
        self.keep_node(local);
        self.check_attributes(ty, namespaces, attributes, at);
        Ok(())
    }

    fn keep_node(&mut self, local: &'a str) {
        if let (true, Some(tree), Some(open)) =
            (self.keep_trees, self.trees.last_mut(), self.open.last_mut())
        {
            open.node = tree.open(local);
        }
    }

    fn kind_of(&self, ty: &'static Type) -> Kind {
        match &ty.content {
            content @ (Content::Sequence(_) | Content::Choice(_)) => {
                Kind::Elements { content, place: Place::default(), saw_text: false }
            }
            Content::Any { namespace, lax } => {
                Kind::Any { namespace: *namespace, lax: *lax, seen: false, saw_text: false }
            }
            Content::Simple(_) | Content::SameAs(_) => {
                self.schemas.simple_of(ty).map_or(Kind::Ignored, Kind::Value)
            }
        }
    }

    /// What the open element makes of a new child: the child's type, or why it has none; and which
    /// of its equal siblings it is.
    fn admit(
        &mut self,
        child: &Expanded<'_>,
        at: usize,
    ) -> Result<(Result<&'static Type, Kind>, u32), Fault> {
        let may_enter = self.may_enter(child);
        let Some(parent) = self.open.last_mut() else { return self.enter(child, at) };
        let namespace = self.current.and_then(|(message, _)| message);
        let is_own = namespace.is_some_and(|message| is_namespace_of(child.namespace, message));
        match &mut parent.kind {
            Kind::Ignored if may_enter => self.enter(child, at),
            Kind::Ignored => Ok((Err(Kind::Ignored), 1)),
            Kind::Foreign { lax } => {
                let lax = *lax;
                Ok((self.admit_foreign(child, is_own, lax), 1))
            }
            Kind::Any { namespace, lax, seen, .. } => {
                let fits = namespace.is_none() || child.namespace == *namespace;
                let lax = *lax;
                if fits && !std::mem::replace(seen, true) {
                    return Ok((self.admit_foreign(child, is_own, lax), 1));
                }
                let sentence = "one element of another namespace is expected";
                self.report(at, Code::ElementUnexpected, sentence);
                Ok((Err(Kind::Ignored), 1))
            }
            Kind::Value(_) => {
                self.report(at, Code::ElementUnexpected, "a value is expected, not an element");
                Ok((Err(Kind::Ignored), 1))
            }
            Kind::Elements { content, place, .. } => {
                let particle = match content {
                    Content::Sequence(particles) if is_own => {
                        place.step_sequence(particles, child.local)
                    }
                    Content::Choice(particles) if is_own => {
                        place.step_choice(particles, child.local)
                    }
                    _ => None,
                };
                let count = place.count();
                if let Some(particle) = particle {
                    return Ok((Ok(self.schemas.type_of(particle)), count));
                }
                let sentence = unexpected(child, is_own, content, *place);
                self.report(at, Code::ElementUnexpected, sentence);
                Ok((Err(Kind::Ignored), 1))
            }
        }
    }

    /// Whether a part may begin here: outside of all parts, or inside of one that no table
    /// describes and that may thus be an envelope.
    fn may_enter(&self, child: &Expanded<'_>) -> bool {
        match self.current {
            None => true,
            Some((Some(_), _)) => false,
            Some((None, _)) => self
                .schemas
                .message_of(child.namespace.unwrap_or_default())
                .is_some_and(|message| message.root == child.local),
        }
    }

    /// In foreign content, the one element the schema declares is checked; all others are not.
    fn admit_foreign(
        &self,
        child: &Expanded<'_>,
        is_own: bool,
        lax: bool,
    ) -> Result<&'static Type, Kind> {
        let message = self.current.and_then(|(message, _)| message);
        match message.filter(|message| lax && is_own && message.root == child.local) {
            Some(message) => Ok(self.schemas.root_type(message)),
            None => Err(Kind::Foreign { lax }),
        }
    }

    /// An element outside of all parts: opens a part, or belongs to the envelope.
    fn enter(
        &mut self,
        child: &Expanded<'_>,
        at: usize,
    ) -> Result<(Result<&'static Type, Kind>, u32), Fault> {
        let namespace = child.namespace.unwrap_or("");
        let is_iso = namespace.starts_with(NAMESPACE_PREFIX);
        if !is_iso && !matches!(child.local, "Document" | "AppHdr") {
            return Ok((Err(Kind::Ignored), 1));
        }
        if self.found.len() == PARTS_MAX {
            return Err(Fault::limit(at, format!("the file has more than {PARTS_MAX} parts")));
        }
        let message = self.schemas.message_of(namespace);
        let name = namespace.strip_prefix(NAMESPACE_PREFIX).unwrap_or(namespace);
        self.found.push(Part {
            name: shorten(name).into_owned(),
            verdict: if message.is_some() { Verdict::Valid } else { Verdict::Unsupported },
            line: self.position.of(self.text, at).0,
            violations: Vec::new(),
            violations_left_off: 0,
        });
        self.trees.extend(self.keep_trees.then(Tree::default));
        self.current = Some((message, self.open.len()));
        match message {
            Some(message) if message.root == child.local => {
                Ok((Ok(self.schemas.root_type(message)), 1))
            }
            Some(message) => {
                self.report(at, Code::Root, format!("the part must open with {}", message.root));
                Ok((Err(Kind::Ignored), 1))
            }
            None => Ok((Err(Kind::Ignored), 1)),
        }
    }

    fn check_attributes(
        &mut self,
        ty: &'static Type,
        namespaces: &Namespaces<'_, '_>,
        attributes: &[Attribute<'_>],
        at: usize,
    ) {
        for given in attributes {
            if given.name == "xmlns" || given.name.starts_with("xmlns:") {
                continue;
            }
            let expanded = namespaces.attribute(given.name);
            let declared = ty.attributes.iter().find(|declared| declared.name == expanded.local);
            match (expanded.namespace, declared) {
                (Some(INSTANCE), _) => self.check_instance_attribute(ty, namespaces, given, at),
                (None, Some(declared)) => {
                    let simple = self.schemas.attribute_type(declared);
                    if let Some(Err((code, sentence))) =
                        simple.map(|simple| value::check(simple, &given.value))
                    {
                        self.report(at, code, format!("{}: {sentence}", declared.name));
                    }
                    self.keep_attribute(&given.value);
                }
                _ => {
                    let sentence = format!("attribute {} is not allowed", shorten(given.name));
                    self.report(at, Code::AttributeUnexpected, sentence);
                }
            }
        }
        for declared in &ty.attributes {
            if !attributes.iter().any(|given| given.name == declared.name) {
                let sentence = format!("attribute {} is missing", declared.name);
                self.report(at, Code::AttributeMissing, sentence);
            }
        }
    }

    fn keep_attribute(&mut self, value: &str) {
        if let (true, Some(tree), Some(open)) =
            (self.keep_trees, self.trees.last_mut(), self.open.last())
        {
            tree.set_attribute(open.node, value);
        }
    }

    /// `xsi:type` may only repeat the type that the schema gives; nothing may be nil.
    fn check_instance_attribute(
        &mut self,
        ty: &Type,
        namespaces: &Namespaces<'_, '_>,
        given: &Attribute<'_>,
        at: usize,
    ) {
        let expanded = namespaces.attribute(given.name);
        let allowed = match expanded.local {
            "schemaLocation" | "noNamespaceSchemaLocation" => true,
            "type" => {
                let named = namespaces.element(&given.value);
                let message = self.current.and_then(|(message, _)| message);
                let is_own =
                    message.is_some_and(|message| is_namespace_of(named.namespace, message));
                is_own && named.local == ty.name
            }
            _ => false,
        };
        if !allowed {
            let sentence = format!("attribute {} is not allowed", shorten(given.name));
            self.report(at, Code::AttributeUnexpected, sentence);
        }
    }

    /// Takes text in which references are replaced.
    pub(crate) fn text(&mut self, text: &str, at: usize) -> Result<(), Fault> {
        self.take_text(text, !is_blank(text), at)
    }

    /// Takes a `CDATA` section, which is content even where it is blank.
    pub(crate) fn character_data(&mut self, text: &str, at: usize) -> Result<(), Fault> {
        self.take_text(text, true, at)
    }

    fn take_text(&mut self, text: &str, counts: bool, at: usize) -> Result<(), Fault> {
        let Some(open) = self.open.last_mut() else { return Ok(()) };
        match &mut open.kind {
            Kind::Value(_) if self.value.len() + text.len() > TEXT_BYTES_MAX => {
                Err(Fault::limit(at, format!("a text is longer than {TEXT_BYTES_MAX} bytes")))
            }
            Kind::Value(_) => {
                self.value.push_str(text);
                Ok(())
            }
            Kind::Elements { saw_text, .. } | Kind::Any { saw_text, .. } => {
                if counts && !std::mem::replace(saw_text, true) {
                    self.report(at, Code::TextUnexpected, "text stands beside elements");
                }
                Ok(())
            }
            Kind::Ignored | Kind::Foreign { .. } => Ok(()),
        }
    }

    /// Takes an end tag.
    pub(crate) fn close(&mut self, at: usize) {
        let Some(open) = self.open.last() else { return };
        let (start, kind, node) = (open.start, open.kind, open.node);
        match kind {
            Kind::Value(simple) => {
                if let Err((code, sentence)) = value::check(simple, &self.value) {
                    self.report(start, code, sentence);
                }
            }
            Kind::Elements { content, place, .. } => self.check_complete(content, place, at),
            Kind::Any { seen: false, .. } => {
                self.report(at, Code::ElementMissing, "one element of any kind is missing");
            }
            Kind::Any { .. } | Kind::Foreign { .. } | Kind::Ignored => {}
        }
        if let (true, Some(tree)) = (node < usize::MAX, self.trees.last_mut()) {
            if matches!(kind, Kind::Value(_)) {
                tree.set_text(node, &self.value);
            }
            tree.close(node);
        }
        // What follows a child is not the value of its parent.
        self.value.clear();
        self.open.pop();
        if self.current.is_some_and(|(_, depth)| depth == self.open.len()) {
            self.current = None;
        }
    }

    fn check_complete(&mut self, content: &'static Content, place: Place, at: usize) {
        let (names, complete) = match content {
            Content::Sequence(particles) if place.completes_sequence(particles) => return,
            Content::Sequence(particles) => place.next_in_sequence(particles),
            Content::Choice(particles) => place.next_in_choice(particles),
            Content::Any { .. } | Content::Simple(_) | Content::SameAs(_) => return,
        };
        if !complete {
            let missing = match content {
                Content::Choice(_) => names.join(" or "),
                _ => names.last().copied().unwrap_or_default().to_owned(),
            };
            self.report(at, Code::ElementMissing, format!("element {missing} is missing"));
        }
    }

    /// Notes a violation at the element that is open (for an unexpected child: at its parent).
    fn report(&mut self, at: usize, code: Code, sentence: impl Into<Cow<'static, str>>) {
        let Some(part) = self.found.last_mut() else { return };
        part.verdict = Verdict::Invalid;
        if part.violations.len() == VIOLATIONS_MAX {
            part.violations_left_off = part.violations_left_off.saturating_add(1);
            return;
        }
        let (line, column) = self.position.of(self.text, at);
        let depth = self.current.map_or(0, |(_, depth)| depth);
        let path = path_of(&self.open[depth.min(self.open.len())..]);
        let sentence = sentence.into().into_owned();
        part.violations.push(Violation { line, column, path, code, sentence });
    }
}

fn is_namespace_of(namespace: Option<&str>, message: &Message) -> bool {
    let name = namespace.and_then(|namespace| namespace.strip_prefix(NAMESPACE_PREFIX));
    name == Some(message.name)
}

fn path_of(open: &[Open<'_>]) -> String {
    let mut path = String::new();
    for element in open {
        path.push('/');
        path.push_str(&shorten(element.local));
        if element.ordinal > 1 {
            write!(path, "[{}]", element.ordinal).expect("writing to a String cannot fail");
        }
    }
    path
}

fn unexpected(child: &Expanded<'_>, is_own: bool, content: &Content, place: Place) -> String {
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
fn shorten(name: &str) -> Cow<'_, str> {
    match name.char_indices().nth(FOREIGN_CHARACTERS_MAX) {
        Some((end, _)) => Cow::Owned(format!("{}…", &name[..end])),
        None => Cow::Borrowed(name),
    }
}
