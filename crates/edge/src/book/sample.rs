//! The sample book: customers' accounts in one SQLite file.
//!
//! Money is conserved: what leaves or enters the customers' accounts is what settled on the
//! ledger, see [`SampleBook::total`].

use std::{collections::HashMap, path::Path};

use etibar_ledger::operation::ReasonCode;
use etibar_primitives::{Amount, OperationId};
use futures::future::BoxFuture;
use sqlx::{QueryBuilder, Row as _, Sqlite, SqliteConnection, SqlitePool, sqlite::SqliteRow};

use super::{BookAccount, BookFault, BookOrder, BookStatus, CoreBanking, Refusal};
use crate::{
    payment::{CustomerAccount, PersonName},
    reason,
    store::{Durability, StoreFault, insert_rows, migrator, pools, row},
};

/// How many ids one query asks for.
const KEYS_MAX: usize = 200;
/// Money of payments whose account closed between the check and the credit.
const SUSPENSE: &str = "SUSPENSE";

/// An account to open.
#[derive(Debug, Clone)]
pub struct SampleAccount {
    /// Its number.
    pub number: CustomerAccount,
    /// Whose it is: an invented name.
    pub holder: PersonName,
    /// Whether it moves money.
    pub status: BookStatus,
    /// What it holds at first.
    pub balance: Amount,
}

/// A small account book.
#[derive(Debug, Clone)]
pub struct SampleBook {
    pub(super) writer: SqlitePool,
    readers: SqlitePool,
}

/// `count` invented customers of the bank with this four-letter code: every 20th account is
/// closed, every 20th but one is blocked, the others hold 10,000.00 AZN.
pub fn sample_accounts(bank_code: &str, count: u32) -> Vec<SampleAccount> {
    let account = |index: u32| {
        let status = match index % 20 {
            0 => BookStatus::Closed,
            19 => BookStatus::Blocked,
            _ => BookStatus::Open,
        };
        let balance = if status == BookStatus::Closed { 0 } else { 1_000_000 };
        SampleAccount {
            number: CustomerAccount::new(&iban(bank_code, index)),
            holder: PersonName::new(&format!("Sample Customer {index}")),
            status,
            balance: Amount::new(balance).expect("far below the largest amount"),
        }
    };
    (1..=count).map(account).collect()
}

/// The IBAN of an invented account: 28 characters with right check digits (ISO 13616).
pub(super) fn iban(bank_code: &str, index: u32) -> String {
    let basic = format!("{bank_code}{index:020}");
    let digits = format!("{basic}AZ00");
    let remainder = digits.chars().fold(0, |remainder: u32, character| {
        let value = character.to_digit(36).unwrap_or(0);
        (if value < 10 { remainder * 10 } else { remainder * 100 } + value) % 97
    });
    format!("AZ{:02}{basic}", 98 - remainder)
}

/// Which payment, in the movement table: the debtor's agent (0: our customer pays) and the id.
type Key = (u32, OperationId);

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum MovementState {
    Held,
    Settled,
    Released,
    Credited,
    Suspense,
    Refused,
}

#[derive(Debug, Clone)]
struct Movement {
    state: MovementState,
    account: String,
    amount: Amount,
    reason: Option<ReasonCode>,
}

#[derive(Debug, Clone, Copy)]
struct Balance {
    status: BookStatus,
    total: Amount,
    held: Amount,
}

/// The rows that a batch of orders needs, and which of them it changed.
#[derive(Default)]
struct Work {
    accounts: HashMap<String, Balance>,
    movements: HashMap<Key, Movement>,
    changed_accounts: Vec<String>,
    changed_movements: Vec<Key>,
}

impl SampleBook {
    /// Opens the book in `folder`, or makes one.
    pub async fn open(folder: &Path, durability: Durability) -> Result<Self, StoreFault> {
        let (writer, readers) = pools(&folder.join("book.sqlite"), durability).await?;
        let accounts = include_str!("../../migrations/book_0001_accounts.sql");
        let openings = include_str!("../../migrations/book_0002_openings.sql");
        migrator(&[(1, "accounts", accounts), (2, "openings", openings)]).run(&writer).await?;
        let book = Self { writer, readers };
        let suspense = SampleAccount {
            number: CustomerAccount::new(SUSPENSE),
            holder: PersonName::new("Suspense account of the bank"),
            status: BookStatus::Open,
            balance: Amount::ZERO,
        };
        book.open_accounts(&[suspense]).await?;
        Ok(book)
    }

