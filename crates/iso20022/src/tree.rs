//! The elements of one valid part, in the order of the file, for typed extraction.

use std::ops::Range;

/// A part's elements in preorder, their text in one buffer.
#[derive(Default)]
pub(crate) struct Tree<'a> {
    elements: Vec<Element<'a>>,
    text: String,
}

struct Element<'a> {
    name: &'a str,
    /// Index behind the element's last descendant.
    end: usize,
    text: Range<usize>,
    /// The value of the only attribute that the schemas know, `Ccy`.
    attribute: Range<usize>,
}

impl<'a> Tree<'a> {
    /// Opens an element below the one opened last; returns what [`Tree::close`] wants.
    pub(crate) fn open(&mut self, name: &'a str) -> usize {
        self.elements.push(Element { name, end: 0, text: 0..0, attribute: 0..0 });
        self.elements.len() - 1
    }

    pub(crate) fn set_attribute(&mut self, index: usize, value: &str) {
        self.elements[index].attribute = self.keep(value);
    }

    pub(crate) fn set_text(&mut self, index: usize, value: &str) {
        self.elements[index].text = self.keep(value);
    }

    pub(crate) fn close(&mut self, index: usize) {
        self.elements[index].end = self.elements.len();
    }

    fn keep(&mut self, value: &str) -> Range<usize> {
        let start = self.text.len();
        self.text.push_str(value);
        start..self.text.len()
    }

    /// The part's root, unless nothing was read.
    pub(crate) fn root(&self) -> Option<Node<'_>> {
        (!self.elements.is_empty()).then_some(Node { tree: self, index: 0 })
    }
}

/// One element of a [`Tree`].
#[derive(Clone, Copy)]
pub(crate) struct Node<'t> {
    tree: &'t Tree<'t>,
    index: usize,
}

impl<'t> Node<'t> {
    fn element(self) -> &'t Element<'t> {
        &self.tree.elements[self.index]
    }

    /// The element's name without prefix.
    pub(crate) fn name(self) -> &'t str {
        self.element().name
    }

    /// The element's text; empty where it holds elements.
    pub(crate) fn text(self) -> &'t str {
        &self.tree.text[self.element().text.clone()]
    }

    /// The value of `Ccy`; empty without.
    pub(crate) fn currency(self) -> &'t str {
        &self.tree.text[self.element().attribute.clone()]
    }

    /// The elements right below this one.
    pub(crate) fn all(self) -> impl Iterator<Item = Node<'t>> {
        let end = self.element().end;
        let first = Some(self.index + 1).filter(|index| *index < end);
        let indices = std::iter::successors(first, move |index| {
            Some(self.tree.elements[*index].end).filter(|next| *next < end)
        });
        indices.map(move |index| Node { tree: self.tree, index })
    }

    /// The elements of that name right below this one.
    pub(crate) fn children(self, name: &'static str) -> impl Iterator<Item = Node<'t>> {
        self.all().filter(move |node| node.name() == name)
    }

    /// The first descendant along `path`, names split by `/`.
    pub(crate) fn find(self, path: &'static str) -> Option<Node<'t>> {
        path.split('/').try_fold(self, |node, name| node.children(name).next())
    }

    /// The text of the first descendant along `path`.
    pub(crate) fn text_of(self, path: &'static str) -> Option<&'t str> {
        self.find(path).map(Node::text)
    }
}
