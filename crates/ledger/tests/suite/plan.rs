//! Random but meaningful blocks. A plan is numbers only, so that it shrinks; here they become
//! operations that mostly fit the state: own accounts, open reserves, sometimes repeats.

use etibar_ledger::{
    Genesis, Operation,
    genesis::GenesisIssuer,
    operation::{
        AccountKind, AccountOpening, AccountStatus, Action, AliasRemoval, AliasSetting,
        AssuranceLevel, ConsentGrant, ConsentRevocation, EvidenceAnchor, Excluded, FloorSetting,
        KycReuse, LiabilityClass, MemberRole, MemberStatus, MemberStatusSetting, OPERATION_BYTES,
        ObligationsSettlement, Parameter, ParameterSetting, PurposeCode, PurposeRegistration,
        PurposeRetirement, ReasonCode, STATUS_LISTS_MAX, Scope, StatusListAnchor, StatusSetting,
        Transfer, TransferKind,
    },
};
use etibar_primitives::{
    AccountId, Amount, BlockTime, Currency, Digest, DurationMs, MemberId, OperationId,
};
use proptest::{collection::vec, prelude::any, strategy::Strategy};

use crate::world::{self, ISSUE, OPERATOR, START};

/// Blocks of transactions of operations, as numbers.
pub(crate) type Plan = Vec<(u8, Vec<Vec<u64>>)>;

const BANKS: u32 = 4;
const TREASURY: AccountId = AccountId(30);
const INSTANT_MAX: u64 = 400;
const HOUR_MS: u64 = 3_600_000;

pub(crate) fn plans() -> impl Strategy<Value = Plan> {
    vec((any::<u8>(), vec(vec(any::<u64>(), 1..5), 0..4)), 1..9)
}

pub(crate) fn network() -> Genesis {
    let members: Vec<_> =
        (2..2 + BANKS).map(|member| (MemberId(member), MemberRole::Bank)).collect();
    let mut accounts = vec![(TREASURY, OPERATOR, AccountKind::Treasury, 5_000)];
    for member in 2..2 + BANKS {
        let owner = MemberId(member);
        let id = |base: u32| AccountId(u64::from(base + member));
        accounts.push((id(10), owner, AccountKind::Settlement, 1_000));
        accounts.push((id(20), owner, AccountKind::Prefund, 500));
    }
    let mut genesis = world::genesis(&members, &accounts);
    genesis.parameters =
        vec![(Parameter::InstantAmountMax, INSTANT_MAX), (Parameter::IdRetentionMs, 2 * HOUR_MS)];
    genesis.parameters.push((Parameter::ConsentRetentionMs, HOUR_MS));
    genesis.issuers = vec![issuer(2, BlockTime::MAX), issuer(3, BlockTime(START.0 + HOUR_MS))];
    genesis
}

fn issuer(member: u32, valid_until: BlockTime) -> GenesisIssuer {
    GenesisIssuer {
        member: MemberId(member),
        credential_type: world::named("type"),
        certificate: world::named("certificate"),
        ceiling: AssuranceLevel::High,
        valid_from: START,
        valid_until,
    }
}

/// How far the block's time moves on.
pub(crate) fn step_ms(number: u8) -> u64 {
    match number % 16 {
        0 => 1,
        1 | 2 => 500,
        3..=8 => 1_000,
        9 | 10 => 30_000,
        11 | 12 => 60_000,
        13 => 600_000,
        14 => HOUR_MS,
        _ => 2 * HOUR_MS + 130_000,
    }
}

/// What was ordered so far: later numbers refer to it.
#[derive(Default)]
pub(crate) struct Drawer {
    sent: Vec<Vec<u8>>,
    operations: Vec<(MemberId, [u8; OPERATION_BYTES])>,
    reserves: Vec<(OperationId, Transfer)>,
    fresh: u128,
}

/// A number used up bit by bit.
struct Bits(u64);

impl Bits {
    fn below(&mut self, limit: u64) -> u64 {
        let taken = self.0 % limit;
        self.0 /= limit;
        taken
    }

