//! Looks at the network all the time and keeps what the page shows.

use std::{
    collections::BTreeMap,
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use etibar_client::{
    Client,
    wire::{AccountView, BlockView, StatusView},
};
use etibar_ledger::operation::MemberRole;
use etibar_primitives::MemberId;
use futures::future::{join_all, join3};
use tokio::{
    sync::watch,
    time::{MissedTickBehavior, interval, sleep},
};

use super::{
    identity::{self, Said, Watched},
    payments::Payments,
};

/// How often the validators are asked how they stand.
const PULSE: Duration = Duration::from_millis(500);
/// How long a validator may take to answer before it counts as down.
const PULSE_TIMEOUT: Duration = Duration::from_millis(1_500);
/// The pause before the stream of a bank's events is tried again.
const RETRY_PAUSE: Duration = Duration::from_secs(1);
/// How many blocks the page shows.
pub(super) const BLOCKS_SHOWN: usize = 12;

/// What is known of the network now.
#[derive(Debug)]
pub struct Watch {
    seen: Mutex<Seen>,
    payments: Mutex<Payments>,
    /// What banks and agencies last said of identification.
    identity: Mutex<Vec<(Watched, Option<Said>)>>,
    /// Counts changes.
    changes: watch::Sender<u64>,
    closed: AtomicBool,
}

/// What the validators last said.
#[derive(Debug, Clone, Default)]
pub(super) struct Seen {
    /// One for each validator, in the order of the configuration; `None` when it is down.
    pub(super) validators: Vec<(String, Option<StatusView>)>,
    /// Newest first.
    pub(super) blocks: Vec<BlockView>,
    pub(super) accounts: Vec<AccountView>,
}

impl Watch {
    /// A watch over the network that `client` speaks to. `validators` are their base addresses;
    /// `members` those banks and agencies whose identification is watched, too.
    pub fn new(client: &Client, validators: &[String], members: &[Watched]) -> Arc<Self> {
        let genesis = client.genesis();
        let owners: BTreeMap<_, _> =
            genesis.accounts.iter().map(|account| (account.id, account.owner)).collect();
        let down = validators.iter().map(|url| (url.clone(), None)).collect();
        Arc::new(Self {
            seen: Mutex::new(Seen { validators: down, ..Seen::default() }),
            payments: Mutex::new(Payments::new(owners)),
            identity: Mutex::new(members.iter().map(|its| (its.clone(), None)).collect()),
            changes: watch::Sender::new(0),
            closed: AtomicBool::new(false),
        })
    }

    /// Looks until the future is dropped.
    pub async fn run(self: Arc<Self>, client: Client) {
        let banks = client.genesis().members.iter();
        let banks = banks.filter(|member| member.role != MemberRole::Operator);
        let feeds = banks.map(|bank| self.follow(client.clone(), bank.id));
        let feeds = join_all(feeds.collect::<Vec<_>>());
        join3(feeds, self.pulse(&client), self.ask_members()).await;
    }

    /// Ends the live pages, so that the server can stop.
    pub fn close(&self) {
        self.closed.store(true, Ordering::Release);
        self.changed();
    }

    /// Whether the live pages should end.
    pub(super) fn is_closed(&self) -> bool {
        self.closed.load(Ordering::Acquire)
    }

    /// Hears of changes.
    pub(super) fn subscribe(&self) -> watch::Receiver<u64> {
        self.changes.subscribe()
    }

    pub(super) fn seen(&self) -> Seen {
        lock(&self.seen).clone()
    }

    pub(super) fn identity(&self) -> Vec<(Watched, Option<Said>)> {
        lock(&self.identity).clone()
    }

    pub(super) fn payments(&self) -> MutexGuard<'_, Payments> {
        lock(&self.payments)
    }

    async fn follow(&self, client: Client, member: MemberId) {
        let mut events = client.events_of(member, 0);
        loop {
            match events.next().await {
                Ok(page) => {
                    self.payments().note(member, &page);
                    self.changed();
                }
                Err(error) => {
                    tracing::warn!(%member, code = error.code(), "a bank's events are not read");
                    sleep(RETRY_PAUSE).await;
                }
            }
        }
    }

    async fn pulse(&self, client: &Client) {
        let http = reqwest::Client::builder().timeout(PULSE_TIMEOUT).build();
        let http = http.expect("a client without TLS needs nothing of the system");
        let mut ticks = interval(PULSE);
        ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            ticks.tick().await;
            self.look(client, &http).await;
        }
    }

    async fn ask_members(&self) {
        let http = reqwest::Client::builder().timeout(PULSE_TIMEOUT).build();
        let http = http.expect("a client without TLS needs nothing of the system");
        let members: Vec<Watched> = self.identity().into_iter().map(|(member, _)| member).collect();
        let mut ticks = interval(identity::PULSE);
        ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        while !members.is_empty() {
            ticks.tick().await;
            let said = identity::ask(&http, &members).await;
            *lock(&self.identity) = members.iter().cloned().zip(said).collect();
            self.changed();
        }
    }

    async fn look(&self, client: &Client, http: &reqwest::Client) {
        let before = self.seen();
        let asked = before.validators.iter().map(|(url, _)| status(http, url));
        let answers = join_all(asked.collect::<Vec<_>>()).await;
        let validators: Vec<_> =
            before.validators.into_iter().map(|(url, _)| url).zip(answers).collect();
        let height = |seen: &[(String, Option<StatusView>)]| {
            seen.iter().filter_map(|(_, status)| Some(status.as_ref()?.executed_height)).max()
        };
        let now = height(&validators);
        let (mut blocks, mut accounts) = (before.blocks, before.accounts);
        if let Some(now) = now.filter(|now| blocks.first().is_none_or(|block| block.height < *now))
        {
            blocks = client.blocks(now, BLOCKS_SHOWN).await.unwrap_or(blocks);
            accounts = client.accounts().await.unwrap_or(accounts);
        }
        *lock(&self.seen) = Seen { validators, blocks, accounts };
        self.changed();
    }

    fn changed(&self) {
        self.changes.send_modify(|count| *count = count.wrapping_add(1));
    }
}

async fn status(http: &reqwest::Client, url: &str) -> Option<StatusView> {
    let answer = http.get(format!("{url}/v1/status")).send().await.ok()?;
    answer.error_for_status().ok()?.json().await.ok()
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
