//! Running edges on the real ledger in this process: a block for each transaction, at once.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, OnceLock},
    time::{SystemTime, UNIX_EPOCH},
};

use bytes::Bytes;
use etibar_edge::{
    Edge, EdgeTasks, Ports,
    book::{SampleBook, sample_accounts},
    flow::EventBatch,
    ports::{AliasTarget, LedgerFault, LedgerPort, LedgerStatus, PeerFault, PeerPort},
    store::{Durability, Store},
};
use etibar_ledger::{Genesis, Operation};
use etibar_primitives::{AccountId, BlockTime, Digest, MemberId, OperationId};
use futures::future::BoxFuture;
use tempfile::TempDir;
use tokio::sync::{oneshot, watch};

use crate::network::{ALFA, BETA, OPERATOR, SimLedger, bic, genesis_at, setup};

/// The ledger of all edges of a test.
pub(crate) struct Chain {
    genesis: Genesis,
    ledger: Mutex<SimLedger>,
    height: watch::Sender<u64>,
}

/// The ledger as one member.
struct Member(Arc<Chain>, MemberId);

/// Wires straight into the other edges.
#[derive(Default)]
struct Wires(OnceLock<HashMap<MemberId, Edge>>);

/// A running edge, stopped and joined when asked.
pub(crate) struct Running {
    pub(crate) edge: Edge,
    pub(crate) book: SampleBook,
    stop: oneshot::Sender<()>,
    tasks: tokio::task::JoinHandle<()>,
    _folder: TempDir,
}

/// The operator and two banks.
pub(crate) struct Machine {
    pub(crate) chain: Arc<Chain>,
    pub(crate) edges: HashMap<MemberId, Running>,
}

pub(crate) fn now() -> BlockTime {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap();
    BlockTime(u64::try_from(since.as_millis()).unwrap())
}

impl Machine {
    pub(crate) async fn start(durability: Durability) -> Self {
        let genesis = genesis_at(BlockTime(now().0 - 1_000));
        let ledger = Mutex::new(SimLedger::new(&genesis));
        let chain = Arc::new(Chain { genesis, ledger, height: watch::Sender::new(0) });
        let wires = Arc::new(Wires::default());
        let mut edges = HashMap::new();
        for member in [OPERATOR, ALFA, BETA] {
            edges.insert(member, Running::start(&chain, &wires, member, durability).await);
        }
        let all = edges.iter().map(|(member, its)| (*member, its.edge.clone())).collect();
        assert!(wires.0.set(all).is_ok());
        Self { chain, edges }
    }

    pub(crate) fn edge(&self, member: MemberId) -> &Edge {
        &self.edges[&member].edge
    }

    /// What the ledger holds on an account of a bank, in minor units.
    pub(crate) fn balance(&self, account: AccountId) -> i128 {
        let ledger = self.chain.ledger.lock().unwrap();
        let account = ledger.ledger.account(account).unwrap();
        i128::from(account.credits_posted) - i128::from(account.debits_posted)
    }

    pub(crate) async fn stop(self) {
        for (_, running) in self.edges {
            let _ = running.stop.send(());
            running.tasks.await.unwrap();
        }
    }
}

impl Running {
    async fn start(
        chain: &Arc<Chain>,
        wires: &Arc<Wires>,
        member: MemberId,
        durability: Durability,
    ) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let store = Store::open(folder.path(), durability).await.unwrap();
        let book = SampleBook::open(folder.path(), durability).await.unwrap();
        book.open_accounts(&sample_accounts(&bic(member)[..4], 20)).await.unwrap();
        let ports = Ports {
            ledger: Arc::new(Member(chain.clone(), member)),
            peers: wires.clone(),
            book: Arc::new(book.clone()),
        };
        let setup = Arc::new(setup(&chain.genesis, member));
        let (edge, tasks): (Edge, EdgeTasks) = Edge::start(setup, store, ports).await.unwrap();
        let (stop, stopped) = oneshot::channel::<()>();
        let until = async { drop(stopped.await) };
        let tasks = tokio::spawn(async move { tasks.run_until(until).await.unwrap() });
        Self { edge, book, stop, tasks, _folder: folder }
    }
}

impl PeerPort for Wires {
    fn deliver(&self, to: MemberId, envelope: Bytes) -> BoxFuture<'_, Result<(), PeerFault>> {
        Box::pin(async move {
            let edge = &self.0.get().unwrap()[&to];
            let taken = edge.receive(&envelope).await;
            taken.map(|_| ()).map_err(|error| PeerFault { member: to, detail: error.to_string() })
        })
    }
}

impl LedgerPort for Member {
    fn submit<'a>(&'a self, operations: &'a [Operation]) -> BoxFuture<'a, Result<(), LedgerFault>> {
        Box::pin(async move {
            let mut ledger = self.0.ledger.lock().unwrap();
            ledger.submit(&self.0.genesis, self.1, operations, now());
            ledger.execute(&self.0.genesis, now());
            self.0.height.send_replace(ledger.ledger.height());
            Ok(())
        })
    }

    fn events(&self, cursor: u64) -> BoxFuture<'_, Result<EventBatch, LedgerFault>> {
        Box::pin(async move {
            let mut height = self.0.height.subscribe();
            loop {
                let found = self.0.ledger.lock().unwrap().events(self.1, cursor);
                if let Some(batch) = found {
                    return Ok(batch);
                }
                height.changed().await.unwrap();
            }
        })
    }

    fn receipt(
        &self,
        submitter: MemberId,
        operation: OperationId,
    ) -> BoxFuture<'_, Result<Option<Vec<u8>>, LedgerFault>> {
        Box::pin(async move {
            let receipt = self.0.ledger.lock().unwrap().receipt(submitter, operation);
            Ok(receipt.map(|receipt| receipt.to_bytes()))
        })
    }

    fn alias(&self, tag: Digest) -> BoxFuture<'_, Result<Option<AliasTarget>, LedgerFault>> {
        Box::pin(async move {
            let ledger = self.0.ledger.lock().unwrap();
            Ok(ledger.ledger.alias(&tag).map(|alias| AliasTarget { member: alias.member }))
        })
    }

    fn status(&self) -> BoxFuture<'_, Result<LedgerStatus, LedgerFault>> {
        Box::pin(async move {
            let ledger = self.0.ledger.lock().unwrap();
            Ok(LedgerStatus { height: ledger.ledger.height(), time: ledger.ledger.time() })
        })
    }
}