    fn one_in(&mut self, chance: u64) -> bool {
        self.below(chance) == chance - 1
    }

    fn of<T: Copy>(&mut self, items: &[T]) -> T {
        let index = self.below(world::count(items.len()));
        items[usize::try_from(index).expect("below a length")]
    }
}

impl Drawer {
    /// The transactions of one block at `time`.
    pub(crate) fn block(
        &mut self,
        network: &Digest,
        time: BlockTime,
        plan: &[Vec<u64>],
    ) -> Vec<Vec<u8>> {
        let transactions: Vec<_> =
            plan.iter().map(|words| self.transaction(network, time, words)).collect();
        self.sent.extend(transactions.iter().cloned());
        transactions
    }

    fn transaction(&mut self, network: &Digest, time: BlockTime, words: &[u64]) -> Vec<u8> {
        let mut first = Bits(words[0]);
        let again = first.one_in(16) && !self.sent.is_empty();
        if again {
            let index = usize::try_from(words[0]).unwrap_or(7) % self.sent.len();
            return self.sent[index].clone();
        }
        let member = self.submitter(words[0]);
        let operations: Vec<_> =
            words.iter().map(|word| self.operation(member, time, *word)).collect();
        for operation in &operations {
            self.operations.push((member, *operation));
        }
        let window = (BlockTime(time.0 - 60_000), BlockTime(time.0 + 1_740_000));
        world::transaction(network, member, world::key_of(member), window, &operations)
    }

    /// Who may do what the first operation wants, mostly.
    fn submitter(&self, word: u64) -> MemberId {
        let mut bits = Bits(word / 16);
        let kind = bits.below(64);
        let bank = MemberId(2 + u32::try_from(bits.below(u64::from(BANKS))).expect("below 4"));
        match kind {
            35..=47 => self.reserve(word).map_or(bank, |(_, its)| owner(its.credit)),
            48..=51 | 54..=59 => OPERATOR,
            _ => bank,
        }
    }

    fn reserve(&self, word: u64) -> Option<(OperationId, Transfer)> {
        let near = self.reserves.len().saturating_sub(4);
        let recent = &self.reserves[near..];
        (!recent.is_empty()).then(|| Bits(word / 4_096).of(recent))
    }

    fn operation(&mut self, member: MemberId, time: BlockTime, word: u64) -> [u8; OPERATION_BYTES] {
        let mut bits = Bits(word / 16);
        let kind = bits.below(64);
        let reserve = self.reserve(word);
        let mut bits = Bits(word.rotate_right(24));
        let linked = bits.one_in(4);
        self.fresh += 1;
        let id = if bits.one_in(12) { u128::from(bits.below(8)) + 1 } else { 100 + self.fresh };
        let id = OperationId(id);
        let action = match kind {
            0..=31 => pay(member, time, &mut bits),
            32..=34 => reuse(time, &mut bits),
            35..=47 => end(reserve, member, time, &mut bits),
            48..=57 => administer(member, time, &mut bits),
            58 | 59 => settle(&mut bits),
            60 | 61 => register(time, &mut bits),
            62 if !self.operations.is_empty() => {
                let (by, bytes) = bits.of(&self.operations);
                if by == member {
                    return bytes;
                }
                register(time, &mut bits)
            }
            _ => {
                let mut bytes = [0xff; OPERATION_BYTES];
                bytes[..16].copy_from_slice(&id.to_bytes());
                bytes[18] = u8::from(linked);
                return bytes;
            }
        };
        if let Action::Transfer(TransferKind::Reserve, transfer) = action {
            self.reserves.push((id, transfer));
        }
        Operation { id, linked, action }.encode()
    }
}

/// The owner of an account of [`network`].
fn owner(account: AccountId) -> MemberId {
    let bank = u32::try_from(account.0 % 10).expect("below 10");
    if (12..30).contains(&account.0) { MemberId(bank) } else { OPERATOR }
}

fn own(member: MemberId, bits: &mut Bits) -> AccountId {
    if bits.one_in(24) {
        return any_account(bits);
    }
    match member {
        OPERATOR => TREASURY,
        bank => AccountId(bits.of(&[10, 20]) + u64::from(bank.0)),
    }
}

