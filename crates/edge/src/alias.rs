//! Aliases: what a customer is called instead of an account number.
//!
//! The ledger knows an alias by a tag: a hash keyed with the directory key that the members share.
//! Without that key the tags mean nothing; a member that holds it could try all telephone numbers,
//! so the keyed hash is to give way to a rate-limited oblivious function (RFC 9497).

use etibar_primitives::{Digest, Domain};
use zeroize::Zeroizing;

const TAG: Domain = Domain::new("etibar.edge.alias.tag");
/// Azerbaijan's country calling code (ITU-T E.164).
const COUNTRY: &str = "994";
/// Digits of a national telephone number.
const NATIONAL_DIGITS: usize = 9;
/// Digits of an international telephone number at most (ITU-T E.164).
const DIGITS_MAX: usize = 15;

/// What kind of alias.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum AliasKind {
    /// A telephone number.
    Phone,
    /// An e-mail address.
    Email,
}

/// The key of the alias directory.
#[derive(Clone)]
pub struct DirectoryKey(Zeroizing<[u8; 32]>);

impl DirectoryKey {
    /// The key of 32 secret bytes.
    pub fn new(bytes: [u8; 32]) -> Self {
        Self(Zeroizing::new(bytes))
    }

    /// The tag of an alias, or `None` when the text is no alias of that kind.
    pub fn tag(&self, kind: AliasKind, alias: &str) -> Option<Digest> {
        let normal = Zeroizing::new(normalise(kind, alias)?);
        let code = [match kind {
            AliasKind::Phone => 1,
            AliasKind::Email => 2,
        }];
        // The key has a fixed length and the alias comes last, so no two inputs run together.
        Some(TAG.hash_parts(&[self.0.as_slice(), &code, normal.as_bytes()]))
    }
}

impl std::fmt::Debug for DirectoryKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("DirectoryKey(redacted)")
    }
}

/// One form for all spellings of an alias.
fn normalise(kind: AliasKind, alias: &str) -> Option<String> {
    match kind {
        AliasKind::Phone => phone(alias),
        AliasKind::Email => {
            let (local, domain) = alias.trim().split_once('@')?;
            let fits = !local.is_empty() && domain.contains('.') && alias.len() <= 254;
            fits.then(|| format!("{}@{}", local.to_lowercase(), domain.to_lowercase()))
        }
    }
}

/// `+994-50-123-45-67`, `050 123 45 67` and `994501234567` are one number.
fn phone(text: &str) -> Option<String> {
    let filler = |c: char| matches!(c, ' ' | '-' | '(' | ')' | '.');
    let text: String = text.chars().filter(|c| !filler(*c)).collect();
    let (international, digits) = match text.strip_prefix('+').or(text.strip_prefix("00")) {
        Some(digits) => (true, digits),
        None => (false, text.as_str()),
    };
    if digits.is_empty() || !digits.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    let national = digits.strip_prefix('0').unwrap_or(digits);
    let number = if international || digits.starts_with(COUNTRY) {
        digits.to_owned()
    } else if national.len() == NATIONAL_DIGITS {
        format!("{COUNTRY}{national}")
    } else {
        return None;
    };
    (8..=DIGITS_MAX).contains(&number.len()).then_some(number)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn spellings_of_one_alias_have_one_tag_and_no_other_key_or_kind_has_it() {
        let key = DirectoryKey::new([7; 32]);
        let tag = |text| key.tag(AliasKind::Phone, text);
        let first = tag("+994-50-000-00-01");
        assert!(first.is_some());
        for same in ["050 000 00 01", "994500000001", "+994 (50) 000 00 01", "00994500000001"] {
            assert_eq!(tag(same), first, "{same}");
        }
        assert_ne!(tag("+994-50-000-00-02"), first);
        assert_ne!(DirectoryKey::new([8; 32]).tag(AliasKind::Phone, "994500000001"), first);
        for bad in ["", "+", "12", "phone", "+99450000000000000"] {
            assert_eq!(tag(bad), None, "{bad}");
        }
        let mail = |text| key.tag(AliasKind::Email, text);
        assert_eq!(mail("A@Example.az"), mail("a@example.az"));
        assert_eq!(mail("nobody"), None);
    }
}
