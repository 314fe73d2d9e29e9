//! A wallet with one invented person, served on a port of its own; no network behind it.

use std::{path::Path, sync::Arc};

use etibar_api::{Limits, serve, wallet};
use etibar_client::{Client, ClientConfig, clock};
use etibar_credential::evidence::{Duty, Role};
use etibar_ledger::{
    Genesis,
    genesis::{GenesisAccount, GenesisMember},
    operation::{AccountKind, Bic, MemberRole},
};
use etibar_primitives::{
    AccountId, Amount, BlockTime, Digest, MemberId, OperationId, key::PrivateKey,
};
use etibar_vault::key::FileKey;
use etibar_wallet::{
    EntryId, Language, Wallet, WalletSetup,
    config::MemberAddress,
    record::{AccessesRecord, ConsentRecord, CredentialRecord, Instance, ProfileRecord},
    screen::{ConsentScreen, Part, Requester},
    store::{Kind, Records, Store},
    view::{
        AccessLine, AccessSource, AccountView, ClaimView, CredentialState, Notice, NoticeKind,
        Proof, Source, Verdict,
    },
};
use serde::Serialize;
use serde_json::json;
use tokio::{net::TcpListener, task::JoinHandle};

/// The invented person's FIN, name and IBAN: never in an address.
pub(crate) const PERSONAL: [&str; 3] = ["7ZX4K9P", "Nümunəyeva", "AZ77IBAZ00000000000000000042"];
const DAY_MS: u64 = 86_400_000;

/// The served wallet.
pub(crate) struct World {
    /// What browsers see.
    pub(crate) origin: String,
    /// The cookie's value of somebody who is signed in.
    pub(crate) token: String,
    /// A consent of the person.
    pub(crate) consent: EntryId,
    /// A document of the person.
    pub(crate) document: EntryId,
    _server: JoinHandle<()>,
}

impl World {
    /// Serves a wallet in `folder`.
    pub(crate) async fn start(folder: &Path) -> Self {
        let listener =
            TcpListener::bind("127.0.0.1:0").await.expect("the test gives what it needs");
        let port = listener.local_addr().expect("the test gives what it needs").port();
        let origin = format!("http://localhost:{port}");
        let wallet =
            Wallet::start(setup(folder, &origin)).await.expect("the test gives what it needs");
        let person = wallet.new_person().await.expect("the test gives what it needs");
        let store = Store::open(folder, Arc::new(FileKey::new([7; 32])))
            .await
            .expect("the test gives what it needs");
        let records = store
            .records(person)
            .await
            .expect("the test gives what it needs")
            .expect("the test gives what it needs");
        let (consent, document) = fill(&records).await;
        let (token, _) = wallet.begin_session(person).await.expect("the test gives what it needs");
        let router = wallet::router(wallet, &origin);
        let forever = std::future::pending();
        let server = tokio::spawn(serve(listener, router, Limits::default(), forever));
        Self { origin, token: token.to_string(), consent, document, _server: server }
    }
}

fn setup(folder: &Path, origin: &str) -> WalletSetup {
    let key = Arc::new(PrivateKey::from_seed(&[1; 32]));
    let member = |id, name: &str, role| GenesisMember {
        id: MemberId(id),
        name: name.to_owned(),
        role,
        bic: Bic::new("NABZAZ2C").expect("the test gives what it needs"),
        keys: vec![
            PrivateKey::from_seed(&[u8::try_from(id).expect("the test gives what it needs"); 32])
                .public_key(),
        ],
    };
    let genesis = Genesis {
        name: "wallet pages".to_owned(),
        time: BlockTime(1_795_000_000_000),
        validators: vec![key.public_key()],
        members: vec![
            member(1, "Mərkəzi Bank (sample)", MemberRole::Operator),
            member(2, "ABB (sample)", MemberRole::Bank),
            member(3, "Kapital Bank (sample)", MemberRole::Bank),
            member(12, "Daxili İşlər Nazirliyi (sample)", MemberRole::Agency),
        ],
        accounts: vec![GenesisAccount {
            id: AccountId(1),
            owner: MemberId(1),
            kind: AccountKind::Issue,
            opening: Amount::ZERO,
        }],
        parameters: Vec::new(),
        issuers: Vec::new(),
        purposes: Vec::new(),
    };
    let nowhere = |member| MemberAddress { member, url: "http://127.0.0.1:9".to_owned() };
    WalletSetup {
        store: folder.to_owned(),
        master: Arc::new(FileKey::new([7; 32])),
        client: Client::new(ClientConfig {
            genesis: Arc::new(genesis),
            validators: vec!["http://127.0.0.1:9".to_owned()],
            member: MemberId(1),
            key,
        })
        .expect("the test gives what it needs"),
        members: vec![nowhere(MemberId(2)), nowhere(MemberId(3)), nowhere(MemberId(12))],
        registrar: MemberId(12),
        origin: Some(origin.to_owned()),
    }
}