    /// Opens those of `accounts` that are not there yet.
    pub async fn open_accounts(&self, accounts: &[SampleAccount]) -> Result<(), StoreFault> {
        let mut transaction = self.writer.begin().await?;
        let head = "INSERT INTO account (number, holder, status, balance, held) ";
        let tail = " ON CONFLICT (number) DO NOTHING";
        insert_rows(&mut transaction, head, tail, accounts, |bind, account| {
            bind.put(account.number.expose().to_owned())
                .put(account.holder.expose().to_owned())
                .put(account.status.code())
                .put(row::integer(account.balance.minor_units()))
                .put(0_i64);
        })
        .await?;
        transaction.commit().await?;
        Ok(())
    }

    /// Everything that the customers and the suspense account hold, in minor units.
    pub async fn total(&self) -> Result<u64, StoreFault> {
        let total: i64 = sqlx::query_scalar("SELECT coalesce(sum(balance), 0) FROM account")
            .fetch_one(&self.readers)
            .await?;
        row::count(total, "total")
    }

    /// Closes every connection.
    pub async fn close(&self) {
        self.readers.close().await;
        self.writer.close().await;
    }

    async fn apply_all(
        &self,
        orders: &[BookOrder],
    ) -> Result<Vec<Result<(), Refusal>>, StoreFault> {
        // The only writing connection is ours until the commit, so nobody else changes these rows.
        let mut transaction = self.writer.begin().await?;
        let mut work = Work::default();
        work.load_movements(&mut transaction, orders).await?;
        work.load_accounts(&mut transaction, orders).await?;
        let answers = orders.iter().map(|order| work.apply(order)).collect();
        work.save(&mut transaction).await?;
        transaction.commit().await?;
        Ok(answers)
    }
}

impl CoreBanking for SampleBook {
    fn apply<'a>(
        &'a self,
        orders: &'a [BookOrder],
    ) -> BoxFuture<'a, Result<Vec<Result<(), Refusal>>, BookFault>> {
        Box::pin(
            async move { self.apply_all(orders).await.map_err(|fault| BookFault(Box::new(fault))) },
        )
    }

    fn accounts<'a>(
        &'a self,
        after: Option<&'a str>,
        limit: u32,
    ) -> BoxFuture<'a, Result<Vec<BookAccount>, BookFault>> {
        Box::pin(async move {
            let query = "SELECT * FROM account WHERE number > ? ORDER BY number LIMIT ?";
            let rows = sqlx::query(query)
                .bind(after.unwrap_or_default().to_owned())
                .bind(limit)
                .fetch_all(&self.readers)
                .await
                .map_err(|fault| BookFault(Box::new(fault)))?;
            let read: Result<_, StoreFault> = rows.iter().map(read_account).collect();
            read.map_err(|fault| BookFault(Box::new(fault)))
        })
    }

    fn open_account<'a>(
        &'a self,
        order: OperationId,
        bank_code: &'a str,
        holder: &'a PersonName,
    ) -> BoxFuture<'a, Result<CustomerAccount, BookFault>> {
        let opened = self.open_ordered(order, bank_code, holder);
        Box::pin(async move { opened.await.map_err(|fault| BookFault(Box::new(fault))) })
    }
}

impl Work {
    fn apply(&mut self, order: &BookOrder) -> Result<(), Refusal> {
        match order {
            BookOrder::Hold { id, account, amount } => self.hold(*id, account.expose(), *amount),
            BookOrder::Settle { id, amount } => {
                self.end_hold(*id, MovementState::Settled, *amount);
                Ok(())
            }
            BookOrder::Release { id } => {
                self.end_hold(*id, MovementState::Released, Amount::ZERO);
                Ok(())
            }
            BookOrder::Check { account, .. } => self.check_credit(account.expose()),
            BookOrder::Credit { key, account, amount } => {
                self.credit((key.debtor.0, key.uetr), account.expose(), *amount);
                Ok(())
            }
        }
    }

    fn hold(&mut self, id: OperationId, number: &str, amount: Amount) -> Result<(), Refusal> {
        let key = (0, id);
        if let Some(movement) = self.movements.get(&key) {
            return match movement.state {
                MovementState::Held | MovementState::Settled => Ok(()),
                _ => Err(Refusal(movement.reason.unwrap_or(reason::UNSPECIFIED))),
            };
        }
        let refusal = self.take_aside(number, amount).err();
        let state = if refusal.is_some() { MovementState::Refused } else { MovementState::Held };
        let movement = Movement {
            state,
            account: number.to_owned(),
            amount,
            reason: refusal.map(|Refusal(reason)| reason),
        };
        self.put_movement(key, movement);
        refusal.map_or(Ok(()), Err)
    }

