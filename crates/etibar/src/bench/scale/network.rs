//! A ledger with three members and nothing else: the operator, a bank that asks, an agency that
//! provides and issues.

use std::time::{Duration, Instant};

use etibar_ledger::{
    BlockInput, Executed, Genesis, Ledger, Operation, Outcome,
    genesis::{GenesisAccount, GenesisIssuer, GenesisMember, GenesisPurpose},
    operation::{
        AccountKind, Action, AssuranceLevel, Bic, MemberRole, PurposeCode, Scope as LedgerScope,
    },
    result::TransactionResult,
    state::Change,
    transaction::{Envelope, TransactionView},
};
use etibar_primitives::{
    AccountId, Amount, BlockTime, Digest, Domain, MemberId, OperationId, key::PrivateKey,
};

/// When the ledger begins.
pub(super) const START: BlockTime = BlockTime(1_800_000_000_000);
/// The bank.
pub(super) const BANK: MemberId = MemberId(2);
/// The agency.
pub(super) const AGENCY: MemberId = MemberId(12);
/// The only purpose.
pub(super) const PURPOSE: PurposeCode = PurposeCode(1);
/// What may be asked for it.
pub(super) const SCOPE: LedgerScope = LedgerScope(0b1111);
/// Thirty days, the longest that a consent may run.
pub(super) const CONSENT_MS: u64 = 30 * 86_400_000;

const OPERATOR: MemberId = MemberId(1);
const NAME: Domain = Domain::new("etibar.bench.scale");
/// From one block to the next, in milliseconds.
const BLOCK_MS: u64 = 300;
/// How long a transaction is valid, in milliseconds.
const WINDOW_MS: u64 = 60_000;

/// The ledger, and the keys of its members.
pub(super) struct Network {
    pub(super) ledger: Ledger,
    /// The rows of height 0.
    pub(super) genesis_rows: Vec<Change>,
    next_id: u128,
}

/// A block that was executed, and how long that took.
pub(super) struct Block {
    pub(super) executed: Executed,
    /// The signature, and the operations against the signed root.
    pub(super) check: Duration,
    /// The ledger's own work.
    pub(super) execute: Duration,
}

/// A digest by number, of one of several kinds.
pub(super) fn numbered(kind: u8, number: u64) -> Digest {
    let mut bytes = [kind; 9];
    bytes[1..].copy_from_slice(&number.to_le_bytes());
    NAME.hash(&bytes)
}

fn key(member: MemberId) -> PrivateKey {
    PrivateKey::from_seed(&numbered(0, u64::from(member.0)).0)
}

impl Network {
    pub(super) fn new() -> Self {
        let (ledger, genesis_rows) = Ledger::genesis(&genesis());
        Self { ledger, genesis_rows, next_id: 1 }
    }

    /// Executes a block with one transaction of `member`. Every operation must be accepted.
    pub(super) fn block(&mut self, member: MemberId, actions: &[Action]) -> Block {
        let time = BlockTime(self.ledger.time().0 + BLOCK_MS);
        let operations: Vec<Operation> = actions.iter().map(|action| self.order(*action)).collect();
        let envelope = Envelope {
            network: *self.ledger.network(),
            member,
            valid_from: BlockTime(time.0 - BLOCK_MS),
            valid_until: BlockTime(time.0 + WINDOW_MS),
        };
        let bytes = envelope.sign(&operations, &key(member));
        let start = Instant::now();
        let view = TransactionView::parse(&bytes, self.ledger.network()).expect("just made");
        view.verify().expect("just signed");
        let check = start.elapsed();
        let height = self.ledger.height() + 1;
        let start = Instant::now();
        let executed = self.ledger.execute(BlockInput { height, time, transactions: &[view] });
        let execute = start.elapsed();
        let TransactionResult::Executed(outcomes) = &executed.result.transactions[0] else {
            panic!("the transaction was refused: {:?}", executed.result.transactions[0]);
        };
        assert!(outcomes.iter().all(|outcome| *outcome == Outcome::Accepted), "{:?}", outcomes[0]);
        Block { executed, check, execute }
    }

    fn order(&mut self, action: Action) -> Operation {
        let id = OperationId(self.next_id);
        self.next_id += 1;
        Operation { id, linked: false, action }
    }
}

fn genesis() -> Genesis {
    let member = |(id, role): (MemberId, MemberRole)| GenesisMember {
        id,
        name: format!("Member {id} (sample)"),
        role,
        bic: Bic::new(&format!("BNC{:05}", id.0)).expect("eight letters and digits"),
        keys: vec![key(id).public_key()],
    };
    let members =
        [(OPERATOR, MemberRole::Operator), (BANK, MemberRole::Bank), (AGENCY, MemberRole::Agency)];
    Genesis {
        name: "bench".to_owned(),
        time: START,
        validators: vec![PrivateKey::from_seed(&[9; 32]).public_key()],
        members: members.map(member).to_vec(),
        accounts: vec![GenesisAccount {
            id: AccountId(1),
            owner: OPERATOR,
            kind: AccountKind::Issue,
            opening: Amount::ZERO,
        }],
        parameters: Vec::new(),
        issuers: vec![GenesisIssuer {
            member: AGENCY,
            credential_type: numbered(1, 0),
            certificate: numbered(2, 0),
            ceiling: AssuranceLevel::High,
            valid_from: BlockTime(0),
            valid_until: BlockTime::MAX,
        }],
        purposes: vec![GenesisPurpose {
            code: PURPOSE,
            scope: SCOPE,
            duration_max_ms: CONSENT_MS,
            document: numbered(3, 0),
        }],
    }
}
