//! A small network without machines: the real ledger, executed block by block in this process.

use std::{collections::HashMap, sync::Arc};

use etibar_edge::{
    alias::DirectoryKey, book::sample_accounts, config::Limits, directory::Directory,
    envelope::SealPrivateKey, flow::EventBatch, setup::Setup,
};
use etibar_ledger::{
    BlockInput, Genesis, Ledger, Operation,
    block::ExecutionRecord,
    genesis::{GenesisAccount, GenesisMember},
    operation::{AccountKind, Bic, MemberRole},
    receipt::{Certified, MemberSummary, Receipt, SummaryProof},
    transaction::{Envelope, TransactionView},
};
use etibar_primitives::{
    AccountId, Amount, BlockTime, Digest, MemberId, OperationId, key::PrivateKey, merkle::Path,
};

/// When every test begins, in milliseconds since 1970.
pub(crate) const START: u64 = 1_795_000_000_000;
/// What each bank set aside for instant payments.
pub(crate) const PREFUND: u64 = 100_000_000;
/// The operator, without customers.
pub(crate) const OPERATOR: MemberId = MemberId(1);
/// The first two banks.
pub(crate) const ALFA: MemberId = MemberId(2);
pub(crate) const BETA: MemberId = MemberId(3);

const BICS: [&str; 3] = ["NABZAZ2C", "IBAZAZ2X", "AIIBAZ2X"];

pub(crate) fn amount(minor_units: u64) -> Amount {
    Amount::new(minor_units).unwrap()
}

pub(crate) fn bic(member: MemberId) -> &'static str {
    BICS[usize::try_from(member.0 - 1).unwrap()]
}

pub(crate) fn prefund(member: MemberId) -> AccountId {
    AccountId(u64::from(2_000 + member.0))
}

pub(crate) fn key(member: MemberId) -> PrivateKey {
    PrivateKey::from_seed(&[u8::try_from(member.0).unwrap(); 32])
}

fn seal_key(member: MemberId) -> SealPrivateKey {
    SealPrivateKey::from_seed(&[100 + u8::try_from(member.0).unwrap(); 32])
}

pub(crate) fn genesis_at(time: BlockTime) -> Genesis {
    let member = |id: u32| GenesisMember {
        id: MemberId(id),
        name: format!("Bank {id} (sample)"),
        role: if id == 1 { MemberRole::Operator } else { MemberRole::Bank },
        bic: Bic::new(bic(MemberId(id))).unwrap(),
        keys: vec![key(MemberId(id)).public_key()],
    };
    let account = |id: u64, owner: u32, kind, opening| GenesisAccount {
        id: AccountId(id),
        owner: MemberId(owner),
        kind,
        opening: amount(opening),
    };
    Genesis {
        name: "test".to_owned(),
        time,
        validators: vec![PrivateKey::from_seed(&[200; 32]).public_key()],
        members: (1..=3).map(member).collect(),
        accounts: vec![
            account(1, 1, AccountKind::Issue, 0),
            account(2_002, 2, AccountKind::Prefund, PREFUND),
            account(2_003, 3, AccountKind::Prefund, PREFUND),
        ],
        parameters: Vec::new(),
        issuers: Vec::new(),
        purposes: Vec::new(),
    }
}

pub(crate) fn setup(genesis: &Genesis, member: MemberId) -> Setup {
    let others = (1..=3).map(MemberId).filter(|other| *other != member);
    Setup {
        member,
        key: Arc::new(key(member)),
        seal_key: seal_key(member),
        directory: Arc::new(Directory::new(genesis)),
        peers: others.map(|other| (other, seal_key(other).public_key())).collect(),
        supervisor: (member != OPERATOR).then_some(OPERATOR),
        directory_key: DirectoryKey::new([42; 32]),
        limits: Limits::default(),
    }
}

/// The number of a bank's sample customer: 19 is blocked, 20 is closed.
pub(crate) fn customer(member: MemberId, index: usize) -> String {
    sample_accounts(&bic(member)[..4], 20)[index - 1].number.expose().to_owned()
}

/// The ledger, and what waits for its next block.
pub(crate) struct SimLedger {
    pub(crate) ledger: Ledger,
    waiting: Vec<Vec<u8>>,
    feeds: HashMap<MemberId, Vec<EventBatch>>,
}

impl SimLedger {
    pub(crate) fn new(genesis: &Genesis) -> Self {
        let (ledger, _) = Ledger::genesis(genesis);
        Self { ledger, waiting: Vec::new(), feeds: HashMap::new() }
    }

    /// Hands a transaction in for the next block.
    pub(crate) fn submit(
        &mut self,
        network: &Genesis,
        member: MemberId,
        operations: &[Operation],
        now: BlockTime,
    ) {
        let envelope = Envelope {
            network: network.network(),
            member,
            valid_from: BlockTime(now.0 - 60_000),
            valid_until: BlockTime(now.0 + 300_000),
        };
        self.waiting.push(envelope.sign(operations, &key(member)));
    }

