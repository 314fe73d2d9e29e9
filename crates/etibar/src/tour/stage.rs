//! What the tour plays on: a network of its own, its banks' doors, and the operator's eyes.

use std::{
    fs,
    path::Path,
    sync::Arc,
    time::{Duration, Instant, SystemTime, UNIX_EPOCH},
};

use bytes::Bytes;
use etibar_client::{Client, ClientConfig, VerifiedReceipt, verify_receipt, wire::AccountView};
use etibar_ledger::operation::AccountKind;
use etibar_primitives::{AccountId, BlockTime, MemberId, OperationId};

use super::{chapter::Chapter, gateway::Gateway};
use crate::{
    failure::{self, Failure},
    sample::{MEMBERS, PortChoice, SampleMember, SampleNetwork, VALIDATORS, read_key},
    up::{RunningNetwork, Voice},
};

/// How long the tour waits for something that must come.
const PATIENCE: Duration = Duration::from_secs(15);
/// Agencies in the tour: interior, justice, tax, labour, digital development, credit bureau.
const AGENCIES_TOLD: [u32; 6] = [12, 14, 15, 16, 23, 25];
/// How often it looks.
const LOOK_PAUSE: Duration = Duration::from_millis(25);

/// A running network and everything that the tour needs of it.
pub(crate) struct Stage {
    pub(crate) sample: SampleNetwork,
    /// The processes, when the tour started them; a network of somebody else's is only visited.
    processes: Option<RunningNetwork>,
    /// The operator's client, which may see all accounts.
    pub(crate) operator: Client,
    pub(crate) speaks: bool,
}

/// Now, in milliseconds since 1970.
pub(crate) fn now() -> BlockTime {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    BlockTime(u64::try_from(since.as_millis()).unwrap_or(u64::MAX))
}

impl Stage {
    /// Visits the network that runs from `folder`; the first chapter tells of it.
    pub(crate) async fn visit(folder: &Path, speaks: bool) -> Result<(Self, Chapter), Failure> {
        let mut chapter = Chapter::begin("A network is running", speaks);
        let sample = SampleNetwork::open(folder)?;
        let operator = client(&sample, MEMBERS[0].member_id())?;
        tell_of(&sample, &operator, &mut chapter).await;
        let stage = Self { sample, processes: None, operator, speaks };
        Ok((stage, chapter.end(Ok(()))))
    }

    /// Starts a network in `folder`; the first chapter tells of it.
    pub(crate) async fn set(
        folder: &Path,
        voice: Arc<Voice>,
        speaks: bool,
    ) -> Result<(Self, Chapter), Failure> {
        let mut chapter = Chapter::begin("A network starts from nothing", speaks);
        let began = Instant::now();
        let mut sample = SampleNetwork::open_or_create(folder, PortChoice::Random, VALIDATORS)?;
        // The agencies that the chapters tell of; the people bring a wallet of their own.
        sample.ports.agencies.retain(|its| AGENCIES_TOLD.contains(&its.member.0));
        sample.ports.wallet = None;
        let operator = client(&sample, MEMBERS[0].member_id())?;
        let network = RunningNetwork::start(sample, voice)?;
        if let Err(failure) = network.wait_until_ready().await {
            network.stop().await;
            return Err(failure);
        }
        chapter.fact("ready after ms", millis(began));
        let sample = network.sample().clone();
        tell_of(&sample, &operator, &mut chapter).await;
        let stage = Self { sample, processes: Some(network), operator, speaks };
        Ok((stage, chapter.end(Ok(()))))
    }

    /// The processes: `None` when the network is somebody else's, whose processes are not killed.
    pub(crate) const fn processes(&self) -> Option<&RunningNetwork> {
        self.processes.as_ref()
    }

    /// The door of a bank's edge.
    pub(crate) fn gateway(&self, bank: &SampleMember) -> Result<Gateway, Failure> {
        let sample = &self.sample;
        let path = sample.edge_config(bank.member_id()).with_file_name("core.token");
        let token = fs::read_to_string(&path).map_err(failure::file("read", path))?;
        Ok(Gateway::new(sample.edge_url(bank.member_id()), token.trim().to_owned()))
    }

