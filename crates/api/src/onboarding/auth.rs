//! Who may give notice, and who belongs to the bank's staff.

use axum::{
    extract::FromRequestParts,
    http::{StatusCode, header::AUTHORIZATION, request::Parts},
};
use etibar_client::{clock, token};
use etibar_onboarding::staff::StaffMember;
use etibar_primitives::MemberId;

use super::Door;
use crate::Problem;

/// A member that shows its token. Its key must be one of the genesis'.
#[derive(Debug, Clone, Copy)]
pub(super) struct Member(pub(super) MemberId);

/// One of the bank's staff.
#[derive(Debug, Clone)]
pub(super) struct Staff(pub(super) StaffMember);

fn bearer(parts: &Parts) -> Result<&str, Problem> {
    let header = parts.headers.get(AUTHORIZATION).and_then(|value| value.to_str().ok());
    header.and_then(|value| value.strip_prefix("Bearer ")).map(str::trim).ok_or_else(|| {
        Problem::new(StatusCode::UNAUTHORIZED, "token_missing", "a bearer token is needed")
    })
}

impl FromRequestParts<Door> for Member {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, door: &Door) -> Result<Self, Problem> {
        let caller = token::verify(bearer(parts)?, door.client.network(), clock::now())?;
        let members = &door.client.genesis().members;
        let speaks = members
            .iter()
            .any(|member| member.id == caller.member && member.keys.contains(&caller.key));
        if speaks {
            return Ok(Self(caller.member));
        }
        let detail = "the token's key does not speak for the member";
        Err(Problem::new(StatusCode::UNAUTHORIZED, "key_not_active", detail))
    }
}

impl FromRequestParts<Door> for Staff {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, door: &Door) -> Result<Self, Problem> {
        let member = door.desk.of_token(bearer(parts)?);
        let detail = "a token of the bank's staff is needed";
        let refusal = || Problem::new(StatusCode::UNAUTHORIZED, "staff_token_needed", detail);
        member.cloned().map(Self).ok_or_else(refusal)
    }
}
