//! `etibar up`: the sample network on this machine, from nothing to ready and back to stopped.

mod network;
mod voice;

use std::{process::ExitCode, sync::Arc};

use serde_json::json;

pub(crate) use network::{RunningNetwork, agency_name, edge_name, validator_name};
pub(crate) use voice::Voice;

use crate::{
    cli::UpArguments,
    failure::{self, Failure},
    process,
    sample::{AGENCIES, MEMBERS, PortChoice, SampleNetwork, Size, VALIDATORS},
};

/// Starts the network, stays until told to stop, stops it.
pub(crate) fn run(arguments: &UpArguments) -> Result<ExitCode, Failure> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .map_err(failure::system("cannot start the asynchronous runtime"))?;
    runtime.block_on(keep_up(arguments))
}

async fn keep_up(arguments: &UpArguments) -> Result<ExitCode, Failure> {
    let voice = Arc::new(if arguments.json { Voice::quiet() } else { Voice::for_people() });
    let size = Size { validators: VALIDATORS, people: arguments.population };
    let sample = SampleNetwork::open_or_create_of(&arguments.data, PortChoice::Familiar, size)?;
    let stopped = process::signalled();
    tokio::pin!(stopped);
    let network = RunningNetwork::start(sample, Arc::clone(&voice))?;
    let ready = tokio::select! {
        ready = network.wait_until_ready() => ready,
        signalled = &mut stopped => {
            network.stop().await;
            return signalled.map(|()| ExitCode::SUCCESS);
        }
    };
    if let Err(failure) = ready {
        network.stop().await;
        return Err(failure);
    }
    if arguments.json {
        println!("{}", addresses(network.sample()));
    } else {
        print_addresses(network.sample());
    }
    let signalled = stopped.await;
    voice.say("stopping");
    network.stop().await;
    voice.say("stopped; the same command goes on from here");
    signalled.map(|()| ExitCode::SUCCESS)
}

/// Where everything is, on one line for programs.
fn addresses(sample: &SampleNetwork) -> serde_json::Value {
    let members: Vec<_> = sample
        .genesis
        .members
        .iter()
        .map(|member| {
            json!({
                "id": member.id,
                "name": member.name,
                "bic": member.bic,
                "url": sample.edge_url(member.id),
            })
        })
        .collect();
    let validators: Vec<_> =
        (0..sample.ports.validators.len()).map(|index| sample.validator_url(index)).collect();
    json!({
        "ready": true,
        "console": sample.console_url(),
        "wallet": sample.wallet_url(),
        "network": sample.genesis.network(),
        "data": sample.folder,
        "validators": validators,
        "members": members,
    })
}

fn print_addresses(sample: &SampleNetwork) {
    println!();
    println!("  {} is up: {}", sample.genesis.name, sample.genesis.network());
    println!();
    println!("  operator console   {}", sample.console_url());
    if let Some(wallet) = sample.wallet_url() {
        println!("  wallet             {wallet}/");
        let bank = sample.edge_url(MEMBERS[1].member_id());
        println!("  open an account    {bank}/v1/onboarding/products");
        println!("  a bank's staff     {bank}/staff");
        let registrar = sample.edge_url(AGENCIES[0].member_id());
        println!("  a register's clerk {registrar}/clerk");
    }
    for index in 0..sample.ports.validators.len() {
        println!("  validator {}        {}", index + 1, sample.validator_url(index));
    }
    for member in &sample.genesis.members {
        println!("  {:<54} {}  {}", member.name, member.bic, sample.edge_url(member.id));
    }
    println!();
    println!("  data and logs are in {}; Ctrl-C stops the network", sample.folder.display());
    println!();
}
