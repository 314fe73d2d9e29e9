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
    /// The language of all texts.
    pub language: Language,
    /// Who asks.
    pub who: Requester,
    /// The purpose's code on the ledger.
    pub purpose: u16,
    /// The purpose's name.
    pub purpose_title: String,
    /// The purpose in a sentence.
    pub purpose_text: String,
    /// The law or agreement that it rests on.
    pub basis: String,
    /// What, and from where.
    pub sources: Vec<Source>,
    /// When the consent ends.
    pub until: BlockTime,
    /// How long the data may be kept after that, in the person's language.
    pub data_life: String,
    /// How often it may be fetched, in the person's language.
    pub frequency: String,
    /// What the law makes the requester keep all the same.
    pub law: Vec<String>,
    /// How it can be withdrawn.
    pub withdrawal: String,
    /// What happens with the data on death or at the end.
    pub end_of_term: String,
    /// Names what keeps this from being approved now; nothing if it can be.
    pub obstacle: Option<Obstacle>,
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
    /// It asks for more than its registered purpose allows.
    ExceedsPurpose {
        /// What is too much, in the person's language.
        claims: Vec<String>,
    },
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
