//! Golden files: the bytes that members keep and validators sign. A difference is a change of a
//! format, which is a decision: only with `ETIBAR_GOLDEN=write` the files are written anew.

use std::path::Path;

use etibar_ledger::{
    Operation, Outcome,
    attestation::{self, Attestation},
    block::BlockHeader,
    operation::{
        AccountKind, AccountOpening, AccountStatus, Action, AliasRemoval, AliasSetting,
        AssuranceLevel, Bic, ConsentGrant, ConsentRevocation, EvidenceAnchor, Excluded,
        FloorSetting, IssuerRegistration, IssuerRevocation, KeyGrant, KeyRevocation, KycReuse,
        LiabilityClass, MemberAdmission, MemberRole, MemberStatus, MemberStatusSetting,
        ObligationsSettlement, Parameter, ParameterSetting, PurposeCode, PurposeRegistration,
        PurposeRetirement, ReasonCode, Scope, StatusListAnchor, StatusSetting, Transfer,
        TransferKind,
    },
    result::{BlockResult, MemberEvents, TransactionRefusal, TransactionResult},
    transaction::Envelope,
};
use etibar_primitives::{
    AccountId, Amount, BlockTime, Currency, DurationMs, MemberId, OperationId, hex,
    key::{PrivateKey, PublicKey},
};

use crate::{
    plan::{self, Plan},
    proofs,
    world::{START, named},
};

/// Every kind of operation once, each field with a value of its own.
pub(crate) fn every_kind() -> Vec<(&'static str, Operation)> {
    let mut kinds = transfers();
    kinds.extend(administration());
    kinds.extend(registry());
    kinds.extend(identity());
    kinds
}

fn operation(number: u128, action: Action) -> Operation {
    let id = OperationId(0x8a56_2c67_ca16_48ba_b074_6558_1be6_f000 + number);
    Operation { id, linked: number.is_multiple_of(2), action }
}

fn transfers() -> Vec<(&'static str, Operation)> {
    let amount = Amount::new(123_456).expect("in range");
    let base = Transfer {
        debtor_agent: MemberId(12),
        creditor_agent: MemberId(13),
        ..Transfer::new(AccountId(2002), AccountId(2003), amount, START)
    };
    let pending = OperationId(0x8a56_2c67_ca16_48ba_b074_6558_1be6_f002);
    let reserve =
        Transfer { expires: BlockTime(START.0 + 10_000), commitment: named("message"), ..base };
    let void =
        Transfer { pending, reason: ReasonCode::new("AC04").expect("four characters"), ..base };
    let kinds = [
        ("direct", TransferKind::Direct, base),
        ("reserve", TransferKind::Reserve, reserve),
        ("post", TransferKind::Post, Transfer { pending, ..base }),
        ("void", TransferKind::Void, void),
        ("issue", TransferKind::Issue, base),
        ("redeem", TransferKind::Redeem, base),
    ];
    let kind = |(number, (name, kind, its))| (name, operation(number, Action::Transfer(kind, its)));
    (1..).zip(kinds).map(kind).collect()
}

fn administration() -> Vec<(&'static str, Operation)> {
    let (member, account) = (MemberId(2), AccountId(1002));
    let (valid_from, valid_until) = (START, BlockTime(START.0 + 1_000));
    let (key, kind) = (PublicKey([5; 32]), AccountKind::Settlement);
    let actions = [
        (
            "open_account",
            Action::OpenAccount(AccountOpening {
                account,
                owner: member,
                kind,
                currency: Currency::AZN,
            }),
        ),
        (
            "set_account_status",
            Action::SetAccountStatus(StatusSetting { account, status: AccountStatus::Frozen }),
        ),
        (
            "set_floor",
            Action::SetFloor(FloorSetting { account, floor: Amount::new(777).expect("in range") }),
        ),
        (
            "admit_member",
            Action::AdmitMember(MemberAdmission {
                member,
                role: MemberRole::Bank,
                bic: Bic::new("NABZAZ2C").expect("eight characters"),
            }),
        ),
        (
            "set_member_status",
            Action::SetMemberStatus(MemberStatusSetting {
                member,
                status: MemberStatus::Suspended,
            }),
        ),
        ("grant_key", Action::GrantKey(KeyGrant { member, key, valid_from, valid_until })),
        ("revoke_key", Action::RevokeKey(KeyRevocation { member, key })),
        (
            "set_parameter",
            Action::SetParameter(ParameterSetting {
                parameter: Parameter::IdRetentionMs,
                value: 90_000_000,
                effective_from: START,
            }),
        ),
    ];
    (11..).zip(actions).map(|(number, (name, its))| (name, operation(number, its))).collect()
}

