//! Renders elements; what it writes is well-formed whatever the texts are.

use std::fmt::Display;

/// XML under construction, without blanks between the elements.
pub(crate) struct Writer {
    out: String,
}

impl Writer {
    /// A document with its declaration and its root element in `namespace`.
    pub(crate) fn document(
        root: &'static str,
        namespace: &str,
        fill: impl FnOnce(&mut Self),
    ) -> String {
        let mut writer = Self { out: r#"<?xml version="1.0" encoding="UTF-8"?>"#.to_owned() };
        writer.out.push('\n');
        writer.attributed(root, "xmlns", namespace, fill);
        writer.out.push('\n');
        writer.out
    }

    /// An element and what `fill` puts inside.
    pub(crate) fn element(&mut self, name: &'static str, fill: impl FnOnce(&mut Self)) {
        self.open(name);
        self.out.push('>');
        fill(self);
        self.close(name);
    }

    /// An element with one attribute.
    pub(crate) fn attributed(
        &mut self,
        name: &'static str,
        key: &'static str,
        value: &str,
        fill: impl FnOnce(&mut Self),
    ) {
        self.open(name);
        self.out.push(' ');
        self.out.push_str(key);
        self.out.push_str("=\"");
        self.escape(value);
        self.out.push_str("\">");
        fill(self);
        self.close(name);
    }

    /// An element that holds a text.
    pub(crate) fn leaf(&mut self, name: &'static str, value: impl Display) {
        self.element(name, |inner| inner.escape(&value.to_string()));
    }

    /// An element that holds a text, unless there is none.
    pub(crate) fn leaf_if(&mut self, name: &'static str, value: Option<impl Display>) {
        if let Some(value) = value {
            self.leaf(name, value);
        }
    }

    /// A text.
    pub(crate) fn escape(&mut self, text: &str) {
        for character in text.chars() {
            match character {
                '<' => self.out.push_str("&lt;"),
                '>' => self.out.push_str("&gt;"),
                '&' => self.out.push_str("&amp;"),
                '"' => self.out.push_str("&quot;"),
                // A reader would turn a carriage return into a line feed.
                '\r' => self.out.push_str("&#13;"),
                other => self.out.push(other),
            }
        }
    }

    /// Elements that are rendered already.
    pub(crate) fn rendered(&mut self, elements: &str) {
        self.out.push_str(elements);
    }

    fn open(&mut self, name: &'static str) {
        self.out.push('<');
        self.out.push_str(name);
    }

    fn close(&mut self, name: &'static str) {
        self.out.push_str("</");
        self.out.push_str(name);
        self.out.push('>');
    }
}