fn any_account(bits: &mut Bits) -> AccountId {
    let account = [12, 13, 14, 15, 22, 23, 24, 25, 22, 23, 24, 25, 30, 12, 13, 1, 40, 99];
    AccountId(bits.of(&account))
}

fn amount(bits: &mut Bits) -> Amount {
    let some = [1, 10, 50, 100, 150, 200, 300, INSTANT_MAX, INSTANT_MAX + 1, 600, 1_000, 0];
    let minor = if bits.one_in(40) { Amount::MAX.minor_units() } else { bits.of(&some) };
    Amount::new(minor).expect("in range")
}

fn order(debit: AccountId, credit: AccountId, time: BlockTime, bits: &mut Bits) -> Transfer {
    let mut transfer = Transfer::new(debit, credit, amount(bits), time);
    if bits.one_in(6) {
        let back = [1, 60_000, HOUR_MS, 2 * HOUR_MS, 2 * HOUR_MS + 1, 3 * HOUR_MS];
        transfer.created = BlockTime(time.0 - bits.of(&back));
    } else if bits.one_in(24) {
        transfer.created = BlockTime(time.0 + bits.of(&[60_000, 60_001]));
    }
    if bits.one_in(48) {
        transfer.reason = ReasonCode::new("AC04").expect("four letters");
    }
    transfer
}

fn pay(member: MemberId, time: BlockTime, bits: &mut Bits) -> Action {
    let kind = bits.of(&[TransferKind::Direct, TransferKind::Reserve, TransferKind::Reserve]);
    let kind = if bits.one_in(16) { TransferKind::Redeem } else { kind };
    let debit = own(member, bits);
    let credit = if kind == TransferKind::Redeem { ISSUE } else { any_account(bits) };
    let mut transfer = order(debit, credit, time, bits);
    if kind == TransferKind::Reserve {
        let spans = [1, 500, 1_000, 1_000, 5_000, 30_000, 60_000, 60_001, 0];
        transfer.expires = BlockTime(time.0 + bits.of(&spans));
    }
    Action::Transfer(kind, transfer)
}

/// A post or void of a reserve made before, mostly with what it needs.
fn end(
    reserve: Option<(OperationId, Transfer)>,
    member: MemberId,
    time: BlockTime,
    bits: &mut Bits,
) -> Action {
    let Some((pending, reserve)) = reserve else { return pay(member, time, bits) };
    let kind = bits.of(&[TransferKind::Post, TransferKind::Post, TransferKind::Void]);
    let mut transfer = order(reserve.debit, reserve.credit, time, bits);
    transfer.pending = pending;
    if !bits.one_in(6) {
        transfer.amount = reserve.amount;
    }
    if bits.one_in(20) {
        transfer.debit = any_account(bits);
    }
    Action::Transfer(kind, transfer)
}

fn reuse(time: BlockTime, bits: &mut Bits) -> Action {
    let fees = [100, 50, 250, 500, 0, 501];
    let back = [0, 0, 0, 1_000, 2 * HOUR_MS + 1];
    Action::ReuseKyc(KycReuse {
        provider: MemberId(bits.of(&[2, 3, 4, 5, 2, 3, 4, 5, 1, 9])),
        fee: Amount::new(bits.of(&fees)).expect("in range"),
        liability: LiabilityClass::Relying,
        commitment: world::named("reuse"),
        created: BlockTime(time.0 - bits.of(&back)),
    })
}

fn settle(bits: &mut Bits) -> Action {
    let excluded = match bits.below(4) {
        0 => vec![MemberId(bits.of(&[2, 3, 4, 5, 9]))],
        1 => vec![MemberId(bits.of(&[2, 3])), MemberId(bits.of(&[4, 5]))],
        _ => Vec::new(),
    };
    let excluded = Excluded::new(&excluded).expect("different members");
    Action::SettleObligations(ObligationsSettlement { excluded })
}

