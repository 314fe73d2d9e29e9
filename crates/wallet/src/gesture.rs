//! The person's own act behind everything that leaves the wallet.
//!
//! An [`Action`] says what is going to happen, down to the digest of the screen that was shown. Its
//! passkey challenge is a hash over the action, the person and 128 random bits; so the signature of
//! the authenticator is over what the person saw. A challenge is good once, for one action of one
//! person, for some minutes.

use std::collections::HashMap;

use etibar_primitives::{BlockTime, DurationMs};
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};

use crate::{
    WalletError,
    id::{EntryId, PersonId},
};

/// How long a challenge may be answered.
pub const CHALLENGE_LIFE: DurationMs = DurationMs(5 * 60_000);
/// Challenges that wait for an answer, over all persons; then the oldest is forgotten.
pub const CHALLENGES_MAX: usize = 10_000;

/// What a person is asked to agree to.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "action", rename_all = "snake_case")]
pub enum Action {
    /// To come in.
    SignIn,
    /// To present what a consent screen shows and to consent to it.
    Approve {
        /// The request.
        request: EntryId,
        /// [`crate::screen::ConsentScreen::digest`] of what was shown.
        screen: String,
    },
    /// To fetch a credential from the member that issues it.
    AddCredential {
        /// The credential type.
        vct: String,
    },
    /// To fetch anew what was revoked or has expired.
    Refresh,
    /// To withdraw a consent.
    Revoke {
        /// The consent.
        consent: EntryId,
    },
    /// To have the data of a relation erased.
    Erase {
        /// The consent.
        consent: EntryId,
    },
    /// To ask every member with a consent who read the data.
    ReadAccesses,
    /// To name guardians who may help to recover.
    NameGuardians,
    /// To confirm, as a guardian, that somebody lost a device.
    ApproveRecovery {
        /// The recovery's number, as the guardian was told.
        recovery: String,
    },
    /// To add a passkey.
    AddPasskey,
    /// To take a passkey away.
    RemovePasskey {
        /// The credential's id in hexadecimal digits.
        passkey: String,
    },
    /// To delete the wallet.
    Delete,
}

/// Proof that a person agreed to one action. Only a verified passkey makes one, or a wallet that
/// is scripted by its owner.
#[derive(Debug, Clone)]
pub struct Gesture {
    pub(crate) cover: Cover,
    /// The authenticator's signed answer, kept with what it was for.
    pub(crate) evidence: Option<Evidence>,
}

/// What a gesture is good for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Cover {
    /// This action of this person.
    One(PersonId, Action),
    /// Whatever the script does.
    Scripted,
}

/// An authenticator's signed answer (WebAuthn), each part base64url: together with the public key
/// it proves to anybody that the passkey signed this challenge.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Evidence {
    /// The passkey's id.
    pub credential: String,
    /// `clientDataJSON`; the challenge is in it.
    pub client_data: String,
    /// `authenticatorData`.
    pub authenticator_data: String,
    /// The signature over both.
    pub signature: String,
    /// The random part of the challenge.
    pub nonce: String,
}

/// Challenges that wait for their answer. They live in memory: after a restart the person taps
/// again.
#[derive(Debug, Default)]
pub(crate) struct Challenges {
    open: HashMap<[u8; 32], Challenge>,
}

/// One challenge that waits.
#[derive(Debug, Clone)]
pub(crate) struct Challenge {
    /// Who was asked; `None` when signing in, which tells it.
    pub(crate) person: Option<PersonId>,
    pub(crate) action: Action,
    pub(crate) nonce: [u8; 16],
    expires: BlockTime,
}

impl Gesture {
    /// Whether `person` agreed to `action`.
    pub(crate) fn check(&self, person: PersonId, action: &Action) -> Result<(), WalletError> {
        match &self.cover {
            Cover::Scripted => Ok(()),
            Cover::One(its, covered) if *its == person && covered == action => Ok(()),
            Cover::One(..) => Err(WalletError::GestureOther),
        }
    }
}

