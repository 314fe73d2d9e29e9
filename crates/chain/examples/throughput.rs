//! Four validators on this machine over real connections and disks: payments per second, and how
//! long one payment takes to its proof.
//!
//! `cargo run --release -p etibar-chain --example throughput -- [seconds] [operations per
//! transaction] [members]`

#![expect(clippy::print_stdout, reason = "a program for people")]

use std::{
    net::SocketAddr,
    sync::mpsc,
    time::{Duration, Instant, SystemTime, UNIX_EPOCH},
};

use etibar_chain::{Handle, Limits, Peer, SubmitError, Timing, ValidatorConfig, run_validator};
use etibar_ledger::{
    Genesis, Operation,
    genesis::{GenesisAccount, GenesisMember},
    operation::{
        AccountKind, Action, Bic, MemberRole, Parameter, ReasonCode, Transfer, TransferKind,
    },
    transaction::Envelope,
};
use etibar_primitives::{
    AccountId, Amount, BlockTime, Digest, MemberId, OperationId, key::PrivateKey,
};

const VALIDATORS: u8 = 4;

fn now() -> u64 {
    let elapsed = SystemTime::now().duration_since(UNIX_EPOCH).expect("after 1970");
    u64::try_from(elapsed.as_millis()).expect("fits")
}

fn key(kind: u8, index: u8) -> PrivateKey {
    let mut seed = [kind; 32];
    seed[0] = index;
    PrivateKey::from_seed(&seed)
}

fn genesis(members: u8) -> Genesis {
    let bank = |index: u8| GenesisMember {
        id: MemberId(u32::from(index)),
        name: format!("Member {index}"),
        role: if index == 1 { MemberRole::Operator } else { MemberRole::Bank },
        bic: Bic::new("AAAAAZ22").expect("a code"),
        keys: vec![key(1, index).public_key()],
    };
    let issue = GenesisAccount {
        id: AccountId(1_000),
        owner: MemberId(1),
        kind: AccountKind::Issue,
        opening: Amount::ZERO,
    };
    let account = |index: u8| GenesisAccount {
        id: AccountId(u64::from(index)),
        owner: MemberId(u32::from(index)),
        kind: AccountKind::Settlement,
        opening: Amount::new(1_000_000_000_000).expect("an amount"),
    };
    Genesis {
        name: "throughput".to_owned(),
        time: BlockTime(now() - 1_000),
        validators: (0..VALIDATORS).map(|index| key(0, index).public_key()).collect(),
        members: (1..=members).map(bank).collect(),
        accounts: std::iter::once(issue).chain((1..=members).map(account)).collect(),
        parameters: vec![(Parameter::IdRetentionMs, 90_000_000)],
        issuers: Vec::new(),
        purposes: Vec::new(),
    }
}

fn payments(network: Digest, member: u8, members: u8, next: &mut u128, count: usize) -> Vec<u8> {
    let time = now();
    let payment = |_| {
        *next += 1;
        let transfer = Transfer {
            pending: OperationId(0),
            debit: AccountId(u64::from(member)),
            credit: AccountId(u64::from(member % members + 1)),
            amount: Amount::new(1).expect("an amount"),
            created: BlockTime(time),
            expires: BlockTime(0),
            reason: ReasonCode::default(),
            debtor_agent: MemberId(0),
            creditor_agent: MemberId(0),
            commitment: Digest::ZERO,
        };
        let action = Action::Transfer(TransferKind::Direct, transfer);
        Operation { id: OperationId(*next), linked: false, action }
    };
    let operations: Vec<_> = (0..count).map(payment).collect();
    let envelope = Envelope {
        network,
        member: MemberId(u32::from(member)),
        valid_from: BlockTime(time - 10_000),
        valid_until: BlockTime(time + 60_000),
    };
    envelope.sign(&operations, &key(1, member))
}

fn start(directory: &std::path::Path, genesis: &Genesis) -> Vec<Handle> {
    let address = |index: u8| SocketAddr::from(([127, 0, 0, 1], 27_100 + u16::from(index)));
    let peer = |index| Peer { key: key(0, index).public_key(), address: address(index) };
    let peers: Vec<_> = (0..VALIDATORS).map(peer).collect();
    let (send, receive) = mpsc::channel();
    for index in 0..VALIDATORS {
        let config = ValidatorConfig {
            genesis: genesis.clone(),
            key: key(0, index),
            listen: address(index),
            peers: peers.clone(),
            directory: directory.join(index.to_string()),
            worker_threads: 2,
            timing: Timing::default(),
            limits: Limits::default(),
        };
        let send = send.clone();
        std::thread::spawn(move || {
            let ready = move |handle| send.send((index, handle)).expect("the test listens");
            run_validator(config, ready).expect("the validator runs");
        });
    }
    let mut handles: Vec<_> = (0..VALIDATORS).map(|_| receive.recv().expect("starts")).collect();
    handles.sort_by_key(|(index, _)| *index);
    handles.into_iter().map(|(_, handle)| handle).collect()
}