fn administer(member: MemberId, time: BlockTime, bits: &mut Bits) -> Action {
    let bank = MemberId(2 + u32::try_from(bits.below(u64::from(BANKS))).expect("below 4"));
    match bits.below(9) {
        0 | 1 => {
            let transfer = order(ISSUE, any_account(bits), time, bits);
            Action::Transfer(TransferKind::Issue, transfer)
        }
        2 => Action::SetAccountStatus(StatusSetting {
            account: any_account(bits),
            status: bits.of(&[AccountStatus::Open, AccountStatus::Frozen, AccountStatus::Closed]),
        }),
        3 => Action::SetFloor(FloorSetting {
            account: if bits.one_in(2) { any_account(bits) } else { own(member, bits) },
            floor: Amount::new(bits.of(&[0, 100, 450, 900])).expect("in range"),
        }),
        4 | 5 => Action::SetMemberStatus(MemberStatusSetting {
            member: bank,
            status: bits.of(&[MemberStatus::Active, MemberStatus::Suspended]),
        }),
        6 => Action::OpenAccount(AccountOpening {
            account: any_account(bits),
            owner: bank,
            kind: bits.of(&[AccountKind::Prefund, AccountKind::Issue]),
            currency: Currency::AZN,
        }),
        7 => purpose(bits),
        _ => {
            let (parameter, value) = bits.of(&[
                (Parameter::InstantAmountMax, 300),
                (Parameter::InstantAmountMax, INSTANT_MAX),
                (Parameter::IdRetentionMs, 3 * HOUR_MS),
                (Parameter::IdRetentionMs, 2 * HOUR_MS),
                (Parameter::ReserveDurationMaxMs, 500),
                (Parameter::ReserveDurationMaxMs, 5_000),
                (Parameter::ConsentsPerMemberMax, 1),
                (Parameter::ConsentsPerMemberMax, 9),
                (Parameter::ConsentRetentionMs, 2 * HOUR_MS),
                (Parameter::ReuseFeeMax, 100),
            ]);
            let effective_from = BlockTime(time.0 + bits.of(&[0, 1_000, 60_000]));
            Action::SetParameter(ParameterSetting { parameter, value, effective_from })
        }
    }
}

fn purpose(bits: &mut Bits) -> Action {
    let code = PurposeCode(bits.of(&[2, 1, 3, 0]));
    if bits.one_in(3) {
        return Action::RetirePurpose(PurposeRetirement { code });
    }
    Action::RegisterPurpose(PurposeRegistration {
        code,
        scope: Scope(bits.of(&[0b110, 0b1, 0])),
        duration_max: DurationMs(bits.of(&[HOUR_MS - 1, 2 * HOUR_MS, 0])),
        document: world::named("document"),
    })
}

fn register(time: BlockTime, bits: &mut Bits) -> Action {
    let tag = world::named(bits.of(&["one", "two"]));
    match bits.below(7) {
        0 => Action::SetAlias(AliasSetting { tag, locator: [7; 16] }),
        1 => Action::RemoveAlias(AliasRemoval { tag }),
        2 => Action::AnchorEvidence(EvidenceAnchor {
            root: tag,
            count: bits.of(&[0, 3, 5]),
            from: BlockTime(time.0 - 1_000),
            until: BlockTime(time.0 - bits.of(&[0, 1_000, 1_001])),
        }),
        3 => Action::GrantConsent(ConsentGrant {
            rel: tag,
            commitment: tag,
            provider: MemberId(bits.of(&[2, 3, 2, 3, 9])),
            expires: BlockTime(time.0 + bits.of(&[HOUR_MS, 60_000, 0])),
            purpose: PurposeCode(bits.of(&[1, 1, 2, 3])),
            scope: Scope(bits.of(&[0b10, 0b1, 0b10000, 0])),
        }),
        4 | 5 => Action::AnchorStatusList(StatusListAnchor {
            list: bits.of(&[0, 1, STATUS_LISTS_MAX - 1, STATUS_LISTS_MAX]),
            counter: bits.below(6),
            digest: tag,
        }),
        _ => Action::RevokeConsent(ConsentRevocation { rel: tag }),
    }
}
