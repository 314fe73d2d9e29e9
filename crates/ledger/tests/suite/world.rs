//! A ledger under test with everything that surrounds it: the store of its rows, the members'
//! feeds, and ledgers restored from the store after every block.

use std::collections::BTreeMap;

use etibar_ledger::{
    BlockInput, Executed, Genesis, Ledger,
    genesis::{GenesisAccount, GenesisMember, GenesisPurpose},
    operation::{AccountKind, Bic, MemberRole, OPERATION_BYTES, PurposeCode, Scope},
    receipt::Event,
    state::Change,
    transaction::TransactionView,
};
use etibar_primitives::{
    AccountId, Amount, BlockTime, Digest, Domain, MemberId, codec::Writer as _, key::PublicKey,
};

/// The time of every genesis here.
pub(crate) const START: BlockTime = BlockTime(1_800_000_000_000);
/// The operator of every genesis here.
pub(crate) const OPERATOR: MemberId = MemberId(1);
/// The operator's issue account.
pub(crate) const ISSUE: AccountId = AccountId(1);

/// The ledger and what a validator would keep beside it.
pub(crate) struct World {
    pub(crate) ledger: Ledger,
    pub(crate) store: BTreeMap<Digest, Vec<u8>>,
    /// Ledgers restored from the store, at most one for each block so far.
    shadows: Vec<Ledger>,
    /// Every event each member was given, in order.
    pub(crate) feeds: BTreeMap<MemberId, Vec<Event>>,
    pub(crate) last: Option<Executed>,
}

impl World {
    pub(crate) fn new(genesis: &Genesis) -> Self {
        let (ledger, changes) = Ledger::genesis(genesis);
        let mut store = BTreeMap::new();
        keep(&mut store, &changes);
        Self { ledger, store, shadows: Vec::new(), feeds: BTreeMap::new(), last: None }
    }

    /// Executes a block `step_ms` after the last one, and lets the restored ledgers do the same.
    pub(crate) fn block(&mut self, step_ms: u64, transactions: &[Vec<u8>]) -> Executed {
        let network = *self.ledger.network();
        let views: Vec<_> = transactions
            .iter()
            .map(|bytes| TransactionView::parse(bytes, &network).expect("made well-formed"))
            .collect();
        let block = BlockInput {
            height: self.ledger.height() + 1,
            time: BlockTime(self.ledger.time().0 + step_ms),
            transactions: &views,
        };
        let executed = self.ledger.execute(block);
        for shadow in &mut self.shadows {
            assert_eq!(shadow.execute(block), executed, "a restored ledger differs");
        }
        keep(&mut self.store, &executed.changes);
        let events: Vec<_> = events_of(&executed, &views);
        for of_member in &executed.result.members {
            let feed = self.feeds.entry(of_member.member).or_default();
            assert_eq!(of_member.first, count(feed.len()), "a feed has a gap or a repeat");
            for position in &of_member.positions {
                feed.push(events[usize::try_from(*position).expect("32 bits fit")]);
            }
        }
        self.last = Some(executed.clone());
        executed
    }

    /// Adds a ledger restored from the store as it is now.
    pub(crate) fn restore(&mut self) {
        let restored = Ledger::restore(*self.ledger.network(), self.store.values())
            .expect("the rows were written by a ledger");
        self.shadows.push(restored);
    }

    pub(crate) fn shadows(&self) -> usize {
        self.shadows.len()
    }
}

/// All events of a block by position.
pub(crate) fn events_of(executed: &Executed, views: &[TransactionView<'_>]) -> Vec<Event> {
    executed.result.events(views.iter().map(|view| (view.member, view.as_bytes()))).collect()
}

/// Writes changes down, each of which must change something.
fn keep(store: &mut BTreeMap<Digest, Vec<u8>>, changes: &[Change]) {
    for change in changes {
        let former = match &change.value {
            Some(value) => store.insert(change.key, value.clone()),
            None => Some(store.remove(&change.key).expect("only a row that is there is removed")),
        };
        assert_ne!(former, change.value, "a row changed to what it was");
    }
}

/// A length as the ledger counts.
pub(crate) fn count(length: usize) -> u64 {
    u64::try_from(length).expect("64 bits fit")
}

/// A digest by name.
pub(crate) fn named(name: &str) -> Digest {
    const NAME: Domain = Domain::new("test.name");
    NAME.hash(name.as_bytes())
}

/// A key by name. It is no point on the curve: who signs is checked before the ledger.
pub(crate) fn key(name: &str) -> PublicKey {
    PublicKey(named(name).0)
}

/// The key that a member has from the genesis on.
pub(crate) fn key_of(member: MemberId) -> PublicKey {
    key(&format!("key of {member}"))
}

/// A transaction without a signature: signatures are checked before the ledger.
pub(crate) fn transaction(
    network: &Digest,
    member: MemberId,
    key: PublicKey,
    window: (BlockTime, BlockTime),
    operations: &[[u8; OPERATION_BYTES]],
) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(256 + operations.len() * OPERATION_BYTES);
    bytes.put(b"EBT1");
    bytes.put(&network.0);
    bytes.put_u32(member.0);
    bytes.put_count(operations.len());
    bytes.put(&key.0);
    bytes.put_u64(window.0.0);
    bytes.put_u64(window.1.0);
    bytes.resize(256, 0);
    bytes.put(operations.as_flattened());
    bytes
}

/// A purpose from the start.
pub(crate) fn purpose(code: u16, scope: u32, duration_max_ms: u64) -> GenesisPurpose {
    let document = named(&format!("purpose {code}"));
    GenesisPurpose { code: PurposeCode(code), scope: Scope(scope), duration_max_ms, document }
}

/// A genesis with the operator, its issue account, purpose 1 with four categories of data, and
/// what is given.
pub(crate) fn genesis(
    members: &[(MemberId, MemberRole)],
    accounts: &[(AccountId, MemberId, AccountKind, u64)],
) -> Genesis {
    let member = |(id, role): (MemberId, MemberRole)| GenesisMember {
        id,
        name: format!("Member {id} (sample)"),
        role,
        bic: Bic::new(&format!("TST{:05}", id.0)).expect("eight letters and digits"),
        keys: vec![key_of(id)],
    };
    let account = |(id, owner, kind, opening): (AccountId, MemberId, AccountKind, u64)| {
        let opening = Amount::new(opening).expect("openings are small");
        GenesisAccount { id, owner, kind, opening }
    };
    let operator = (OPERATOR, MemberRole::Operator);
    let issue = (ISSUE, OPERATOR, AccountKind::Issue, 0);
    Genesis {
        name: "test".to_owned(),
        time: START,
        validators: vec![key("validator")],
        members: [operator].into_iter().chain(members.iter().copied()).map(member).collect(),
        accounts: [issue].into_iter().chain(accounts.iter().copied()).map(account).collect(),
        parameters: Vec::new(),
        issuers: Vec::new(),
        purposes: vec![purpose(1, 0b1111, 3_650 * 86_400_000)],
    }
}
