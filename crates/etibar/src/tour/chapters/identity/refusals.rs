//! Purposes bound what may be asked.

use etibar_ledger::{
    Operation, Outcome,
    operation::{Action, ConsentGrant, PurposeCode, Scope},
};
use etibar_primitives::{Digest, DurationMs};

use super::{HOME, Story};
use crate::{
    failure::Failure,
    sample::{AGENCIES, random_bytes},
    tour::{
        chapter::Chapter,
        country::failed,
        message::fresh_uetr,
        stage::{Stage, now},
    },
};

/// The data category of debts, which no account opening needs.
const DEBTS: u32 = 1 << 8;
/// The data category of identity.
const IDENTITY: u32 = 1;

pub(super) async fn too_much(
    stage: &Stage,
    story: &Story,
    chapter: &mut Chapter,
) -> Result<(), Failure> {
    let bank = stage.client(HOME)?;
    let grant = |scope: u32, purpose: u16, days: u64| Operation {
        id: fresh_uetr(),
        linked: false,
        action: Action::GrantConsent(ConsentGrant {
            rel: Digest(random_bytes()),
            commitment: Digest(random_bytes()),
            provider: AGENCIES[0].member_id(),
            expires: now().saturating_add(DurationMs(days * 86_400_000)),
            purpose: PurposeCode(purpose),
            scope: Scope(scope),
        }),
    };
    let refused = "read what became of a consent";
    let cases = [
        ("identity to open an account is within its purpose", grant(IDENTITY, 1, 1), None),
        (
            "debts to open an account are not",
            grant(IDENTITY | DEBTS, 1, 1),
            Some(Outcome::ConsentExceedsPurpose),
        ),
    ];
    for (sentence, operation, expected) in cases {
        let receipt = bank.execute(operation).await;
        let outcome = receipt.map_err(|error| failed(refused, error.to_string()))?.outcome();
        let holds = expected.map_or(outcome.is_accepted(), |expected| outcome == expected);
        chapter.check(format!("{sentence} (the ledger says {})", outcome.name()), holds);
    }
    let unknown = bank.execute(grant(IDENTITY, 999, 1)).await;
    let unknown = unknown.map_err(|error| failed(refused, error.to_string()))?.outcome();
    chapter.check(
        format!("a purpose that nobody registered is none (the ledger says {})", unknown.name()),
        !unknown.is_accepted(),
    );
    let endless = bank.execute(grant(IDENTITY, 1, 36_500)).await;
    let endless = endless.map_err(|error| failed(refused, error.to_string()))?.outcome();
    chapter.check(
        format!("a consent without end is none (the ledger says {})", endless.name()),
        !endless.is_accepted(),
    );
    let link = "openid4vp://?client_id=x509_hash%3AAAAA&request_uri=http%3A%2F%2F127.0.0.1%3A9%2Fr";
    let stranger = super::code(story.citizen.holder.open_request(link).await);
    chapter.check(
        format!("the wallet does not even show a stranger's request ({stranger})"),
        stranger == "requester_untrusted",
    );
    Ok(())
}