fn registry() -> Vec<(&'static str, Operation)> {
    let (tag, member) = (named("tag"), MemberId(2));
    let later = BlockTime(START.0 + 1_000);
    let actions = [
        ("set_alias", Action::SetAlias(AliasSetting { tag, locator: [9; 16] })),
        ("remove_alias", Action::RemoveAlias(AliasRemoval { tag })),
        (
            "anchor_evidence",
            Action::AnchorEvidence(EvidenceAnchor {
                root: named("root"),
                count: 42,
                from: START,
                until: later,
            }),
        ),
        (
            "grant_consent",
            Action::GrantConsent(ConsentGrant {
                rel: named("rel"),
                commitment: named("artefact"),
                provider: member,
                expires: later,
                purpose: PurposeCode(0x0102),
                scope: Scope(0x0304_0506),
            }),
        ),
        ("revoke_consent", Action::RevokeConsent(ConsentRevocation { rel: named("rel") })),
        (
            "register_issuer",
            Action::RegisterIssuer(IssuerRegistration {
                member,
                credential_type: named("type"),
                certificate: named("certificate"),
                ceiling: AssuranceLevel::Substantial,
                valid_from: START,
                valid_until: later,
            }),
        ),
        (
            "revoke_issuer",
            Action::RevokeIssuer(IssuerRevocation { member, credential_type: named("type") }),
        ),
    ];
    (21..).zip(actions).map(|(number, (name, its))| (name, operation(number, its))).collect()
}

fn identity() -> Vec<(&'static str, Operation)> {
    let purpose = PurposeRegistration {
        code: PurposeCode(0x0102),
        scope: Scope(0x0304_0506),
        duration_max: DurationMs(90 * 86_400_000),
        document: named("document"),
    };
    let list = StatusListAnchor { list: 7, counter: 0x0809, digest: named("list") };
    let reuse = KycReuse {
        provider: MemberId(2),
        fee: Amount::new(250).expect("in range"),
        liability: LiabilityClass::Shared,
        commitment: named("reuse"),
        created: START,
    };
    let excluded = Excluded::new(&[MemberId(9), MemberId(3)]).expect("two members");
    let actions = [
        ("register_purpose", Action::RegisterPurpose(purpose)),
        ("retire_purpose", Action::RetirePurpose(PurposeRetirement { code: PurposeCode(0x0102) })),
        ("anchor_status_list", Action::AnchorStatusList(list)),
        ("reuse_kyc", Action::ReuseKyc(reuse)),
        ("settle_obligations", Action::SettleObligations(ObligationsSettlement { excluded })),
    ];
    (31..).zip(actions).map(|(number, (name, its))| (name, operation(number, its))).collect()
}

fn plan() -> Plan {
    let words = |block: u64| (0..3).map(move |word| vec![(block * 7 + word) << 10; 2]);
    (0..3).map(|block| (3, words(block).collect())).collect()
}

fn transaction() -> Vec<u8> {
    let operations: Vec<_> = every_kind().into_iter().map(|(_, operation)| operation).collect();
    let envelope = Envelope {
        network: plan::network().network(),
        member: MemberId(2),
        valid_from: START,
        valid_until: BlockTime(START.0 + 60_000),
    };
    envelope.sign(&operations[..2], &PrivateKey::from_seed(&[7; 32]))
}

