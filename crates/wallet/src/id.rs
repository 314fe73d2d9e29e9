//! Random identifiers of 128 bits: nothing about a person can be read from one.

use std::{fmt, str::FromStr};

use etibar_primitives::{OperationId, hex};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// Text that is no identifier.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("an identifier is 32 hexadecimal digits")]
pub struct NoId;

macro_rules! random_id {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub struct $name(pub [u8; 16]);

        impl $name {
            /// A new one.
            pub fn random() -> Self {
                Self(rand::random())
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                hex::write(f, &self.0)
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                hex::write(f, &self.0)
            }
        }

        impl FromStr for $name {
            type Err = NoId;

            fn from_str(text: &str) -> Result<Self, NoId> {
                hex::decode_array(text).map(Self).ok_or(NoId)
            }
        }

        impl Serialize for $name {
            fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.collect_str(self)
            }
        }

        impl<'de> Deserialize<'de> for $name {
            fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                hex::deserialize_array(deserializer).map(Self)
            }
        }
    };
}

random_id! {
    /// A person who has a wallet here. Known to this wallet only.
    PersonId
}
random_id! {
    /// One entry of a person's store: a credential, a consent, a request, a message.
    EntryId
}

/// The characters of a [`RecoveryNumber`] (Crockford's base 32): none is taken for another.
const SPOKEN: &[u8; 32] = b"0123456789ABCDEFGHJKMNPQRSTVWXYZ";
/// How many a number has, five bits each.
const SPOKEN_CHARACTERS: usize = 12;

/// The number of a recovery as one person tells it to another over the telephone: 60 random bits in
/// twelve characters, such as `7K2M-9QXD-P4TA`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RecoveryNumber(u64);

impl RecoveryNumber {
    /// A new one.
    pub fn random() -> Self {
        Self((rand::random::<u64>() >> 4).max(1))
    }

    /// The recovery's id at the registrar.
    pub fn id(self) -> OperationId {
        OperationId(u128::from(self.0))
    }
}

impl fmt::Display for RecoveryNumber {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for place in 0..SPOKEN_CHARACTERS {
            if place > 0 && place.is_multiple_of(4) {
                f.write_str("-")?;
            }
            let shift = 5 * (SPOKEN_CHARACTERS - 1 - place);
            let digit = usize::try_from(self.0 >> shift & 31).expect("five bits are below 32");
            write!(f, "{}", char::from(SPOKEN[digit]))?;
        }
        Ok(())
    }
}

impl FromStr for RecoveryNumber {
    type Err = NoId;

    /// Reads what a person typed: in any case, with blanks and dashes anywhere, `O` for zero and
    /// `I` or `L` for one.
    fn from_str(text: &str) -> Result<Self, NoId> {
        let mut value: u64 = 0;
        let mut characters = 0;
        for letter in text.chars().filter(|letter| !letter.is_whitespace() && *letter != '-') {
            let letter = match letter.to_ascii_uppercase() {
                'O' => '0',
                'I' | 'L' => '1',
                other => other,
            };
            let digit = SPOKEN.iter().position(|its| char::from(*its) == letter).ok_or(NoId)?;
            value = value << 5 | u64::try_from(digit).expect("there are 32 digits");
            characters += 1;
            if characters > SPOKEN_CHARACTERS {
                return Err(NoId);
            }
        }
        let whole = characters == SPOKEN_CHARACTERS && value > 0;
        if whole { Ok(Self(value)) } else { Err(NoId) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_recovery_number_is_read_as_it_was_said() {
        for number in [RecoveryNumber(1), RecoveryNumber((1 << 60) - 1), RecoveryNumber::random()] {
            let said = number.to_string();
            assert_eq!(said.len(), 14);
            assert_eq!(said.parse(), Ok(number));
            assert_eq!(said.to_lowercase().replace('-', " ").parse(), Ok(number));
        }
        assert_eq!("0000-0000-000I".parse(), Ok(RecoveryNumber(1)));
        assert_eq!("oooo oooo oool".parse(), Ok(RecoveryNumber(1)));
    }

    #[test]
    fn what_is_no_recovery_number_is_refused() {
        for text in ["", "7K2M-9QXD", "7K2M-9QXD-P4TAA", "7K2M-9QXD-P4TU", "0000-0000-0000", "ə"] {
            assert_eq!(text.parse::<RecoveryNumber>(), Err(NoId), "{text}");
        }
    }
}
