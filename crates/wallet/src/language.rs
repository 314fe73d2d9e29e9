//! The languages that people read here.

use std::fmt;

use serde::{Deserialize, Serialize};

/// A language of the wallet.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum Language {
    /// The state language, and the default.
    #[default]
    #[serde(rename = "az")]
    Azerbaijani,
    /// English.
    #[serde(rename = "en")]
    English,
    /// Russian.
    #[serde(rename = "ru")]
    Russian,
}

impl Language {
    /// All of them, in the order in which pages offer them.
    pub const ALL: [Self; 3] = [Self::Azerbaijani, Self::English, Self::Russian];

    /// Its code (ISO 639-1).
    pub const fn code(self) -> &'static str {
        match self {
            Self::Azerbaijani => "az",
            Self::English => "en",
            Self::Russian => "ru",
        }
    }

    /// Its own name for itself.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Azerbaijani => "Azərbaycanca",
            Self::English => "English",
            Self::Russian => "Русский",
        }
    }

    /// The language of a code; `None` for all others.
    pub fn parse(code: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|language| language.code() == code)
    }
}

impl fmt::Display for Language {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.code())
    }
}
