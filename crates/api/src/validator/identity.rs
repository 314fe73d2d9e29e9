//! The trust registry, consents, anchors and obligations after the last executed block.

use axum::{extract::State, http::StatusCode};
use etibar_client::wire::{
    ConsentView, EvidenceView, IssuerView, NetPositionView, ObligationView, ObligationsView,
    PurposeView, StatusListView,
};
use etibar_ledger::{Ledger, operation::Excluded};
use etibar_primitives::{Digest, MemberId};

use super::{Validator, auth::Caller};
use crate::{
    Problem,
    extract::{Json, Path},
};

/// `GET /v1/issuers`.
pub(super) async fn issuers(
    State(validator): State<Validator>,
    _caller: Caller,
) -> Json<Vec<IssuerView>> {
    Json(validator.handle.read(|ledger| {
        let view = |(member, credential, issuer)| IssuerView::new(member, credential, issuer);
        ledger.issuers().map(view).collect()
    }))
}

/// `GET /v1/purposes`.
pub(super) async fn purposes(
    State(validator): State<Validator>,
    _caller: Caller,
) -> Json<Vec<PurposeView>> {
    Json(validator.handle.read(|ledger| {
        ledger.purposes().map(|(code, purpose)| PurposeView::new(code, purpose)).collect()
    }))
}

/// `GET /v1/consents/{rel}`: to every member that knows `rel`.
pub(super) async fn consent(
    State(validator): State<Validator>,
    _caller: Caller,
    Path(rel): Path<Digest>,
) -> Result<Json<ConsentView>, Problem> {
    let consent = validator.handle.read(|ledger| ledger.consent(&rel).copied());
    let consent = consent.ok_or_else(|| unknown("consent_unknown", "there is no such consent"))?;
    Ok(Json(ConsentView::new(rel, &consent)))
}

/// `GET /v1/status-lists/{member}/{list}`.
pub(super) async fn status_list(
    State(validator): State<Validator>,
    _caller: Caller,
    Path((member, list)): Path<(MemberId, u32)>,
) -> Result<Json<StatusListView>, Problem> {
    let anchor = validator.handle.read(|ledger| ledger.status_list(member, list).copied());
    let detail = "the member has anchored no such list";
    let anchor = anchor.ok_or_else(|| unknown("status_list_unknown", detail))?;
    Ok(Json(StatusListView::new(member, list, &anchor)))
}

/// `GET /v1/evidence/{member}`.
pub(super) async fn evidence(
    State(validator): State<Validator>,
    _caller: Caller,
    Path(member): Path<MemberId>,
) -> Result<Json<EvidenceView>, Problem> {
    let evidence = validator.handle.read(|ledger| ledger.evidence(member).copied());
    let detail = "the member has anchored no evidence";
    let evidence = evidence.ok_or_else(|| unknown("evidence_unknown", detail))?;
    Ok(Json(EvidenceView::new(member, &evidence)))
}

/// `GET /v1/obligations`.
pub(super) async fn obligations(
    State(validator): State<Validator>,
    caller: Caller,
) -> Json<ObligationsView> {
    Json(validator.handle.read(|ledger| {
        let view = |(debtor, creditor, owed): (_, _, &etibar_ledger::state::Obligation)| {
            let (amount, count, since) = (owed.amount, owed.count, owed.since);
            ObligationView { debtor, creditor, amount, count, since }
        };
        let party =
            |its: &ObligationView| caller.may_see(its.debtor) || caller.may_see(its.creditor);
        let open = ledger.obligations().map(view).filter(party).collect();
        let nets = ledger.net_positions(&Excluded::NONE).into_iter();
        let own = nets.filter(|(member, _)| caller.may_see(*member));
        let net = own.map(|(member, amount)| position(ledger, member, amount)).collect();
        ObligationsView { open, net }
    }))
}

fn position(ledger: &Ledger, member: MemberId, amount: i128) -> NetPositionView {
    let account = ledger.settlement_account(member);
    let free = account
        .map_or(0, |(_, account)| account.available() - i128::from(account.floor.minor_units()));
    let covered = amount >= 0 || free >= -amount;
    let amount = i64::try_from(amount).unwrap_or(if amount < 0 { i64::MIN } else { i64::MAX });
    NetPositionView { member, amount, covered }
}

fn unknown(code: &'static str, detail: &'static str) -> Problem {
    Problem::new(StatusCode::NOT_FOUND, code, detail)
}