fn result() -> BlockResult {
    let expired = etibar_ledger::receipt::Event {
        operation: transfers()[1].1.encode(),
        submitter: MemberId(2),
        outcome: Outcome::ReserveExpired,
    };
    BlockResult {
        expired: vec![expired],
        transactions: vec![
            TransactionResult::Executed(vec![Outcome::Accepted, Outcome::ExceedsLiquidity]),
            TransactionResult::Refused(TransactionRefusal::KeyNotActive),
        ],
        members: vec![
            MemberEvents { member: MemberId(2), first: 7, positions: vec![0, 1, 2] },
            MemberEvents { member: MemberId(3), first: 0, positions: vec![1] },
        ],
    }
}

/// Every format by name; the signed transaction comes first.
pub(crate) fn samples() -> Vec<(String, Vec<u8>)> {
    let chain = proofs::chain(&plan());
    let header: &BlockHeader = &chain.headers[1];
    let encoded = |encode: &dyn Fn(&mut Vec<u8>)| {
        let mut out = Vec::new();
        encode(&mut out);
        out
    };
    let receipt = chain.receipts().last().expect("the plan has events");
    let (_, page) = chain.pages().pop().expect("the plan has events");
    let mut samples = vec![
        ("transaction".to_owned(), transaction()),
        ("block_header".to_owned(), encoded(&|out| header.encode(out))),
        ("execution_record".to_owned(), encoded(&|out| chain.records[1].encode(out))),
        ("block_result".to_owned(), encoded(&|out| result().encode(out))),
        ("receipt".to_owned(), receipt.to_bytes()),
        ("event_page".to_owned(), page.to_bytes()),
        ("attestations".to_owned(), attestations(&chain)),
    ];
    let kinds = every_kind().into_iter();
    samples.extend(kinds.map(|(name, its)| (format!("operation_{name}"), its.encode().into())));
    samples
}

/// Two validators' signatures over one record.
fn attestations(chain: &proofs::Chain) -> Vec<u8> {
    let record = chain.records[1].digest();
    let sign = |validator: u16| {
        let seed = u8::try_from(validator).expect("two validators");
        let key = PrivateKey::from_seed(&[seed; 32]);
        let signature = attestation::sign(&key, &chain.network, &record);
        Attestation { validator, signature }
    };
    attestation::encode(&[sign(0), sign(3)])
}

/// What is only ever seen as a digest.
fn digests() -> Vec<(String, Vec<u8>)> {
    let chain = proofs::chain(&plan());
    let mut digests = vec![
        ("genesis_digest".to_owned(), plan::network().network().0.into()),
        ("block_header_digest".to_owned(), chain.headers[1].digest().0.into()),
        ("execution_record_digest".to_owned(), chain.records[1].digest().0.into()),
        ("receipts_root".to_owned(), chain.records[1].receipts_root.0.into()),
    ];
    let (_, changes) = etibar_ledger::Ledger::genesis(&plan::network());
    let rows = changes.iter().flat_map(|change| {
        let value = change.value.as_deref().unwrap_or_default();
        [change.key.0.as_slice(), value].concat()
    });
    digests.push(("genesis_rows".to_owned(), rows.collect()));
    digests
}

#[test]
fn the_formats_are_what_they_were() {
    let write = std::env::var_os("ETIBAR_GOLDEN").is_some_and(|value| value == "write");
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden");
    let mut named = samples();
    named.extend(digests());
    for (name, bytes) in &named {
        let path = folder.join(format!("{name}.hex"));
        let text = lines(bytes);
        if write {
            #[expect(clippy::disallowed_methods, reason = "a person asked for new golden files")]
            std::fs::write(&path, &text).expect("the folder is writable");
        }
        let golden = std::fs::read_to_string(&path).unwrap_or_default();
        assert_eq!(golden, text, "{name}.hex differs: the format changed");
    }
    let files = std::fs::read_dir(&folder).expect("the folder is part of the crate").count();
    assert_eq!(files, named.len(), "a golden file belongs to no format");
}

/// Hexadecimal digits, 32 bytes a line.
fn lines(bytes: &[u8]) -> String {
    let line = |chunk: &[u8]| hex::encode(chunk) + "\n";
    bytes.chunks(32).map(line).collect()
}
