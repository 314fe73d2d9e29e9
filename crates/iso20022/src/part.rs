//! Finds the parts of a file in the stream of its elements and holds each to its schema.

use std::borrow::Cow;
use std::fmt::Write as _;

use crate::attributes;
use crate::content::Place;
use crate::limits::{
    DEPTH_MAX, PARTS_MAX, TEXT_BYTES_MAX, VIOLATIONS_FILE_MAX, VIOLATIONS_PART_MAX,
};
use crate::position::Position;
use crate::report::{Code, Part, Report, Verdict, Violation};
use crate::schema::{Content, Message, NAMESPACE_PREFIX, Schemas, Simple, Type};
use crate::tree::Tree;
use crate::validate::{Expanded, Namespaces};
use crate::value;
use crate::wording::{shorten, unexpected};
use crate::xml::{Attribute, Fault, check_name, is_blank};

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
    /// Violations kept so far, in all parts.
    kept: usize,
    /// The part that is open.
    current: Option<Current>,
    keep_trees: bool,
    trees: Vec<Tree<'a>>,
}

/// The part that is open.
#[derive(Clone, Copy)]
struct Current {
    /// None where no table describes the part.
    message: Option<&'static Message>,
    /// How many elements of the envelope are around it.
    depth: usize,
}

/// One open element.
struct Open<'a> {
    local: &'a str,
    start: usize,
    kind: Kind,
    /// Which of several equal siblings this is, from 1.
    ordinal: u32,
    /// Place in the part's tree, where one is kept.
    node: Option<usize>,
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

/// What an open element makes of a new child.
struct Admission {
    kind: Kind,
    /// The child's type, where the schema gives one.
    ty: Option<&'static Type>,
    /// Which of several equal siblings the child is, from 1.
    ordinal: u32,
}

