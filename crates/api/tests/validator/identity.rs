//! The trust registry, consents, anchors and obligations, as members read them.

use etibar_client::Client;
use etibar_ledger::{
    Operation, Outcome,
    operation::{
        Action, ConsentGrant, ConsentRevocation, EvidenceAnchor, Excluded, KycReuse,
        LiabilityClass, ObligationsSettlement, PurposeCode, PurposeRegistration, PurposeRetirement,
        Scope, StatusListAnchor,
    },
};
use etibar_primitives::{Amount, BlockTime, Digest, DurationMs};

use crate::world::{CREDITOR, DEBTOR, OPERATOR, STRANGER, fresh, http, problem, settlement, world};

/// Has `action` executed; gives its outcome and its id.
async fn act(client: &Client, action: Action) -> (Outcome, Operation) {
    let operation = Operation { id: fresh(), linked: false, action };
    let receipt = client.execute(operation).await.expect("it is executed");
    assert!(receipt.sentence().contains(&operation.id.to_string()), "{}", receipt.sentence());
    (receipt.outcome(), operation)
}

#[tokio::test(flavor = "multi_thread")]
async fn the_trust_registry_of_the_genesis_is_every_members_to_read() {
    let world = world();
    let (operator, stranger) = (world.client(OPERATOR), world.client(STRANGER));
    let issuers = stranger.issuers().await.expect("an answer");
    let issuer = issuers.first().expect("the genesis has one");
    assert_eq!((issuer.member, issuer.credential_type), (DEBTOR, Digest([3; 32])));
    assert!(issuer.is_valid(BlockTime(1)) && !issuer.is_valid(BlockTime::MAX));

    let purpose = PurposeRegistration {
        code: PurposeCode(7),
        scope: Scope(0b1000),
        duration_max: DurationMs(60_000),
        document: Digest([6; 32]),
    };
    assert_eq!(act(&operator, Action::RegisterPurpose(purpose)).await.0, Outcome::Accepted);
    let retirement = PurposeRetirement { code: purpose.code };
    assert_eq!(act(&operator, Action::RetirePurpose(retirement)).await.0, Outcome::Accepted);
    let purposes = stranger.purposes().await.expect("an answer");
    let found = |code| purposes.iter().find(|its| its.code == PurposeCode(code)).copied();
    let first = found(1).expect("the genesis has it");
    assert_eq!(
        (first.scope, first.duration_max_ms, first.retired),
        (Scope(0b111), 86_400_000, None)
    );
    assert!(found(7).expect("it was registered").retired.is_some());

    for path in ["issuers", "purposes", "obligations", "evidence/2", "status-lists/2/0"] {
        let url = world.url(&format!("/v1/{path}"));
        let answer = http().get(url).send().await.expect("the door answers");
        assert_eq!(problem(answer).await, (401, "token_missing".to_owned()), "{path}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_consent_is_read_by_whoever_knows_it_and_its_end_shows_at_once() {
    let world = world();
    let [consumer, provider, other] = [DEBTOR, CREDITOR, STRANGER].map(|its| world.client(its));
    let now = world.handle.read(etibar_ledger::Ledger::time);
    let rel = Digest([0x61; 32]);
    let grant = ConsentGrant {
        rel,
        commitment: Digest([0x62; 32]),
        provider: CREDITOR,
        expires: BlockTime(now.0 + 3_600_000),
        purpose: PurposeCode(1),
        scope: Scope(0b101),
    };
    let wide = ConsentGrant { scope: Scope(0b1001), ..grant };
    let (outcome, _) = act(&consumer, Action::GrantConsent(wide)).await;
    assert_eq!(outcome, Outcome::ConsentExceedsPurpose);
    assert_eq!(other.consent(rel).await, Ok(None));
    let (outcome, granted) = act(&consumer, Action::GrantConsent(grant)).await;
    assert_eq!(outcome, Outcome::Accepted);
    let view = other.consent(rel).await.expect("an answer").expect("it knows the consent");
    assert_eq!((view.consumer, view.provider, view.scope), (DEBTOR, CREDITOR, Scope(0b101)));
    assert!(view.is_live(now) && view.revoked.is_none());
    assert!(!view.is_live(grant.expires));
    // The operation itself stays its parties' business.
    assert_eq!(other.receipt(DEBTOR, granted.id).await, Ok(None));

    let end = Action::RevokeConsent(ConsentRevocation { rel });
    assert_eq!(act(&other, end).await.0, Outcome::NotAuthorised);
    assert_eq!(act(&provider, end).await.0, Outcome::Accepted);
    let view = consumer.consent(rel).await.expect("an answer").expect("it is kept for a while");
    let revoked = view.revoked.expect("it was revoked");
    assert!(!view.is_live(revoked));
    let malformed = world.get(DEBTOR, "/v1/consents/xyz").await;
    assert_eq!(problem(malformed).await, (400, "malformed_path".to_owned()));
}

#[tokio::test(flavor = "multi_thread")]
async fn anchors_and_their_receipts_are_every_members_to_compare_with() {
    let world = world();
    let (issuer, other) = (world.client(DEBTOR), world.client(STRANGER));
    assert_eq!(other.status_list(DEBTOR, 3).await, Ok(None));
    let anchor = |counter| {
        let digest = Digest([0x71; 32]);
        Action::AnchorStatusList(StatusListAnchor { list: 3, counter, digest })
    };
    let (outcome, operation) = act(&issuer, anchor(5)).await;
    assert_eq!(outcome, Outcome::Accepted);
    assert_eq!(act(&issuer, anchor(5)).await.0, Outcome::CounterNotRising);
    assert_eq!(act(&other, anchor(6)).await.0, Outcome::IssuerUnknown);
    let view = other.status_list(DEBTOR, 3).await.expect("an answer").expect("it is anchored");
    assert_eq!((view.counter, view.digest), (5, Digest([0x71; 32])));
    let receipt = other.receipt(DEBTOR, operation.id).await.expect("an answer");
    assert_eq!(receipt.map(|receipt| receipt.outcome()), Some(Outcome::Accepted));

    assert_eq!(other.evidence(DEBTOR).await, Ok(None));
    let (from, until) = (BlockTime(1), BlockTime(2));
    let evidence = EvidenceAnchor { root: Digest([0x72; 32]), count: 4, from, until };
    let (outcome, operation) = act(&issuer, Action::AnchorEvidence(evidence)).await;
    assert_eq!(outcome, Outcome::Accepted);
    let view = other.evidence(DEBTOR).await.expect("an answer").expect("it is anchored");
    assert_eq!((view.root, view.count, view.total), (Digest([0x72; 32]), 4, 4));
    assert!(other.receipt(DEBTOR, operation.id).await.expect("an answer").is_some());
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_owed_is_shown_to_its_parties_and_settled_between_their_accounts() {
    let world = world();
    let [operator, debtor, creditor, other] =
        [OPERATOR, DEBTOR, CREDITOR, STRANGER].map(|its| world.client(its));
    let reuse = |fee: u64| {
        Action::ReuseKyc(KycReuse {
            provider: CREDITOR,
            fee: Amount::new(fee).expect("small"),
            liability: LiabilityClass::Relying,
            commitment: Digest([0x81; 32]),
            created: world.handle.read(etibar_ledger::Ledger::time),
        })
    };
    assert_eq!(act(&debtor, reuse(501)).await.0, Outcome::AmountAboveLimit);
    let (outcome, owed) = act(&debtor, reuse(200)).await;
    assert_eq!(outcome, Outcome::Accepted);
    assert_eq!(act(&debtor, reuse(100)).await.0, Outcome::Accepted);
    assert!(creditor.receipt(DEBTOR, owed.id).await.expect("an answer").is_some());
    assert_eq!(other.receipt(DEBTOR, owed.id).await, Ok(None));

    for client in [&operator, &debtor, &creditor] {
        let view = client.obligations().await.expect("an answer");
        let [open] = view.open[..] else { panic!("one pair owes: {view:?}") };
        assert_eq!((open.debtor, open.creditor), (DEBTOR, CREDITOR));
        assert_eq!((open.amount.minor_units(), open.count), (300, 2));
        let own = view.net.iter().find(|net| net.member == DEBTOR);
        let paying = client.member() != CREDITOR;
        assert_eq!(own.map(|net| (net.amount, net.covered)), paying.then_some((-300, true)));
    }
    let none = other.obligations().await.expect("an answer");
    assert!(none.open.is_empty() && none.net.is_empty());

    let balance = async |client: &Client| {
        let account = client.account(settlement(client.member())).await;
        account.expect("an answer").expect("its own").balance
    };
    let before = (balance(&debtor).await, balance(&creditor).await);
    let excluded = Excluded::NONE;
    let settle = Action::SettleObligations(ObligationsSettlement { excluded });
    assert_eq!(act(&debtor, settle).await.0, Outcome::NotAuthorised);
    let (outcome, settled) = act(&operator, settle).await;
    assert_eq!(outcome, Outcome::Accepted);
    assert_eq!(
        (balance(&debtor).await, balance(&creditor).await),
        (before.0 - 300, before.1 + 300)
    );
    assert!(debtor.obligations().await.expect("an answer").open.is_empty());
    let proof = creditor.receipt(OPERATOR, settled.id).await.expect("an answer").expect("a party");
    assert!(proof.sentence().contains("settled with finality all open obligations"));
}
