//! Typed identifiers: an id of one kind is never taken for another.

use core::{fmt, str::FromStr};

use serde::{Deserialize, Serialize};

macro_rules! numeric_id {
    ($(#[$doc:meta])* $name:ident($inner:ty)) => {
        $(#[$doc])*
        #[derive(
            Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize,
        )]
        #[serde(transparent)]
        pub struct $name(pub $inner);

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                fmt::Display::fmt(&self.0, f)
            }
        }
    };
}

numeric_id! {
    /// A member organisation of the network; given once, never reused. 0 is no member.
    MemberId(u32)
}
numeric_id! {
    /// An account on the ledger; given once, never reused. 0 is no account.
    AccountId(u64)
}

/// The client-chosen id of one operation: 128 bits that the client drew at random once. For a
/// payment it is the UETR of ISO 20022 (a version 4 UUID). 0 is no operation.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct OperationId(pub u128);

/// A text that is no id of the kind asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("not a UUID of 8-4-4-4-12 hexadecimal digits")]
pub struct ParseIdError;

impl OperationId {
    /// The 16 bytes, most significant first, as a UUID writes them.
    pub const fn to_bytes(self) -> [u8; 16] {
        self.0.to_be_bytes()
    }

    /// The id of 16 bytes as a UUID writes them.
    pub const fn from_bytes(bytes: [u8; 16]) -> Self {
        Self(u128::from_be_bytes(bytes))
    }
}

impl fmt::Display for OperationId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, byte) in self.to_bytes().iter().enumerate() {
            if matches!(index, 4 | 6 | 8 | 10) {
                f.write_str("-")?;
            }
            write!(f, "{byte:02x}")?;
        }
        Ok(())
    }
}

impl fmt::Debug for OperationId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl FromStr for OperationId {
    type Err = ParseIdError;

    fn from_str(text: &str) -> Result<Self, ParseIdError> {
        if text.len() != 36 {
            return Err(ParseIdError);
        }
        let mut value: u128 = 0;
        for (index, byte) in text.bytes().enumerate() {
            if matches!(index, 8 | 13 | 18 | 23) {
                if byte != b'-' {
                    return Err(ParseIdError);
                }
                continue;
            }
            let digit = char::from(byte).to_digit(16).ok_or(ParseIdError)?;
            value = (value << 4) | u128::from(digit);
        }
        Ok(Self(value))
    }
}

impl Serialize for OperationId {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for OperationId {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = <alloc::borrow::Cow<'de, str>>::deserialize(deserializer)?;
        text.parse().map_err(serde::de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use alloc::string::ToString as _;

    use super::*;

    #[test]
    fn a_uetr_is_read_and_written_in_its_own_form() {
        let text = "8a562c67-ca16-48ba-b074-65581be6f001";
        let id: OperationId = text.parse().expect("a well-formed UUID");
        assert_eq!(id.to_string(), text);
        assert_eq!(OperationId::from_bytes(id.to_bytes()), id);
        for bad in ["", "8a562c67ca1648bab07465581be6f001", "8a562c67-ca16-48ba-b074-65581be6f00g"]
        {
            assert_eq!(bad.parse::<OperationId>(), Err(ParseIdError));
        }
    }
}
