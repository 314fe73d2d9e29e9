//! What a run needs: validators as processes, banks with accounts and money.

use std::{path::Path, sync::Arc, time::Duration};

use etibar_client::{Client, ClientConfig};
use etibar_ledger::{
    Operation,
    operation::{AccountKind, AccountOpening, Action, Transfer, TransferKind},
};
use etibar_primitives::{AccountId, Amount, Currency, MemberId, OperationId};

use super::{bank::Bank, payments::Arguments};
use crate::{
    failure::Failure,
    sample::{MEMBERS, PortChoice, SampleNetwork, random_bytes, read_key},
    up::{RunningNetwork, Voice},
};

/// What each further account is given: enough for every run.
const FUNDING_MINOR_UNITS: u64 = 1_000_000_000;
/// The first further account.
const FURTHER_ACCOUNTS: u64 = 3_000_000;
/// How long the preparation of the accounts may take.
const SETTLE_TIMEOUT: Duration = Duration::from_secs(20);
/// How often its end is looked for.
const POLL_PAUSE: Duration = Duration::from_millis(50);

/// A running network and the clients of its banks.
pub(super) struct Stage {
    network: RunningNetwork,
    clients: Vec<Client>,
    accounts: Vec<Vec<AccountId>>,
}

impl Stage {
    /// Starts the validators in `folder` and opens the accounts.
    pub(super) async fn set(
        folder: &Path,
        arguments: &Arguments,
        voice: Arc<Voice>,
    ) -> Result<Self, Failure> {
        let validators = usize::from(arguments.validators);
        let mut sample = SampleNetwork::open_or_create(folder, PortChoice::Random, validators)?;
        // The banks are played by this process.
        sample.ports.edges.clear();
        sample.ports.agencies.clear();
        sample.ports.wallet = None;
        let genesis = Arc::new(sample.genesis.clone());
        let validators: Vec<_> =
            (0..sample.ports.validators.len()).map(|index| sample.validator_url(index)).collect();
        let client = |member: MemberId| -> Result<Client, Failure> {
            let key = Arc::new(read_key(&sample.member_key(member))?);
            let (genesis, validators) = (Arc::clone(&genesis), validators.clone());
            let config = ClientConfig { genesis, validators, member, key };
            Ok(Client::new(config).expect("the sample network's own addresses are well-formed"))
        };
        let clients: Result<Vec<_>, _> =
            MEMBERS.iter().map(|member| client(member.member_id())).collect();
        let mut clients = clients?;
        let operator = clients.remove(0);
        let network = RunningNetwork::start(sample, voice)?;
        network.wait_until_ready().await?;
        let mut stage = Self { network, clients, accounts: Vec::new() };
        stage.open_accounts(&operator, usize::from(arguments.accounts)).await?;
        Ok(stage)
    }

    /// Each bank's prefund account, and as many further ones as make `count` in all.
    async fn open_accounts(&mut self, operator: &Client, count: usize) -> Result<(), Failure> {
        let members = self.clients.iter().map(Client::member);
        self.accounts = members.map(|its| vec![AccountId(2_000 + u64::from(its.0))]).collect();
        let banks = self.clients.len();
        let mut openings = Vec::new();
        let mut fundings = vec![Vec::new(); banks];
        for (number, further) in (FURTHER_ACCOUNTS..).take(count.saturating_sub(banks)).enumerate()
        {
            let (bank, account) = (number % banks, AccountId(further));
            let owner = self.clients[bank].member();
            let (kind, currency) = (AccountKind::Prefund, Currency::AZN);
            let opening = AccountOpening { account, owner, kind, currency };
            openings.push(operation(Action::OpenAccount(opening)));
            let first = self.accounts[bank][0];
            let amount = Amount::new(FUNDING_MINOR_UNITS).expect("below the largest amount");
            let transfer = Transfer::new(first, account, amount, super::bank::now());
            fundings[bank].push(operation(Action::Transfer(TransferKind::Direct, transfer)));
            self.accounts[bank].push(account);
        }
        settle(operator, &openings).await?;
        for (client, fundings) in self.clients.iter().zip(&fundings) {
            settle(client, fundings).await?;
        }
        Ok(())
    }

    /// The banks, ready to be loaded.
    pub(super) fn banks(&self, arguments: &Arguments) -> Vec<Bank> {
        let bank = |(index, client): (usize, &Client)| {
            let others = self.accounts.iter().enumerate().filter(|(other, _)| *other != index);
            let pace = arguments.pace(index, self.clients.len());
            Bank {
                client: client.clone(),
                events: client.events(0),
                own: self.accounts[index].clone(),
                others: others.flat_map(|(_, accounts)| accounts).copied().collect(),
                batch: usize::from(arguments.batch),
                pace,
                offset: pace.offset(index, self.clients.len()),
            }
        };
        self.clients.iter().enumerate().map(bank).collect()
    }

    /// The validators' process ids.
    pub(super) fn processes(&self) -> Vec<u32> {
        self.network.validator_processes()
    }

    /// Stops the validators.
    pub(super) async fn clear(self) {
        self.network.stop().await;
    }
}

/// Submits `operations` and waits until each has been accepted.
async fn settle(client: &Client, operations: &[Operation]) -> Result<(), Failure> {
    let failed = |why: String| Failure::Network { what: "prepare the accounts", why };
    for batch in operations.chunks(8_190) {
        client.submit(batch).await.map_err(|error| failed(error.to_string()))?;
        let last = batch.last().expect("chunks are not empty").id;
        let deadline = tokio::time::Instant::now() + SETTLE_TIMEOUT;
        loop {
            let receipt = client.receipt(client.member(), last).await;
            match receipt.map_err(|error| failed(error.to_string()))? {
                Some(receipt) if receipt.event.outcome.is_accepted() => break,
                Some(receipt) => return Err(failed(receipt.event.outcome.to_string())),
                None if tokio::time::Instant::now() > deadline => {
                    return Err(failed("the network does not answer".into()));
                }
                None => tokio::time::sleep(POLL_PAUSE).await,
            }
        }
    }
    Ok(())
}

fn operation(action: Action) -> Operation {
    let id = OperationId(u128::from_be_bytes(random_bytes()));
    Operation { id, linked: false, action }
}