impl Action {
    /// The bytes that the authenticator signs: SHA-256 over the purpose, who, what and `nonce`.
    pub(crate) fn challenge(&self, person: Option<PersonId>, nonce: &[u8; 16]) -> [u8; 32] {
        let action = serde_json::to_vec(self).expect("an action is plain data");
        Sha256::new()
            .chain_update(b"etibar.wallet.gesture.1")
            .chain_update(person.map_or([0; 16], |person| person.0))
            .chain_update(nonce)
            .chain_update(action)
            .finalize()
            .into()
    }
}

impl Challenges {
    /// A new challenge for `action`.
    pub(crate) fn ask(
        &mut self,
        person: Option<PersonId>,
        action: Action,
        now: BlockTime,
    ) -> [u8; 32] {
        self.open.retain(|_, challenge| challenge.expires > now);
        if self.open.len() >= CHALLENGES_MAX {
            let oldest = self.open.iter().min_by_key(|(_, challenge)| challenge.expires);
            let oldest = oldest.map(|(bytes, _)| *bytes);
            oldest.map(|bytes| self.open.remove(&bytes));
        }
        let nonce = rand::random();
        let bytes = action.challenge(person, &nonce);
        let expires = now.saturating_add(CHALLENGE_LIFE);
        self.open.insert(bytes, Challenge { person, action, nonce, expires });
        bytes
    }

    /// Takes a challenge that was answered: it cannot be answered again.
    pub(crate) fn take(&mut self, bytes: &[u8; 32], now: BlockTime) -> Option<Challenge> {
        self.open.remove(bytes).filter(|challenge| challenge.expires > now)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: BlockTime = BlockTime(1_000_000);

    #[test]
    fn a_challenge_is_answered_once_and_in_time() {
        let mut challenges = Challenges::default();
        let bytes = challenges.ask(None, Action::SignIn, NOW);
        assert!(challenges.take(&bytes, NOW).is_some());
        assert!(challenges.take(&bytes, NOW).is_none());
        let bytes = challenges.ask(None, Action::SignIn, NOW);
        assert!(challenges.take(&bytes, NOW.saturating_add(CHALLENGE_LIFE)).is_none());
    }

    #[test]
    fn a_full_table_forgets_a_challenge_and_not_its_own_bound() {
        let mut challenges = Challenges::default();
        let first = challenges.ask(None, Action::SignIn, NOW);
        for _ in 0..CHALLENGES_MAX {
            challenges.ask(None, Action::SignIn, BlockTime(NOW.0 + 1));
        }
        assert_eq!(challenges.open.len(), CHALLENGES_MAX);
        assert!(challenges.take(&first, NOW).is_none());
    }

    #[test]
    fn a_gesture_covers_its_own_action_of_its_own_person_only() {
        let (one, other) = (PersonId([1; 16]), PersonId([2; 16]));
        let revoke = |byte| Action::Revoke { consent: EntryId([byte; 16]) };
        let gesture = Gesture { cover: Cover::One(one, revoke(7)), evidence: None };
        assert!(gesture.check(one, &revoke(7)).is_ok());
        assert!(gesture.check(one, &revoke(8)).is_err());
        assert!(gesture.check(other, &revoke(7)).is_err());
    }

    #[test]
    fn a_challenge_is_over_the_action_the_person_and_the_nonce() {
        let approve =
            |screen: &str| Action::Approve { request: EntryId([1; 16]), screen: screen.into() };
        let person = Some(PersonId([1; 16]));
        let challenge = approve("a").challenge(person, &[0; 16]);
        assert_ne!(challenge, approve("b").challenge(person, &[0; 16]));
        assert_ne!(challenge, approve("a").challenge(Some(PersonId([2; 16])), &[0; 16]));
        assert_ne!(challenge, approve("a").challenge(person, &[1; 16]));
    }
}
