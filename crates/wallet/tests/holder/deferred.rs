//! A credential that its issuer has not ready: asked for again, within limits, over restarts.

use std::{path::Path, sync::Arc};

use etibar_credential::jose::SoftwareKey;
use etibar_openid::{
    http::Answer,
    vci::{
        AuthorizationServerMetadata, CredentialIssuerMetadata,
        holder::{Session, Wallet as Client},
    },
};
use etibar_primitives::{BlockTime, MemberId, hex};
use etibar_vault::key::FileKey;
use etibar_wallet::{
    EntryId, Holder, Language,
    config::MemberAddress,
    record::{DeferredRecord, Instance},
    store::{Kind, Store},
};
use serde_json::{Value, json};
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::TcpListener,
};

use super::support::wallet_of;

const MANDATE: &str = "urn:az:mandate:1";

/// An issuer that answers as it is told.
struct Issuer {
    listener: TcpListener,
    url: String,
}

impl Issuer {
    async fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let url = format!("http://{}", listener.local_addr().expect("an address"));
        Self { listener, url }
    }

    /// Answers one request; its first line.
    async fn answer(&self, status: u16, body: &Value) -> String {
        let (mut stream, _) = self.listener.accept().await.expect("a connection");
        let (mut request, mut part) = (Vec::new(), [0; 4096]);
        let whole = |request: &[u8]| {
            let text = String::from_utf8_lossy(request).to_lowercase();
            let Some((head, body)) = text.split_once("\r\n\r\n") else { return false };
            let length = head.lines().find_map(|line| line.strip_prefix("content-length: "));
            body.len() >= length.map_or(0, |length| length.parse().expect("a number"))
        };
        while !whole(&request) {
            let read = stream.read(&mut part).await.expect("a request");
            request.extend_from_slice(&part[..read]);
        }
        let body = body.to_string();
        let length = body.len();
        let answer = format!(
            "HTTP/1.1 {status} X\r\ncontent-type: application/json\r\n\
             content-length: {length}\r\nconnection: close\r\n\r\n{body}"
        );
        stream.write_all(answer.as_bytes()).await.expect("written");
        let text = String::from_utf8(request).expect("a text");
        text.lines().next().expect("a first line").to_owned()
    }
}

/// What the wallet keeps of an order that was deferred, due at once.
fn order(url: &str) -> DeferredRecord {
    let client = Client { client_id: "wallet".to_owned(), redirect_uri: String::new() };
    let issuer = CredentialIssuerMetadata::new(url, [].into());
    let server = AuthorizationServerMetadata::new(url, Vec::new());
    let mut session = Session::new(client, issuer, server);
    let token = json!({ "access_token": "token", "token_type": "DPoP", "expires_in": 60 });
    session.token(&Answer::json(200, &token)).expect("a token");
    let key = || hex::encode(&SoftwareKey::generate(&mut rand::rng()).to_bytes());
    DeferredRecord {
        issuer: MemberId(1),
        vct: MANDATE.to_owned(),
        session,
        dpop: key(),
        instances: vec![Instance { sd_jwt: String::new(), key: key(), shown_to: None }],
        transaction: "transaction-1".to_owned(),
        began: etibar_client::clock::now(),
        interval_s: 1,
        due: BlockTime(0),
        asked: 0,
        refused: None,
    }
}

/// Writes the order into the storage of the wallet in `folder`.
async fn put(folder: &Path, holder: &Holder, id: EntryId, record: &DeferredRecord) {
    let store = Store::open(folder, Arc::new(FileKey::new([7; 32]))).await.expect("a store");
    let records = store.records(holder.person()).await.expect("readable").expect("a person");
    records.put(Kind::Deferred, id, record, record.began).await.expect("written");
}

async fn kept(folder: &Path, holder: &Holder, id: EntryId) -> DeferredRecord {
    let store = Store::open(folder, Arc::new(FileKey::new([7; 32]))).await.expect("a store");
    let records = store.records(holder.person()).await.expect("readable").expect("a person");
    records.get(Kind::Deferred, id).await.expect("readable").expect("kept")
}

