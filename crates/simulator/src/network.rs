//! The network: four validators, a bank at each, payments all the time.

use std::{
    sync::{Arc, Mutex, OnceLock, PoisonError},
    time::{Duration, UNIX_EPOCH},
};

use commonware_cryptography::{Signer as _, ed25519};
use commonware_glue::simulate::{
    engine::{EngineDefinition, InitContext},
    processed::ProcessedHeight,
    reporter::MonitorReporter,
};
use commonware_parallel::Sequential;
use commonware_runtime::{
    Clock as _, Handle as Task, Quota, Spawner as _, Supervisor as _, deterministic,
};
use etibar_chain::{
    Handle, Limits, Timing,
    sim::{self, CHANNEL_QUOTA, Network, NodeConfig, channel},
};
use etibar_ledger::{
    Genesis, Operation,
    genesis::{GenesisAccount, GenesisMember},
    operation::{AccountKind, Action, Bic, MemberRole, ReasonCode, Transfer, TransferKind},
    transaction::Envelope,
};
use etibar_primitives::{
    AccountId, Amount, BlockTime, Digest, MemberId, OperationId, key::PrivateKey,
};
use rand_core::Rng as _;

/// How many validators the network has: one may fail.
const VALIDATORS: u8 = 4;
/// The pause between two transactions of a bank.
const PAUSE: Duration = Duration::from_millis(150);
/// How many operations of each bank are remembered for checking.
const REMEMBERED: usize = 64;

/// How the validators of a network are made.
#[derive(Debug, Clone)]
pub struct ValidatorNetwork {
    genesis: Genesis,
    timing: Timing,
    limits: Limits,
}

/// A validator as the checks see it.
#[derive(Clone)]
pub struct Observed {
    /// The handle, once the validator serves.
    pub handle: Arc<OnceLock<Handle>>,
    /// What the bank at this validator submitted lately.
    pub submitted: Arc<Mutex<Vec<(MemberId, OperationId)>>>,
    /// The network's id.
    pub network: Digest,
}

impl ProcessedHeight for Observed {
    async fn processed_height(&self) -> u64 {
        self.handle.get().map_or(0, |handle| handle.status().executed.height)
    }
}

fn validator_key(index: u8) -> PrivateKey {
    PrivateKey::from_seed(&[index + 1; 32])
}

fn bank_key(index: u8) -> PrivateKey {
    PrivateKey::from_seed(&[index + 101; 32])
}

fn bank(index: u8) -> MemberId {
    MemberId(u32::from(index) + 2)
}

impl Default for ValidatorNetwork {
    fn default() -> Self {
        let member = |index: Option<u8>| GenesisMember {
            id: index.map_or(MemberId(1), bank),
            name: index.map_or_else(|| "Operator".to_owned(), |index| format!("Bank {index}")),
            role: if index.is_some() { MemberRole::Bank } else { MemberRole::Operator },
            bic: Bic::new("AAAAAZ22").expect("a code"),
            keys: vec![
                index.map_or_else(|| PrivateKey::from_seed(&[99; 32]), bank_key).public_key(),
            ],
        };
        let issue = GenesisAccount {
            id: AccountId(1),
            owner: MemberId(1),
            kind: AccountKind::Issue,
            opening: Amount::ZERO,
        };
        let account = |index: u8| GenesisAccount {
            id: AccountId(u64::from(index) + 2),
            owner: bank(index),
            kind: AccountKind::Settlement,
            opening: Amount::new(1_000_000).expect("an amount"),
        };
        let genesis = Genesis {
            name: "simulated".to_owned(),
            time: BlockTime(0),
            validators: (0..VALIDATORS).map(|index| validator_key(index).public_key()).collect(),
            members: std::iter::once(None).chain((0..VALIDATORS).map(Some)).map(member).collect(),
            accounts: std::iter::once(issue).chain((0..VALIDATORS).map(account)).collect(),
            parameters: Vec::new(),
            issuers: Vec::new(),
            purposes: Vec::new(),
        };
        Self { genesis, timing: Timing::default(), limits: Limits::default() }
    }
}

impl ValidatorNetwork {
    /// The same network, in which validators keep no more than `blocks` blocks and results.
    pub fn with_blocks_kept(mut self, blocks: u64) -> Self {
        self.limits.blocks_kept = blocks;
        self.limits.results_kept = blocks;
        self
    }

