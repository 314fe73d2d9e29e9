//! What became of an operation: stable codes, in the order in which the rules are asked.
//!
//! The first rule that refuses gives the code, so the order below is part of the contract. A
//! refusal is as final for its id as an acceptance; see [`Outcome::Exists`] for who repeats.

use core::fmt;

macro_rules! outcomes {
    ($($(#[$doc:meta])* $variant:ident = $code:literal, $name:literal, $iso:literal;)*) => {
        /// The end of an operation. `Accepted` and `ReserveExpired` are no refusals.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
        pub enum Outcome { $($(#[$doc])* $variant,)* }

        impl Outcome {
            /// Every outcome, in order of precedence.
            pub const ALL: &[Self] = &[$(Self::$variant,)*];

            /// The number in results and receipts. Frozen.
            pub const fn code(self) -> u16 {
                match self { $(Self::$variant => $code,)* }
            }

            /// The outcome of a number, or `None`.
            pub const fn from_code(code: u16) -> Option<Self> {
                match code { $($code => Some(Self::$variant),)* _ => None }
            }

            /// The stable name in interfaces and logs.
            pub const fn name(self) -> &'static str {
                match self { $(Self::$variant => $name,)* }
            }

            /// The ISO 20022 external status reason that a pacs.002 gives for it; empty when it is
            /// no reason to reject.
            pub const fn iso_reason(self) -> &'static str {
                match self { $(Self::$variant => $iso,)* }
            }
        }
    };
}

outcomes! {
    /// Done.
    Accepted = 0, "accepted", "";
    /// A reserve lapsed at its expiry: an event of the ledger itself.
    ReserveExpired = 1, "reserve_expired", "AB05";

    /// The 128 bytes are no operation.
    MalformedOperation = 10, "malformed_operation", "FF01";
    /// The submitter made the same operation before; its first outcome stands, and nobody is told
    /// again: this is the one outcome that is no event.
    Exists = 11, "exists", "DUPL";
    /// The id was used for another kind of operation.
    ExistsWithDifferentKind = 12, "exists_with_different_kind", "DUPL";
    /// The id was used for another amount.
    ExistsWithDifferentAmount = 13, "exists_with_different_amount", "DUPL";
    /// The id was used for an operation that differs elsewhere.
    ExistsWithDifferentContent = 14, "exists_with_different_content", "DUPL";
    /// The last operation of a transaction is linked to a next one that is not there.
    LinkedChainOpen = 15, "linked_chain_open", "FF01";
    /// Another operation of the linked group was refused.
    LinkedOperationFailed = 16, "linked_operation_failed", "NARR";
    /// The member is suspended.
    MemberSuspended = 17, "member_suspended", "AG01";
    /// The submitter's role or ownership does not allow this.
    NotAuthorised = 18, "not_authorised", "AG01";

    /// The order is older than the ledger's memory of ids. It is not done now; whether it was done
    /// before, only its receipt says.
    CreatedTooEarly = 30, "created_too_early", "TM01";
    /// The order was made after the block that holds it.
    CreatedInFuture = 31, "created_in_future", "TM01";
    /// A field that this kind of transfer does not use is set.
    UnusedFieldSet = 32, "unused_field_set", "FF01";
    /// The amount is zero.
    AmountIsZero = 33, "amount_is_zero", "AM01";
    /// Debit and credit account are the same, or a member would owe itself.
    AccountsAreTheSame = 34, "accounts_are_the_same", "AC01";
    /// There is no such debit account.
    DebitAccountUnknown = 35, "debit_account_unknown", "AC02";
    /// There is no such credit account.
    CreditAccountUnknown = 36, "credit_account_unknown", "AC03";
    /// The accounts hold different currencies.
    CurrenciesDiffer = 37, "currencies_differ", "AM03";
    /// An account of this kind takes no part in such a transfer.
    AccountKindNotAllowed = 38, "account_kind_not_allowed", "AG03";
    /// A member has no account of kind settlement in AZN that is not closed.
    SettlementAccountUnknown = 39, "settlement_account_unknown", "AC03";

    /// There is no such reserve, and never was within memory.
    ReserveUnknown = 50, "reserve_unknown", "AB09";
    /// The reserve was posted.
    ReserveAlreadyPosted = 51, "reserve_already_posted", "AB09";
    /// The reserve was voided.
    ReserveAlreadyVoided = 52, "reserve_already_voided", "AB09";
    /// The reserve lapsed.
    ReserveAlreadyExpired = 53, "reserve_already_expired", "AB05";
    /// The reserve is between other accounts.
    ReserveHasDifferentAccounts = 54, "reserve_has_different_accounts", "AC01";
    /// More is posted than was reserved, or another amount voided.
    ReserveHasDifferentAmount = 55, "reserve_has_different_amount", "AM09";
    /// The reserve would lapse at once.
    ExpiresTooEarly = 56, "expires_too_early", "TM01";
    /// The reserve would stand longer than the rulebook allows.
    ExpiresTooLate = 57, "expires_too_late", "TM01";

    /// The debit account is frozen.
    DebitAccountFrozen = 70, "debit_account_frozen", "AC06";
    /// The debit account is closed.
    DebitAccountClosed = 71, "debit_account_closed", "AC04";
    /// The credit account is closed.
    CreditAccountClosed = 72, "credit_account_closed", "AC07";
    /// The owner of the debit account is suspended.
    DebtorSuspended = 73, "debtor_suspended", "AG01";
    /// The owner of the credit account is suspended.
    CreditorSuspended = 74, "creditor_suspended", "AG01";
    /// Above the rulebook's largest amount or fee.
    AmountAboveLimit = 75, "amount_above_limit", "AM02";
    /// The debit account has less than this above its floor.
    ExceedsLiquidity = 76, "exceeds_liquidity", "AM04";
    /// A balance or total would pass the largest amount.
    AmountOverflows = 77, "amount_overflows", "AM12";

    /// The account id is taken.
    AccountExists = 90, "account_exists", "NARR";
    /// There is no such account.
    AccountUnknown = 91, "account_unknown", "NARR";
    /// A closed account stays closed.
    AccountIsClosed = 92, "account_is_closed", "NARR";
    /// An account with money or reserves is not closed.
    AccountNotEmpty = 93, "account_not_empty", "NARR";
    /// The member id is taken.
    MemberExists = 94, "member_exists", "NARR";
    /// There is no such member.
    MemberUnknown = 95, "member_unknown", "NARR";
    /// The key is in use, by this member or another.
    KeyExists = 96, "key_exists", "NARR";
    /// The member has no such key.
    KeyUnknown = 97, "key_unknown", "NARR";
    /// The member has as many keys as it may.
    TooManyKeys = 98, "too_many_keys", "NARR";
    /// A validity window is empty or past.
    WindowIsEmpty = 99, "window_is_empty", "NARR";
    /// A parameter does not change in the past.
    EffectiveInPast = 100, "effective_in_past", "NARR";
    /// The value is outside what the parameter may be.
    ValueOutOfRange = 101, "value_out_of_range", "NARR";
    /// A parameter has as many future values as it may.
    TooManyChanges = 102, "too_many_changes", "NARR";

    /// There is no such alias of the submitter.
    AliasUnknown = 110, "alias_unknown", "BE23";
    /// An anchor covers at least one record.
    EvidenceIsEmpty = 111, "evidence_is_empty", "NARR";
    /// The consent identifier was used.
    ConsentExists = 112, "consent_exists", "NARR";
    /// There is no such consent.
    ConsentUnknown = 113, "consent_unknown", "NARR";
    /// The consent was revoked.
    ConsentAlreadyRevoked = 114, "consent_already_revoked", "NARR";
    /// The consent would run longer than the rulebook allows.
    ConsentTooLong = 115, "consent_too_long", "NARR";
    /// There is no such issuer registration.
    IssuerUnknown = 116, "issuer_unknown", "NARR";
    /// A scope holds no category of data, or a purpose has no code or no duration.
    ScopeIsEmpty = 117, "scope_is_empty", "NARR";
    /// The purpose's code was used.
    PurposeExists = 118, "purpose_exists", "NARR";
    /// There is no such purpose.
    PurposeUnknown = 119, "purpose_unknown", "NARR";
    /// The purpose is retired: no new consent for it.
    PurposeIsRetired = 120, "purpose_is_retired", "NARR";
    /// The consent covers data that its purpose does not.
    ConsentExceedsPurpose = 121, "consent_exceeds_purpose", "NARR";
    /// The consent would run longer than its purpose allows.
    ConsentTooLongForPurpose = 122, "consent_too_long_for_purpose", "NARR";
    /// The ledger holds as many consents of the consumer as the rulebook allows.
    TooManyConsents = 123, "too_many_consents", "NARR";
    /// A member has no status list of this number.
    StatusListOutOfRange = 124, "status_list_out_of_range", "NARR";
    /// The counter is not above the one anchored before.
    CounterNotRising = 125, "counter_not_rising", "NARR";
    /// There is nothing to settle.
    NoOpenObligations = 126, "no_open_obligations", "NARR";
}

impl Outcome {
    /// Whether the operation changed the ledger.
    pub fn is_accepted(self) -> bool {
        self == Self::Accepted
    }
}

impl fmt::Display for Outcome {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_rise_with_precedence_and_lead_back_to_their_outcome() {
        assert!(Outcome::ALL.is_sorted_by_key(|outcome| outcome.code()));
        for outcome in Outcome::ALL {
            assert_eq!(Outcome::from_code(outcome.code()), Some(*outcome));
        }
        assert_eq!(Outcome::from_code(2), None);
    }
}
