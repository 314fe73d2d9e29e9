//! The one screen of a consent: who, what, why, until when, and what the law keeps.
//!
//! The screen is data. Its digest goes into the passkey's challenge, so the person's signature is
//! over exactly what was shown, in the language in which it was shown.

use etibar_primitives::{BlockTime, MemberId, hex};
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};

use crate::{Language, id::EntryId, view::Source};

/// What a person decides about.
#[derive(Clone, Serialize, Deserialize)]
pub struct ConsentScreen {
    /// The request.
    pub request: EntryId,
    /// The language of the screen.
    pub language: Language,
    /// Who asks.
    pub who: Requester,
    /// What for: the consents that the one gesture gives, or the presentation alone.
    pub parts: Vec<Part>,
    /// What, and from where.
    pub sources: Vec<Source>,
    /// Names what keeps this from being approved now; nothing if it can be.
    pub obstacle: Option<Obstacle>,
}

/// One purpose of a screen.
#[derive(Clone, Serialize, Deserialize)]
pub struct Part {
    /// The purpose's code on the ledger.
    pub purpose: u16,
    /// Its name.
    pub title: String,
    /// It in a sentence.
    pub text: String,
    /// When the consent ends.
    pub until: BlockTime,
    /// The term and how to withdraw.
    pub term: String,
    /// What happens with the data afterwards and on death.
    pub disposal: String,
    /// The law it stands on, and what the law makes the requester keep all the same.
    pub law: String,
    /// The consent's text line by line as the requester signed it, in the language in which it was
    /// signed: its hash is in the artefact. Empty where there is nothing but the presentation.
    pub signed_text: Vec<String>,
}

/// Who asks, as the ledger's registry knows it.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Requester {
    /// Which member.
    pub member: MemberId,
    /// Its registered name.
    pub name: String,
}

/// Why a screen cannot be approved.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "obstacle", rename_all = "snake_case")]
pub enum Obstacle {
    /// A register has no such credential for this person.
    Missing {
        /// Which, in the person's language.
        credentials: Vec<String>,
    },
    /// A recovery was completed recently.
    CoolingDown {
        /// Until when.
        until: BlockTime,
    },
    /// It has expired.
    Ended,
}

impl ConsentScreen {
    /// SHA-256 over the screen's canonical JSON, hexadecimal.
    pub fn digest(&self) -> String {
        let bytes = serde_json::to_vec(self).expect("a screen is plain data");
        hex::encode(&Sha256::digest(bytes))
    }
}