    /// The same network, in which a validator fetches the state when it is more than `distance`
    /// blocks behind.
    pub fn with_sync_distance(mut self, distance: u64) -> Self {
        self.limits.sync_distance = distance;
        self
    }
}

fn engine_key(index: u8) -> ed25519::PublicKey {
    let seed = bytes::Bytes::copy_from_slice(validator_key(index).seed());
    let key: ed25519::PrivateKey =
        commonware_codec::DecodeExt::decode(seed).expect("any 32 bytes are a key");
    key.public_key()
}

impl EngineDefinition for ValidatorNetwork {
    type PublicKey = ed25519::PublicKey;
    type Engine = Task<()>;
    type State = Observed;

    fn participants(&self) -> Vec<ed25519::PublicKey> {
        (0..VALIDATORS).map(engine_key).collect()
    }

    fn channels(&self) -> Vec<(u64, Quota)> {
        (0..channel::COUNT).map(|number| (number, CHANNEL_QUOTA)).collect()
    }

    fn max_message_size(&self) -> u32 {
        sim::message_bytes_max(usize::from(VALIDATORS))
    }

    async fn init(&self, init: InitContext<'_, ed25519::PublicKey>) -> (Task<()>, Observed) {
        let index = u8::try_from(init.index).expect("few validators");
        let config = NodeConfig {
            genesis: self.genesis.clone(),
            key: validator_key(index),
            partition: format!("validator-{index}"),
            timing: self.timing,
            limits: self.limits,
        };
        let network = Network {
            provider: init.oracle.manager(),
            blocker: init.oracle.control(init.public_key.clone()),
            channels: init.channels,
        };
        let observed = Observed {
            handle: Arc::default(),
            submitted: Arc::default(),
            network: self.genesis.network(),
        };
        let (public_key, monitor) = (init.public_key.clone(), init.monitor);
        let seen = observed.clone();
        // Starting waits for the others: they are started by the same task.
        let task = init.context.spawn(move |context| async move {
            let wrap = |reporter| MonitorReporter::new(public_key, monitor, reporter);
            let start = sim::start(context.child("node"), config, network, Sequential, wrap);
            let node = Box::pin(start).await.expect("the configuration is right");
            let handle = node.handle.clone();
            drop(seen.handle.set(node.handle));
            drop(context.child("bank").spawn(move |context| pay(context, index, handle, seen)));
            drop(Task::select(node.tasks).await);
        });
        (task, observed)
    }

    fn start(engine: Task<()>) -> Task<()> {
        engine
    }
}

/// A bank that pays another one again and again.
async fn pay(mut context: deterministic::Context, index: u8, handle: Handle, seen: Observed) {
    loop {
        context.sleep(PAUSE).await;
        let now = context.current().duration_since(UNIX_EPOCH).unwrap_or_default();
        let now = u64::try_from(now.as_millis()).expect("a short simulation");
        let id = OperationId(u128::from(context.next_u64()) << 64 | u128::from(context.next_u64()));
        let bytes = payment(seen.network, index, id, now);
        if handle.submit(bytes.into()).is_ok() {
            let mut submitted = seen.submitted.lock().unwrap_or_else(PoisonError::into_inner);
            submitted.push((bank(index), id));
            let excess = submitted.len().saturating_sub(REMEMBERED);
            submitted.drain(..excess);
        }
    }
}

fn payment(network: Digest, index: u8, id: OperationId, now: u64) -> Vec<u8> {
    let transfer = Transfer {
        pending: OperationId(0),
        debit: AccountId(u64::from(index) + 2),
        credit: AccountId(u64::from((index + 1) % VALIDATORS) + 2),
        amount: Amount::new(7).expect("an amount"),
        created: BlockTime(now),
        expires: BlockTime(0),
        reason: ReasonCode::default(),
        debtor_agent: MemberId(0),
        creditor_agent: MemberId(0),
        commitment: Digest::ZERO,
    };
    let action = Action::Transfer(TransferKind::Direct, transfer);
    let envelope = Envelope {
        network,
        member: bank(index),
        valid_from: BlockTime(now.saturating_sub(10_000)),
        valid_until: BlockTime(now + 60_000),
    };
    envelope.sign(&[Operation { id, linked: false, action }], &bank_key(index))
}
