//! An agency's routes: each once as it should be, and every bad input at every door.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

#[path = "../common/mod.rs"]
mod common;
mod desk;
mod door;
mod ways;
#[allow(dead_code, clippy::unwrap_used, reason = "shared with the agency's own tests")]
#[path = "../../../agency/tests/flows/world/mod.rs"]
mod world;

use axum::{
    Router,
    body::Body,
    http::{Method, Request},
};
use common::{Answer, bare};
use etibar_agency::clerk::{Clerk, Clerks};
use etibar_api::{agency::routes, problem::with_fallbacks};
use etibar_client::token;
use etibar_ledger::{
    Genesis,
    genesis::GenesisMember,
    operation::{Bic, MemberRole},
};
use etibar_primitives::{BlockTime, MemberId};
use world::{BANK, Device, NETWORK, World, member_key, requests::enrolment};

/// The tokens of two clerks, and how the records name these.
const CLERK: &str = "clerk-token-of-the-agency-0123456789";
const OTHER_CLERK: &str = "another-clerks-token-0123456789-abcd";
const CLERKS: [(&str, &str); 2] = [("clerk-1", CLERK), ("clerk-2", OTHER_CLERK)];

fn router(world: &World) -> Router {
    let mut clerks = Clerks::default();
    for (name, token) in CLERKS {
        clerks.add(Clerk { name: name.to_owned() }, token).unwrap();
    }
    with_fallbacks(Router::new()).merge(routes(world.agency.clone(), clerks, &genesis()))
}

/// What the pages know of members: a bank by its own name.
fn genesis() -> Genesis {
    let bank = GenesisMember {
        id: BANK,
        name: "ABB (sample)".to_owned(),
        role: MemberRole::Bank,
        bic: Bic::new("IBAZAZ2X").unwrap(),
        keys: vec![member_key(BANK).public_key()],
    };
    Genesis {
        name: "agency doors".to_owned(),
        time: BlockTime(1_795_000_000_000),
        validators: Vec::new(),
        members: vec![bank],
        accounts: Vec::new(),
        parameters: Vec::new(),
        issuers: Vec::new(),
        purposes: Vec::new(),
    }
}

async fn ask(world: &World, request: Request<Body>) -> Answer {
    common::ask(router(world), request).await
}

async fn get(world: &World, path: &str) -> Answer {
    ask(world, bare(Method::GET, path)).await
}

/// A token of `member`, signed by `signer`, made `age_ms` ago.
fn token_of(world: &World, member: MemberId, signer: MemberId, age_ms: i64) -> String {
    let made = BlockTime(world.now().0.saturating_add_signed(-age_ms));
    token::sign(&NETWORK, member, &member_key(signer), made)
}

fn bank(world: &World) -> String {
    token_of(world, BANK, BANK, 0)
}

/// Somebody who is enrolled, with a PID.
async fn enrolled(world: &World, person: usize) -> Device {
    let answer = world.agency.enrol(&enrolment(world, person)).await.unwrap();
    world.redeem(&answer.offers[0], &["pid", "pairwise-2"], 2).await
}