async fn one_by_one(handles: &[Handle], network: Digest, members: u8, next: &mut u128) {
    let mut times = Vec::new();
    for round in 0..100_usize {
        let member = u8::try_from(round % usize::from(members)).expect("few") + 1;
        let bytes = payments(network, member, members, next, 1);
        let begin = Instant::now();
        let handle = &handles[round % handles.len()];
        handle.submit(bytes.into()).expect("there is room");
        loop {
            let certified = handle.certified_height();
            let id = OperationId(*next);
            let member = MemberId(u32::from(member));
            if handle.receipt(member, id).await.expect("serves").is_some() {
                break;
            }
            handle.wait_certified(certified).await.expect("serves");
        }
        times.push(begin.elapsed());
        tokio::time::sleep(Duration::from_millis(7)).await;
    }
    times.sort_unstable();
    println!(
        "one payment to its proof: p50 {:?} p90 {:?} p99 {:?}",
        times[50], times[90], times[99]
    );
}

async fn flood(
    handles: &[Handle],
    network: Digest,
    members: u8,
    size: usize,
    seconds: u64,
    next: &mut u128,
) {
    // Signed beforehand: clients have machines of their own.
    let count = 40_000 * usize::try_from(seconds).expect("few") * 4 / size;
    let batches: Vec<bytes::Bytes> = (0..count)
        .map(|index| {
            let member = u8::try_from(index % usize::from(members)).expect("few") + 1;
            payments(network, member, members, next, size).into()
        })
        .collect();
    println!("signed {count} transactions");
    let begin = Instant::now();
    let first = handles[0].status();
    let mut batches = batches.into_iter();
    let mut refused = 0_u64;
    'all: while begin.elapsed() < Duration::from_secs(seconds) {
        let Some(batch) = batches.next() else { break };
        for handle in handles {
            while let Err(error) = handle.submit(batch.clone()) {
                let SubmitError::Overloaded { .. } = error else { panic!("{error}") };
                refused += 1;
                tokio::time::sleep(Duration::from_millis(5)).await;
                if begin.elapsed() > Duration::from_secs(seconds) {
                    break 'all;
                }
            }
        }
    }
    let last = handles[0].status();
    let elapsed = begin.elapsed();
    let mut operations = 0;
    let mut height = last.executed.height;
    while height > first.executed.height {
        let blocks = handles[0].blocks(height, 100).await.expect("serves");
        let Some(oldest) = blocks.last() else { break };
        height = oldest.header.height - 1;
        let new = blocks.iter().filter(|block| block.header.height > first.executed.height);
        operations += new.map(|block| block.accepted).sum::<u64>();
    }
    let rate = u128::from(operations) * 1_000 / elapsed.as_millis().max(1);
    let blocks = last.executed.height - first.executed.height;
    println!("{operations} payments in {blocks} blocks, {elapsed:?}: {rate}/s; refused {refused}");
    println!("{last:?}");
}

#[tokio::main(flavor = "multi_thread", worker_threads = 1)]
async fn main() {
    tracing_subscriber::fmt()
        .with_env_filter(tracing_subscriber::EnvFilter::from_default_env())
        .init();
    let mut arguments = std::env::args().skip(1).map(|text| text.parse::<u64>().expect("a number"));
    let seconds = arguments.next().unwrap_or(10);
    let size = usize::try_from(arguments.next().unwrap_or(1_000)).expect("few");
    let members = u8::try_from(arguments.next().unwrap_or(10)).expect("few");
    let directory = tempfile::tempdir().expect("a temporary directory");
    let genesis = genesis(members);
    let handles = start(directory.path(), &genesis);
    let mut next = 1;
    handles[0].wait_executed(0).await.expect("serves");
    let network = genesis.network();
    one_by_one(&handles, network, members, &mut next).await;
    flood(&handles, network, members, size, seconds, &mut next).await;
    for handle in &handles {
        println!("{:?}", handle.status().executed);
    }
    std::process::exit(0);
}