    fn take_aside(&mut self, number: &str, amount: Amount) -> Result<(), Refusal> {
        let mut account =
            *self.accounts.get(number).ok_or(Refusal(reason::DEBTOR_ACCOUNT_WRONG))?;
        match account.status {
            BookStatus::Open => {}
            BookStatus::Blocked => return Err(Refusal(reason::ACCOUNT_BLOCKED)),
            BookStatus::Closed => return Err(Refusal(reason::ACCOUNT_CLOSED)),
        }
        let held = account.held.checked_add(amount).ok_or(Refusal(reason::NO_FUNDS))?;
        if held > account.total {
            return Err(Refusal(reason::NO_FUNDS));
        }
        account.held = held;
        self.put_account(number, account);
        Ok(())
    }

    /// Ends a hold once: `taken` of it leaves the account.
    fn end_hold(&mut self, id: OperationId, state: MovementState, taken: Amount) {
        let key = (0, id);
        let Some(movement) = self.movements.get(&key).cloned() else {
            // Released before it was held: a late hold must not set money aside for ever.
            let account = String::new();
            let tombstone = Movement { state, account, amount: Amount::ZERO, reason: None };
            self.put_movement(key, tombstone);
            return;
        };
        if movement.state != MovementState::Held {
            return;
        }
        let mut account =
            *self.accounts.get(&movement.account).expect("an account with a hold stays");
        account.held =
            account.held.checked_sub(movement.amount).expect("held money was counted when held");
        let taken = taken.min(movement.amount);
        account.total =
            account.total.checked_sub(taken).expect("held money was part of the balance");
        self.put_account(&movement.account.clone(), account);
        self.put_movement(key, Movement { state, ..movement });
    }

    fn check_credit(&self, number: &str) -> Result<(), Refusal> {
        let account = self.accounts.get(number).filter(|_| number != SUSPENSE);
        match account.map(|account| account.status) {
            None => Err(Refusal(reason::CREDITOR_ACCOUNT_WRONG)),
            Some(BookStatus::Open) => Ok(()),
            Some(BookStatus::Blocked) => Err(Refusal(reason::ACCOUNT_BLOCKED)),
            Some(BookStatus::Closed) => Err(Refusal(reason::ACCOUNT_CLOSED)),
        }
    }

    fn credit(&mut self, key: Key, number: &str, amount: Amount) {
        if self.movements.contains_key(&key) {
            return;
        }
        let usable = self.check_credit(number).is_ok();
        let (number, state) = if usable {
            (number, MovementState::Credited)
        } else {
            (SUSPENSE, MovementState::Suspense)
        };
        let mut account = *self.accounts.get(number).expect("the suspense account always exists");
        account.total =
            account.total.checked_add(amount).expect("all money of the network fits an amount");
        self.put_account(number, account);
        let account = number.to_owned();
        self.put_movement(key, Movement { state, account, amount, reason: None });
    }

    fn put_account(&mut self, number: &str, account: Balance) {
        assert!(account.held <= account.total, "no more is held than there is");
        self.accounts.insert(number.to_owned(), account);
        self.changed_accounts.push(number.to_owned());
    }

    fn put_movement(&mut self, key: Key, movement: Movement) {
        self.movements.insert(key, movement);
        self.changed_movements.push(key);
    }

    async fn load_movements(
        &mut self,
        connection: &mut SqliteConnection,
        orders: &[BookOrder],
    ) -> Result<(), StoreFault> {
        let keys: Vec<Key> = orders.iter().filter_map(key_of).collect();
        for chunk in keys.chunks(KEYS_MAX) {
            let head = "SELECT * FROM movement WHERE (debtor, id) IN (";
            let mut query = QueryBuilder::<Sqlite>::new(head);
            query.push_values(chunk, |mut tuple, (debtor, id)| {
                tuple.push_bind(i64::from(*debtor)).push_bind(id.to_bytes().to_vec());
            });
            query.push(")");
            for row in query.build().persistent(false).fetch_all(&mut *connection).await? {
                let (key, movement) = read_movement(&row)?;
                self.movements.insert(key, movement);
            }
        }
        Ok(())
    }