    /// The operator's client of one validator alone.
    pub(crate) fn client_at(&self, validator: usize) -> Result<Client, Failure> {
        let sample = &self.sample;
        client_of(sample, MEMBERS[0].member_id(), vec![sample.validator_url(validator)])
    }

    /// A client that speaks for a bank or an agency.
    pub(crate) fn client(&self, bank: &SampleMember) -> Result<Client, Failure> {
        client(&self.sample, bank.member_id())
    }

    /// A bank's account for instant payments.
    pub(crate) async fn prefund(&self, bank: &SampleMember) -> Result<AccountView, Failure> {
        let id = bank.accounts().into_iter().find(|its| its.1 == AccountKind::Prefund);
        let id = id.expect("every bank of the table has one").0;
        self.account(id).await
    }

    async fn account(&self, id: AccountId) -> Result<AccountView, Failure> {
        let failed = |why: String| Failure::Network { what: "read an account", why };
        let found = self.operator.account(id).await.map_err(|error| failed(error.to_string()))?;
        found.ok_or_else(|| failed(format!("there is no account {id}")))
    }

    /// All accounts of the ledger.
    pub(crate) async fn accounts(&self) -> Result<Vec<AccountView>, Failure> {
        let failed = |why: String| Failure::Network { what: "read the accounts", why };
        self.operator.accounts().await.map_err(|error| failed(error.to_string()))
    }

    /// The receipt of a payment's end, once there is one.
    pub(crate) async fn receipt_of(
        &self,
        gateway: &Gateway,
        uetr: OperationId,
    ) -> Result<Bytes, Failure> {
        let found = wait_for(async || gateway.receipt(uetr).await).await?;
        found.ok_or_else(|| Failure::Network {
            what: "get a receipt",
            why: format!("there was none of {uetr} after {} s", PATIENCE.as_secs()),
        })
    }

    /// Verifies a receipt with nothing but the genesis.
    pub(crate) fn verify(&self, receipt: &[u8]) -> Result<VerifiedReceipt, Failure> {
        verify_receipt(&self.sample.genesis, receipt)
            .map_err(|error| Failure::Network { what: "verify a receipt", why: error.to_string() })
    }

    /// Stops the network, if the tour started it.
    pub(crate) async fn clear(self) {
        if let Some(processes) = self.processes {
            processes.stop().await;
        }
    }
}

/// What there is to see, and whether it is what the genesis says.
async fn tell_of(sample: &SampleNetwork, operator: &Client, chapter: &mut Chapter) {
    chapter.fact("validators", sample.ports.validators.len());
    chapter.fact("members", sample.genesis.members.len());
    chapter.fact("network", sample.genesis.network().to_string());
    let status = operator.status().await;
    let same = status.is_ok_and(|status| status.network == sample.genesis.network());
    chapter.check("a validator serves the network of the genesis", same);
}

/// A client that speaks for `member` with the key in its folder.
fn client(sample: &SampleNetwork, member: MemberId) -> Result<Client, Failure> {
    let validators = 0..sample.ports.validators.len();
    client_of(sample, member, validators.map(|index| sample.validator_url(index)).collect())
}

fn client_of(
    sample: &SampleNetwork,
    member: MemberId,
    validators: Vec<String>,
) -> Result<Client, Failure> {
    let key = Arc::new(read_key(&sample.member_key(member))?);
    let config =
        ClientConfig { genesis: Arc::new(sample.genesis.clone()), validators, member, key };
    Ok(Client::new(config).expect("the sample network's own addresses are well-formed"))
}

/// Looks until there is something, as long as the tour's patience lasts.
pub(crate) async fn wait_for<T>(
    look: impl AsyncFn() -> Result<Option<T>, Failure>,
) -> Result<Option<T>, Failure> {
    let deadline = Instant::now() + PATIENCE;
    loop {
        match look().await {
            Ok(Some(found)) => return Ok(Some(found)),
            Err(failure) if Instant::now() > deadline => return Err(failure),
            _ if Instant::now() > deadline => return Ok(None),
            _ => tokio::time::sleep(LOOK_PAUSE).await,
        }
    }
}

/// Milliseconds since then.
pub(crate) fn millis(since: Instant) -> u64 {
    u64::try_from(since.elapsed().as_millis()).unwrap_or(u64::MAX)
}