async fn put<T: Serialize + Sync>(records: &Records, kind: Kind, value: &T) -> EntryId {
    let id = EntryId::random();
    records.put(kind, id, value, clock::now()).await.expect("the test gives what it needs");
    id
}

async fn fill(records: &Records) -> (EntryId, EntryId) {
    let now = clock::now();
    let single = EntryId([0; 16]);
    let profile = ProfileRecord {
        language: Language::Az,
        guardians: None,
        devices: std::collections::BTreeMap::new(),
    };
    records.put(Kind::Profile, single, &profile, now).await.expect("the test gives what it needs");
    let document = put(records, Kind::Credential, &identity(now)).await;
    put(records, Kind::Credential, &vehicle(now)).await;
    let consent = put(records, Kind::Consent, &consent(now, None)).await;
    put(records, Kind::Consent, &self::consent(BlockTime(now.0 - DAY_MS), Some(now))).await;
    let account = AccountView {
        id: EntryId::random(),
        bank: "ABB (sample)".to_owned(),
        iban: PERSONAL[2].to_owned(),
        product: "current_account".to_owned(),
        opened: now,
        consent: Some(consent),
    };
    put(records, Kind::Account, &account).await;
    let kind = NoticeKind::AccountOpened { bank: account.bank.clone(), account: account.id };
    put(records, Kind::Message, &Notice { kind, at: now }).await;
    let accesses = AccessesRecord {
        checked: now,
        lines: lines(now),
        silent: vec!["Kapital Bank (sample)".to_owned()],
        heads: Vec::new(),
    };
    records
        .put(Kind::Accesses, single, &accesses, now)
        .await
        .expect("the test gives what it needs");
    (consent, document)
}

fn credential(
    vct: &str,
    issuer: u32,
    claims: serde_json::Value,
    now: BlockTime,
) -> CredentialRecord {
    let instance = || Instance { sd_jwt: String::new(), key: String::new(), shown_to: None };
    CredentialRecord {
        vct: vct.to_owned(),
        issuer: MemberId(issuer),
        issued: now,
        expires: BlockTime(now.0 + 90 * DAY_MS),
        claims,
        instances: vec![instance(), instance()],
        state: CredentialState::Valid,
    }
}

fn identity(now: BlockTime) -> CredentialRecord {
    let claims = json!({
        "family_name": PERSONAL[1], "given_name": "Əsmər", "patronymic": "Nümunə qızı",
        "birthdate": "1990-05-07", "sex": "F", "nationality": "AZ",
        "personal_administrative_number": PERSONAL[0], "document_number": "AA1234567",
        "document_expiry": "2033-08-11", "assurance_level": "high",
        "address": { "region": "Bakı", "city": "Bakı", "street": "Nizami küçəsi",
            "building": "12", "postal_code": "AZ1000" },
        "age_over_18": true,
    });
    credential("urn:az:pid:1", 12, claims, now)
}

fn vehicle(now: BlockTime) -> CredentialRecord {
    let claims = json!({ "plate": "10-AA-001", "make": "Sample" });
    credential("urn:az:vehicle:1", 13, claims, now)
}

