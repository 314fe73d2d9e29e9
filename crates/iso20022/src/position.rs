//! Offsets as lines and columns, counted only when something is wrong.

use crate::report::Violation;
use crate::xml::Fault;

/// Counts lines from the last place asked for: places mostly come in order.
#[derive(Debug)]
pub(crate) struct Position {
    offset: usize,
    line: u32,
    column: u32,
}

impl Default for Position {
    fn default() -> Self {
        Self { offset: 0, line: 1, column: 1 }
    }
}

impl Position {
    /// Line and column of the character at `offset`, each from 1.
    pub(crate) fn of(&mut self, text: &str, offset: usize) -> (u32, u32) {
        let offset = text.floor_char_boundary(offset);
        if offset < self.offset {
            *self = Self::default();
        }
        for character in text[self.offset..offset].chars() {
            (self.line, self.column) = match character {
                '\n' => (self.line.saturating_add(1), 1),
                _ => (self.line, self.column.saturating_add(1)),
            };
        }
        self.offset = offset;
        (self.line, self.column)
    }

    /// A fault of the whole file as a violation outside of all parts.
    pub(crate) fn violation(&mut self, text: &str, fault: &Fault) -> Violation {
        let (line, column) = self.of(text, fault.at);
        let sentence = fault.sentence.clone().into_owned();
        Violation { line, column, path: String::new(), code: fault.code, sentence }
    }
}