impl Admission {
    const fn untyped(kind: Kind) -> Self {
        Self { kind, ty: None, ordinal: 1 }
    }
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
            kept: 0,
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
        let local = &name[name.len() - expanded.local.len()..];
        let Admission { kind, ty, ordinal } = self.admit(&expanded, at)?;
        if ty.is_none() {
            check_name(name, at)?;
        }
        self.open.push(Open { local, start: at, kind, ordinal, node: None });
        self.value.clear();
        let (Some(ty), Some(Current { message: Some(message), .. })) = (ty, self.current) else {
            return Ok(());
        };
        self.keep(local, ty, attributes);
        attributes::check(ty, message, namespaces, attributes, |code, sentence| {
            self.report(at, code, sentence);
        });
        Ok(())
    }

    /// Puts the element that was opened last into the part's tree.
    fn keep(&mut self, local: &'a str, ty: &Type, attributes: &[Attribute<'_>]) {
        if !self.keep_trees {
            return;
        }
        let (Some(tree), Some(open)) = (self.trees.last_mut(), self.open.last_mut()) else {
            return;
        };
        let node = tree.open(local);
        open.node = Some(node);
        let is_declared = |name| ty.attributes.iter().any(|declared| declared.name == name);
        if let Some(attribute) = attributes.iter().find(|given| is_declared(given.name)) {
            tree.set_attribute(node, &attribute.value);
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

    /// What the open element makes of a new child.
    fn admit(&mut self, child: &Expanded<'_>, at: usize) -> Result<Admission, Fault> {
        let may_enter = self.may_enter(child);
        let message = self.current.and_then(|current| current.message);
        let is_own = message.is_some_and(|message| message.has_namespace(child.namespace));
        let Some(parent) = self.open.last_mut() else { return self.enter(child, at) };
        let sentence: Cow<'static, str> = match &mut parent.kind {
            Kind::Ignored if may_enter => return self.enter(child, at),
            Kind::Ignored => return Ok(Admission::untyped(Kind::Ignored)),
            Kind::Foreign { lax } => {
                let lax = *lax;
                return Ok(self.admit_foreign(child, is_own, lax));
            }
            Kind::Any { namespace, lax, seen, .. } => {
                let lax = *lax;
                let fits = namespace.is_none() || child.namespace == *namespace;
                if fits && !std::mem::replace(seen, true) {
                    return Ok(self.admit_foreign(child, is_own, lax));
                }
                "one element of another namespace is expected".into()
            }
            kind @ Kind::Value(_) => {
                // What is not a value at all need not be checked as one.
                *kind = Kind::Ignored;
                "a value is expected, not an element".into()
            }
            Kind::Elements { content, place, .. } => {
                let particle = match content {
                    _ if !is_own => None,
                    Content::Sequence(particles) => place.step_sequence(particles, child.local),
                    Content::Choice(particles) => place.step_choice(particles, child.local),
                    Content::Any { .. } | Content::Simple(_) | Content::SameAs(_) => None,
                };
                if let Some(particle) = particle {
                    let ordinal = place.count();
                    let admission = self.admit_typed(self.schemas.type_of(particle));
                    return Ok(Admission { ordinal, ..admission });
                }
                unexpected(child, is_own, content, *place).into()
            }
        };
        self.report(at, Code::ElementUnexpected, sentence);
        Ok(Admission::untyped(Kind::Ignored))
    }

    fn admit_typed(&self, ty: &'static Type) -> Admission {
        Admission { kind: self.kind_of(ty), ty: Some(ty), ordinal: 1 }
    }

    /// In foreign content, the one element the schema declares is checked; all others are not.
    fn admit_foreign(&self, child: &Expanded<'_>, is_own: bool, lax: bool) -> Admission {
        let message = self.current.and_then(|current| current.message);
        match message.filter(|message| lax && is_own && message.root == child.local) {
            Some(message) => self.admit_typed(self.schemas.root_type(message)),
            None => Admission::untyped(Kind::Foreign { lax }),
        }
    }

    /// Whether a part may begin here: outside of all parts, or inside of one that no table
    /// describes and that may thus be an envelope.
    fn may_enter(&self, child: &Expanded<'_>) -> bool {
        match self.current {
            None => true,
            Some(Current { message: Some(_), .. }) => false,
            Some(Current { message: None, .. }) => {
                let message = self.schemas.message_of(child.namespace.unwrap_or_default());
                message.is_some_and(|message| message.root == child.local)
            }
        }
    }

    /// An element outside of all parts: opens a part, or belongs to the envelope.
    fn enter(&mut self, child: &Expanded<'_>, at: usize) -> Result<Admission, Fault> {
        let namespace = child.namespace.unwrap_or_default();
        let name = namespace.strip_prefix(NAMESPACE_PREFIX);
        if name.is_none() && !matches!(child.local, "Document" | "AppHdr") {
            return Ok(Admission::untyped(Kind::Ignored));
        }
        if self.found.len() == PARTS_MAX {
            return Err(Fault::limit(at, format!("the file has more than {PARTS_MAX} parts")));
        }
        let message = self.schemas.message_of(namespace);
        self.found.push(Part {
            name: match name.unwrap_or(namespace) {
                "" => "(no namespace)".to_owned(),
                name => shorten(name).into_owned(),
            },
            verdict: if message.is_some() { Verdict::Valid } else { Verdict::Unsupported },
            line: self.position.of(self.text, at).0,
            violations: Vec::new(),
            violations_left_off: 0,
        });
        self.trees.extend(self.keep_trees.then(Tree::default));
        self.current = Some(Current { message, depth: self.open.len() });
        match message {
            Some(message) if message.root == child.local => {
                return Ok(self.admit_typed(self.schemas.root_type(message)));
            }
            Some(message) => {
                self.report(at, Code::Root, format!("the part must open with {}", message.root));
            }
            None => {}
        }
        Ok(Admission::untyped(Kind::Ignored))
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
        if let (Some(node), Some(tree)) = (node, self.trees.last_mut()) {
            if matches!(kind, Kind::Value(_)) {
                tree.set_text(node, &self.value);
            }
            tree.close(node);
        }
        // What follows a child is not the value of its parent.
        self.value.clear();
        self.open.pop();
        if self.current.is_some_and(|current| current.depth == self.open.len()) {
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
        if part.violations.len() == VIOLATIONS_PART_MAX || self.kept == VIOLATIONS_FILE_MAX {
            part.violations_left_off = part.violations_left_off.saturating_add(1);
            return;
        }
        let (line, column) = self.position.of(self.text, at);
        let depth = self.current.map_or(0, |current| current.depth);
        let path = path_of(&self.open[depth.min(self.open.len())..]);
        let sentence = sentence.into().into_owned();
        self.kept += 1;
        part.violations.push(Violation { line, column, path, code, sentence });
    }
}

/// `/Document/FIToFICstmrCdtTrf/CdtTrfTxInf[2]`.
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