fn consent(granted: BlockTime, revoked: Option<BlockTime>) -> ConsentRecord {
    let claim = |label: &str, value: &str| ClaimView { label: label.into(), value: value.into() };
    let screen = ConsentScreen {
        request: EntryId::random(),
        language: Language::Az,
        who: Requester { member: MemberId(2), name: "ABB (sample)".to_owned() },
        parts: vec![Part {
            purpose: 1,
            title: "Hesab açmaq".to_owned(),
            text: "Bank kim olduğunuzu yoxlayır.".to_owned(),
            until: BlockTime(granted.0 + 30 * DAY_MS),
            term: "Müddət: 30 gün.".to_owned(),
            disposal: "Sonra silinir.".to_owned(),
            law: "Qanun banka yoxlama qeydlərini 5 il saxlamağı tapşırır.".to_owned(),
            signed_text: Vec::new(),
        }],
        sources: vec![Source {
            from: "Daxili İşlər Nazirliyi".to_owned(),
            title: "Şəxsiyyət".to_owned(),
            held: true,
            claims: vec![claim("Soyad", PERSONAL[1]), claim("Ad", "Əsmər")],
        }],
        obstacle: None,
    };
    ConsentRecord {
        consumer: MemberId(2),
        providers: vec![MemberId(12)],
        rels: vec![Digest([5; 32])],
        part: 0,
        artefact: String::new(),
        expires: screen.parts[0].until,
        screen,
        evidence: None,
        granted,
        revoked,
        erasure: None,
        holds: Vec::new(),
        proofs: vec![Proof { submitter: MemberId(2), operation: OperationId(77) }],
    }
}

/// One access of each verdict, and one of a bank's own use.
fn lines(now: BlockTime) -> Vec<AccessLine> {
    let hour_ago = BlockTime(now.0 - 3_600_000);
    let altered = Verdict::Altered { code: "receipt_not_in_anchor".to_owned() };
    let own = access(now, 6, verified(now));
    vec![
        access(now, 5, Verdict::Waiting),
        access(now, 4, altered),
        access(hour_ago, 3, Verdict::Waiting),
        access(now, 2, Verdict::Missing),
        access(now, 1, verified(now)),
        AccessLine {
            author: Some(MemberId(2)),
            signed: vec!["ABB (sample)".to_owned()],
            action: "use".to_owned(),
            ..own
        },
        clerks(access(now, 7, verified(now))),
    ]
}

/// A change by a clerk of the register, as its receipt names it.
fn clerks(line: AccessLine) -> AccessLine {
    AccessLine {
        action: "change".to_owned(),
        reader: Some(Role::Clerk),
        duty: Some(Duty::Register),
        source: Some(AccessSource {
            requester: MemberId(12),
            provider: MemberId(12),
            vct: "urn:az:pid:1".to_owned(),
            claims: vec!["address.city".to_owned(), "record.valid_until".to_owned()],
            purpose: 0,
            signers: vec![MemberId(12)],
        }),
        ..line
    }
}

fn access(now: BlockTime, sequence: u64, verdict: Verdict) -> AccessLine {
    AccessLine {
        rel: Digest([5; 32]),
        sequence,
        at: now,
        who: "ABB (sample)".to_owned(),
        from: "Daxili İşlər Nazirliyi (sample)".to_owned(),
        action: "fetch".to_owned(),
        claims: vec!["Soyad".to_owned(), "Ad".to_owned(), "Ünvan".to_owned()],
        purpose: "Hesab açmaq".to_owned(),
        signed: vec!["Daxili İşlər Nazirliyi (sample)".to_owned(), "ABB (sample)".to_owned()],
        reader: None,
        duty: None,
        verdict,
        author: Some(MemberId(12)),
        source: None,
    }
}

fn verified(anchored: BlockTime) -> Verdict {
    Verdict::Verified {
        proof: Proof { submitter: MemberId(12), operation: OperationId(78) },
        anchored,
    }
}