/// The holder of a wallet that was opened just now.
async fn opened(folder: &Path, url: &str, holder: Option<&Holder>) -> Holder {
    let members = vec![MemberAddress { member: MemberId(1), url: url.to_owned() }];
    let wallet = wallet_of(folder, false, members).await;
    let person = match holder {
        Some(holder) => holder.person(),
        None => wallet.new_person().await.expect("a person"),
    };
    wallet.holder(person).await.expect("a holder")
}

#[tokio::test]
async fn a_deferred_order_survives_restarts_faults_and_silence_and_shows_a_refusal() {
    let folder = tempfile::tempdir().expect("a folder");
    let (folder, issuer) = (folder.path(), Issuer::start().await);
    let holder = opened(folder, &issuer.url, None).await;
    let (id, record) = (EntryId([5; 16]), order(&issuer.url));
    put(folder, &holder, id, &record).await;

    // Still not ready: the wallet asks again when the issuer says, not before.
    let holder = opened(folder, &issuer.url, Some(&holder)).await;
    let pending = json!({ "transaction_id": "transaction-1", "interval": 3600 });
    let (came, asked) = tokio::join!(holder.resume_deferred(), issuer.answer(202, &pending));
    assert_eq!((came.expect("resumed"), asked.as_str()), (0, "POST /oid4vci/deferred HTTP/1.1"));
    let waits = kept(folder, &holder, id).await;
    assert_eq!((waits.asked, waits.interval_s), (1, 3600));
    assert!(waits.due > etibar_client::clock::now());
    assert_eq!(holder.resume_deferred().await.expect("nothing is due"), 0);
    let shown = holder.deferred(Language::En).await.expect("shown");
    assert_eq!((shown.len(), shown[0].refused.as_deref()), (1, None));

    // A fault of the issuer's, then silence: neither is an answer.
    let due = |record: DeferredRecord| DeferredRecord { due: BlockTime(0), ..record };
    put(folder, &holder, id, &due(waits)).await;
    let fault = json!({ "error": "server_error" });
    let (came, _) = tokio::join!(holder.resume_deferred(), issuer.answer(500, &fault));
    assert_eq!(came.expect("resumed"), 0);
    let waits = kept(folder, &holder, id).await;
    assert_eq!((waits.asked, waits.refused.as_deref()), (2, None));
    let url = issuer.url.clone();
    drop(issuer);
    put(folder, &holder, id, &due(waits)).await;
    assert_eq!(holder.resume_deferred().await.expect("nobody answers"), 0);
    assert_eq!(kept(folder, &holder, id).await.refused, None);

    // A refusal is one, and the person sees it.
    let listener = TcpListener::bind(url.strip_prefix("http://").expect("ours")).await;
    let issuer = Issuer { listener: listener.expect("the same port"), url };
    let waits = kept(folder, &holder, id).await;
    put(folder, &holder, id, &due(waits)).await;
    let refusal =
        json!({ "error": "credential_request_denied", "error_description": "release_refused" });
    let (came, _) = tokio::join!(holder.resume_deferred(), issuer.answer(400, &refusal));
    assert_eq!(came.expect("resumed"), 0);
    let shown = holder.deferred(Language::En).await.expect("shown");
    assert_eq!(shown[0].refused.as_deref(), Some("release_refused"));
}

#[tokio::test]
async fn an_order_that_was_asked_for_two_weeks_is_given_up_without_asking() {
    let folder = tempfile::tempdir().expect("a folder");
    let url = "http://127.0.0.1:9";
    let holder = opened(folder.path(), url, None).await;
    let id = EntryId([5; 16]);
    let two_weeks_ms = 14 * 86_400_000;
    let cases = [(two_weeks_ms - 60_000, None), (two_weeks_ms, Some("issuance_expired"))];
    for (age_ms, refused) in cases {
        let began = BlockTime(etibar_client::clock::now().0 - age_ms);
        put(folder.path(), &holder, id, &DeferredRecord { began, ..order(url) }).await;
        holder.resume_deferred().await.expect("resumed");
        let ended = kept(folder.path(), &holder, id).await.refused;
        assert_eq!(ended.as_deref(), refused);
    }
}
