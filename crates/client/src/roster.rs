//! A member's own people: who of its staff shows which token of the member's configuration.
//!
//! A token is a secret that the member gave out. It is kept by its hash alone, and it says who
//! somebody is to this program: a name that the member knows which person it is.

use std::{fs, path::Path, path::PathBuf};

use etibar_primitives::{Digest, Domain};

const TOKEN: Domain = Domain::new("etibar.client.roster-token");
/// Characters that a token has at least.
pub const TOKEN_CHARACTERS_MIN: usize = 32;
/// The most people of one member.
pub const PEOPLE_MAX: usize = 1_024;
/// Characters of a name at most.
const NAME_CHARACTERS_MAX: usize = 32;

/// Somebody with a name in the records.
pub trait Named {
    /// Lower-case letters, digits and hyphens; never a person's name.
    fn name(&self) -> &str;
}

/// Why somebody cannot belong to a member's people.
#[derive(Debug, thiserror::Error)]
pub enum RosterError {
    /// A file cannot be read.
    #[error("{path}: {source}")]
    File {
        /// Which.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// A token is too short.
    #[error("the token of {0} is shorter than {TOKEN_CHARACTERS_MIN} characters")]
    Short(String),
    /// A name is none, or stands twice; or two have one token.
    #[error("the name or token of {0} is none, or another's")]
    Taken(String),
    /// There are more than [`PEOPLE_MAX`].
    #[error("there are more than {PEOPLE_MAX} tokens")]
    Count,
}

/// Who belongs to a member's people, by their tokens' hashes.
#[derive(Clone)]
pub struct Roster<M>(Vec<(Digest, M)>);

impl<M> Default for Roster<M> {
    fn default() -> Self {
        Self(Vec::new())
    }
}

impl<M> std::fmt::Debug for Roster<M> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Roster of {}", self.0.len())
    }
}

impl<M: Named> Roster<M> {
    /// Adds somebody with a token.
    ///
    /// # Errors
    /// See [`RosterError`].
    pub fn add(&mut self, member: M, token: &str) -> Result<(), RosterError> {
        let name = member.name();
        if token.chars().count() < TOKEN_CHARACTERS_MIN {
            return Err(RosterError::Short(name.to_owned()));
        }
        if self.0.len() >= PEOPLE_MAX {
            return Err(RosterError::Count);
        }
        let hash = TOKEN.hash(token.as_bytes());
        let allowed = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-';
        let named = (1..=NAME_CHARACTERS_MAX).contains(&name.len()) && name.bytes().all(allowed);
        let collides = self.0.iter().any(|(its, known)| *its == hash || known.name() == name);
        if !named || collides {
            return Err(RosterError::Taken(name.to_owned()));
        }
        self.0.push((hash, member));
        Ok(())
    }

    /// Adds somebody with the token in `file`.
    ///
    /// # Errors
    /// See [`RosterError`].
    pub fn add_from(&mut self, member: M, file: &Path) -> Result<(), RosterError> {
        let text = fs::read_to_string(file);
        let text = text.map_err(|source| RosterError::File { path: file.to_owned(), source })?;
        self.add(member, text.trim())
    }

    /// Whose token this is. Hashes are compared: how far two agree says nothing of how far the
    /// tokens do.
    pub fn of_token(&self, token: &str) -> Option<&M> {
        let hash = TOKEN.hash(token.as_bytes());
        self.0.iter().find(|(its, _)| *its == hash).map(|(_, member)| member)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECRET: &str = "0123456789abcdef0123456789abcdef";

    #[derive(Debug, Clone, PartialEq)]
    struct Somebody(&'static str);

    impl Named for Somebody {
        fn name(&self) -> &str {
            self.0
        }
    }

    #[test]
    fn each_of_the_people_has_a_name_and_a_token_of_its_own() {
        let mut roster = Roster::default();
        roster.add(Somebody("desk-1"), SECRET).expect("good");
        assert_eq!(roster.of_token(SECRET), Some(&Somebody("desk-1")));
        assert_eq!(roster.of_token(""), None);
        let other = SECRET.replace('0', "z");
        for (name, token) in [("desk-2", SECRET), ("desk-1", &other), ("", &other), ("Ə", &other)]
        {
            let refused = roster.add(Somebody(name), token);
            assert!(matches!(refused, Err(RosterError::Taken(_))), "{name}");
        }
        let short = roster.add(Somebody("desk-2"), &SECRET[1..]);
        assert!(matches!(short, Err(RosterError::Short(_))));
    }
}