    /// Executes one block with everything that waits.
    pub(crate) fn execute(&mut self, network: &Genesis, now: BlockTime) {
        let bytes = std::mem::take(&mut self.waiting);
        let network = network.network();
        let views: Vec<_> =
            bytes.iter().map(|bytes| TransactionView::parse(bytes, &network).unwrap()).collect();
        let time = now.max(BlockTime(self.ledger.time().0 + 1));
        let height = self.ledger.height() + 1;
        let executed = self.ledger.execute(BlockInput { height, time, transactions: &views });
        let submitters = views.iter().map(|view| (view.member, view.as_bytes()));
        let events: Vec<_> = executed.result.events(submitters).collect();
        for its in &executed.result.members {
            let own = its.positions.iter().map(|at| events[usize::try_from(*at).unwrap()]);
            let batch = EventBatch { first: its.first, time, events: own.collect() };
            self.feeds.entry(its.member).or_default().push(batch);
        }
    }

    /// The receipt of an operation's first outcome, without the proofs that a test network lacks.
    pub(crate) fn receipt(&self, submitter: MemberId, id: OperationId) -> Option<Receipt> {
        let batches = self.feeds.get(&submitter)?.iter();
        let mut events = batches.flat_map(|batch| batch.events.iter().map(|its| (its, batch.time)));
        let (event, time) = events.find(|(event, _)| {
            event.submitter == submitter && Operation::peek(&event.operation).0 == id
        })?;
        let summary = MemberSummary { member: submitter, first: 0, count: 1, root: Digest::ZERO };
        let record = ExecutionRecord {
            height: 1,
            time,
            block: Digest::ZERO,
            previous: Digest::ZERO,
            state_root: Digest::ZERO,
            receipts_root: Digest::ZERO,
        };
        Some(Receipt {
            event: *event,
            index: 0,
            path: Path::default(),
            summary: SummaryProof::new(&[summary], 0)?,
            certified: Certified {
                records: vec![record],
                headers: Vec::new(),
                certificate: Vec::new(),
            },
        })
    }

    /// The member's events of the next block from `cursor` on.
    pub(crate) fn events(&self, member: MemberId, cursor: u64) -> Option<EventBatch> {
        let feed = self.feeds.get(&member)?;
        let end = |batch: &&EventBatch| batch.first + u64::try_from(batch.events.len()).unwrap();
        feed.iter().find(|batch| end(batch) > cursor).cloned()
    }
}

/// An order of the core banking.
pub(crate) struct Pacs008 {
    pub(crate) message_id: String,
    pub(crate) payments: Vec<String>,
}

impl Pacs008 {
    pub(crate) fn one(
        uetr: u128,
        from: (MemberId, &str),
        to: (MemberId, &str),
        minor_units: u64,
    ) -> Vec<u8> {
        let mut message =
            Self { message_id: format!("MSG-{:x}", uetr & 0xffff), payments: Vec::new() };
        message.add(uetr, from, to, minor_units);
        message.render()
    }

    pub(crate) fn add(
        &mut self,
        uetr: u128,
        from: (MemberId, &str),
        to: (MemberId, &str),
        minor_units: u64,
    ) {
        let account = format!("<Id><IBAN>{}</IBAN></Id>", to.1);
        self.add_to(uetr, from, (to.0, &account), minor_units);
    }

    /// `to`: the creditor's agent and the content of its account element.
    pub(crate) fn add_to(
        &mut self,
        uetr: u128,
        from: (MemberId, &str),
        to: (MemberId, &str),
        minor_units: u64,
    ) {
        let uetr = etibar_primitives::OperationId(uetr);
        let (debtor_bic, creditor_bic) = (bic(from.0), bic(to.0));
        self.payments.push(format!(
            "<CdtTrfTxInf><PmtId><EndToEndId>E2E-{:x}</EndToEndId><UETR>{uetr}</UETR></PmtId>\
             <IntrBkSttlmAmt Ccy=\"AZN\">{}</IntrBkSttlmAmt><ChrgBr>SLEV</ChrgBr>\
             <Dbtr><Nm>Synthetic Debtor</Nm></Dbtr>\
             <DbtrAcct><Id><IBAN>{}</IBAN></Id></DbtrAcct>\
             <DbtrAgt><FinInstnId><BICFI>{debtor_bic}</BICFI></FinInstnId></DbtrAgt>\
             <CdtrAgt><FinInstnId><BICFI>{creditor_bic}</BICFI></FinInstnId></CdtrAgt>\
             <Cdtr><Nm>Synthetic Creditor</Nm></Cdtr><CdtrAcct>{}</CdtrAcct></CdtTrfTxInf>",
            uetr.0 & 0xffff,
            amount(minor_units),
            from.1,
            to.1,
        ));
    }

    pub(crate) fn render(&self) -> Vec<u8> {
        format!(
            "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\
             <Document xmlns=\"urn:iso:std:iso:20022:tech:xsd:pacs.008.001.10\">\
             <FIToFICstmrCdtTrf><GrpHdr><MsgId>{}</MsgId>\
             <CreDtTm>2026-11-18T11:06:40.000Z</CreDtTm><NbOfTxs>{}</NbOfTxs>\
             <SttlmInf><SttlmMtd>CLRG</SttlmMtd></SttlmInf></GrpHdr>{}\
             </FIToFICstmrCdtTrf></Document>",
            self.message_id,
            self.payments.len(),
            self.payments.concat(),
        )
        .into_bytes()
    }
}

/// A version 4 UUID that ends in `number`.
pub(crate) fn uetr(number: u128) -> u128 {
    0x8a56_2c67_ca16_48ba_8000_0000_0000_0000 | number
}
