//! Who asks: a token's signature, and whether its key speaks for the member on the ledger.

use axum::{
    extract::FromRequestParts,
    http::{StatusCode, header::AUTHORIZATION, request::Parts},
};
use etibar_client::{
    clock,
    token::{self, TokenError},
};
use etibar_ledger::operation::MemberRole;
use etibar_primitives::MemberId;

use super::Validator;
use crate::Problem;

/// A member that asks. Extracting it refuses everybody else.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Caller {
    pub(super) member: MemberId,
    pub(super) role: MemberRole,
}

impl Caller {
    pub(super) fn is_operator(self) -> bool {
        self.role == MemberRole::Operator
    }

    /// Whether this is `member` or the operator.
    pub(super) fn may_see(self, member: MemberId) -> bool {
        self.member == member || self.is_operator()
    }

    /// Refuses everybody but the operator.
    pub(super) fn check_operator(self) -> Result<(), Problem> {
        let detail = "this is for the operator only";
        let refusal = || Problem::new(StatusCode::FORBIDDEN, "not_authorised", detail);
        if self.is_operator() { Ok(()) } else { Err(refusal()) }
    }
}

impl FromRequestParts<Validator> for Caller {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &Validator) -> Result<Self, Problem> {
        let missing = || {
            let detail = "a bearer token of a member is needed";
            Problem::new(StatusCode::UNAUTHORIZED, "token_missing", detail)
        };
        let header = parts.headers.get(AUTHORIZATION).and_then(|value| value.to_str().ok());
        let token = header.and_then(|text| text.split_once(' ')).ok_or_else(missing)?;
        if !token.0.eq_ignore_ascii_case("Bearer") {
            return Err(missing());
        }
        let network = state.handle.status().network;
        let caller = token::verify(token.1.trim(), &network, clock::now())?;
        let speaks = state.handle.read(|ledger| {
            let member = ledger.member(caller.member)?;
            member.speaks(&caller.key, ledger.time()).then_some(member.role)
        });
        let role = speaks.ok_or_else(|| {
            let detail = "the token's key does not speak for the member";
            Problem::new(StatusCode::UNAUTHORIZED, "key_not_active", detail)
        })?;
        Ok(Self { member: caller.member, role })
    }
}

impl From<TokenError> for Problem {
    fn from(error: TokenError) -> Self {
        Self::new(StatusCode::UNAUTHORIZED, error.code(), error.to_string())
    }
}