    async fn load_accounts(
        &mut self,
        connection: &mut SqliteConnection,
        orders: &[BookOrder],
    ) -> Result<(), StoreFault> {
        let named = orders.iter().filter_map(account_of).map(str::to_owned);
        let moved = self.movements.values().map(|movement| movement.account.clone());
        let mut numbers: Vec<String> = named.chain(moved).chain([SUSPENSE.to_owned()]).collect();
        numbers.sort_unstable();
        numbers.dedup();
        for chunk in numbers.chunks(KEYS_MAX) {
            let head = "SELECT number, status, balance, held FROM account WHERE number IN (";
            let mut query = QueryBuilder::<Sqlite>::new(head);
            let mut list = query.separated(", ");
            for number in chunk {
                list.push_bind(number.clone());
            }
            query.push(")");
            for row in query.build().persistent(false).fetch_all(&mut *connection).await? {
                let number: String = row.try_get("number")?;
                self.accounts.insert(number, read_balance(&row)?);
            }
        }
        Ok(())
    }

    async fn save(mut self, connection: &mut SqliteConnection) -> Result<(), StoreFault> {
        self.changed_accounts.sort_unstable();
        self.changed_accounts.dedup();
        self.changed_movements.sort_unstable();
        self.changed_movements.dedup();
        let head = "WITH changed (number, balance, held) AS (";
        let tail = ") UPDATE account SET balance = changed.balance, held = changed.held \
                    FROM changed WHERE account.number = changed.number";
        insert_rows(connection, head, tail, &self.changed_accounts, |bind, number| {
            let account = &self.accounts[number];
            bind.put(number.clone())
                .put(row::integer(account.total.minor_units()))
                .put(row::integer(account.held.minor_units()));
        })
        .await?;
        let head = "INSERT INTO movement (debtor, id, state, account, amount, reason) ";
        let tail = " ON CONFLICT (debtor, id) DO UPDATE SET state = excluded.state";
        insert_rows(connection, head, tail, &self.changed_movements, |bind, key| {
            let movement = &self.movements[key];
            bind.put(i64::from(key.0))
                .put(key.1.to_bytes().to_vec())
                .put(movement.state.code())
                .put(movement.account.clone())
                .put(row::integer(movement.amount.minor_units()))
                .put(movement.reason.map(|reason| reason.as_str().to_owned()));
        })
        .await?;
        Ok(())
    }
}

/// The payment whose movement an order needs.
fn key_of(order: &BookOrder) -> Option<Key> {
    match order {
        BookOrder::Hold { id, .. } | BookOrder::Settle { id, .. } | BookOrder::Release { id } => {
            Some((0, *id))
        }
        BookOrder::Credit { key, .. } => Some((key.debtor.0, key.uetr)),
        BookOrder::Check { .. } => None,
    }
}

/// The account that an order names.
fn account_of(order: &BookOrder) -> Option<&str> {
    match order {
        BookOrder::Hold { account, .. }
        | BookOrder::Check { account, .. }
        | BookOrder::Credit { account, .. } => Some(account.expose()),
        BookOrder::Settle { .. } | BookOrder::Release { .. } => None,
    }
}

fn read_movement(row: &SqliteRow) -> Result<(Key, Movement), StoreFault> {
    let debtor: i64 = row.try_get("debtor")?;
    let debtor = u32::try_from(debtor).map_err(|_| StoreFault::Row("movement"))?;
    let state = MovementState::from_code(row.try_get("state")?);
    let movement = Movement {
        state: state.ok_or(StoreFault::Row("movement"))?,
        account: row.try_get("account")?,
        amount: row::amount(row.try_get("amount")?)?,
        reason: row::reason(row.try_get("reason")?)?,
    };
    Ok(((debtor, row::uetr(row.try_get("id")?)?), movement))
}

fn read_balance(row: &SqliteRow) -> Result<Balance, StoreFault> {
    let status = BookStatus::from_code(row.try_get("status")?);
    Ok(Balance {
        status: status.ok_or(StoreFault::Row("account status"))?,
        total: row::amount(row.try_get("balance")?)?,
        held: row::amount(row.try_get("held")?)?,
    })
}

fn read_account(row: &SqliteRow) -> Result<BookAccount, StoreFault> {
    let Balance { status, total, held } = read_balance(row)?;
    Ok(BookAccount {
        number: CustomerAccount::new(row.try_get("number")?),
        holder: PersonName::new(row.try_get("holder")?),
        status,
        balance: total,
        held,
    })
}

impl MovementState {
    const ALL: [Self; 6] =
        [Self::Held, Self::Settled, Self::Released, Self::Credited, Self::Suspense, Self::Refused];

    const fn code(self) -> i64 {
        match self {
            Self::Held => 0,
            Self::Settled => 1,
            Self::Released => 2,
            Self::Credited => 3,
            Self::Suspense => 4,
            Self::Refused => 5,
        }
    }

    fn from_code(code: i64) -> Option<Self> {
        Self::ALL.into_iter().find(|state| state.code() == code)
    }
}
