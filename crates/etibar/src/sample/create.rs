//! Making the sample network's files.

use std::{
    fs,
    io::Write as _,
    path::{Path, PathBuf},
    time::{SystemTime, UNIX_EPOCH},
};

use etibar_agency::date::Date;
use etibar_edge::{
    config::{EdgeConfig, Limits, PeerConfig},
    envelope::SealPrivateKey,
};
use etibar_ledger::{
    Genesis,
    genesis::{GenesisAccount, GenesisMember},
    operation::MemberRole,
};
use etibar_primitives::{BlockTime, key::PublicKey};

use super::{
    AGENCIES, EdgePort, MEMBERS, NetworkFile, PortChoice, SampleMember, Size, ValidatorPorts,
    country, keys, loopback, make_folder, member_folder, ports, validator_folder,
};
use crate::{
    config::{EdgeFile, PeerEntry, ValidatorFile, read_toml, render_toml},
    failure::{self, Failure},
};

/// Threads of each validator's consensus: the sample network's validators share one machine, and
/// with a thread each they interrupt one another less.
const WORKER_THREADS: usize = 1;

/// A validator that lost its disk fetches the state rather than the blocks when there are more:
/// low, so that even a young sample network shows it.
const SYNC_DISTANCE: u64 = 20;

/// How many invented customers each bank has.
pub(crate) const SAMPLE_CUSTOMERS: u32 = 100;

/// Makes all files of a sample network in `folder`. What an interrupted attempt left is kept or
/// written again; the genesis comes last and seals the rest.
pub(super) fn create(folder: &Path, choice: PortChoice, size: Size) -> Result<(), Failure> {
    make_folder(&folder.join("logs"))?;
    let now = now();
    let list = folder.join("network.toml");
    // Certificates carry addresses: an attempt that goes on keeps the ports of the first.
    let ports = if list.exists() {
        read_toml(&list, "list of ports")?
    } else {
        let ports = choose_ports(choice, size.validators)?;
        let comment = "Which port of 127.0.0.1 is whose. Chosen at the first start.";
        write(&list, &render_toml(comment, &ports))?;
        ports
    };
    let validators = create_validators(folder, &ports)?;
    let today = Date::of(now);
    let people = country::list_people(folder, size.people, today)?;
    let mut keys = create_members(folder, &ports, &people)?;
    let authorities = country::authorities(folder, &ports, now)?;
    keys.extend(country::create_agencies(folder, &ports, &authorities, size.people, today)?);
    country::create_wallet(folder, &ports)?;
    let genesis = Genesis {
        time: now,
        issuers: country::issuers(&authorities, now),
        purposes: country::purposes(),
        ..genesis(validators, keys)
    };
    genesis.check().expect("the sample network keeps the rules of a genesis");
    let text = serde_json::to_string_pretty(&genesis).expect("a genesis has text keys only");
    write(&folder.join("genesis.json"), &(text + "\n"))
}

fn choose_ports(choice: PortChoice, validators: usize) -> Result<NetworkFile, Failure> {
    let count = validators * 2 + MEMBERS.len() + AGENCIES.len() + 1;
    let count = u16::try_from(count).expect("a few dozen ports");
    let mut free = ports::find_free(count, choice)?.into_iter();
    let mut next = || free.next().expect("as many ports were found as are used");
    // The operator's is the first, so that its console stands at a round number.
    let mut of = |members: &[SampleMember]| -> Vec<EdgePort> {
        members.iter().map(|its| EdgePort { member: its.member_id(), http: next() }).collect()
    };
    let (edges, agencies) = (of(&MEMBERS), of(&AGENCIES));
    let validators =
        (0..validators).map(|_| ValidatorPorts { consensus: next(), api: next() }).collect();
    Ok(NetworkFile { validators, edges, agencies, wallet: Some(next()) })
}

fn create_validators(folder: &Path, ports: &NetworkFile) -> Result<Vec<PublicKey>, Failure> {
    let count = ports.validators.len();
    let mut keys = Vec::with_capacity(count);
    for index in 0..count {
        let own = validator_folder(folder, index);
        make_folder(&own)?;
        keys.push(keys::read_or_create(&own.join("key"))?.public_key());
    }
    let peers: Vec<_> = keys
        .iter()
        .zip(&ports.validators)
        .map(|(key, its)| PeerEntry { key: *key, address: loopback(its.consensus) })
        .collect();
    for (index, its) in ports.validators.iter().enumerate() {
        let file = ValidatorFile {
            genesis: PathBuf::from("../../genesis.json"),
            key: PathBuf::from("key"),
            store: PathBuf::from("store"),
            consensus: loopback(its.consensus),
            api: loopback(its.api),
            worker_threads: WORKER_THREADS,
            sync_distance: Some(SYNC_DISTANCE),
            peers: peers.clone(),
        };
        let comment = "A validator of the sample network: `etibar validator --config` this file.";
        let path = validator_folder(folder, index).join("validator.toml");
        write(&path, &render_toml(comment, &file))?;
    }
    Ok(keys)
}

fn create_members(
    folder: &Path,
    ports: &NetworkFile,
    people: &[country::Listed],
) -> Result<Vec<PublicKey>, Failure> {
    let mut keys = Vec::with_capacity(MEMBERS.len());
    let mut peers = Vec::with_capacity(MEMBERS.len());
    let directory_key = folder.join("members").join("directory.key");
    for (member, port) in MEMBERS.iter().zip(&ports.edges) {
        let own = member_folder(folder, member);
        make_folder(&own)?;
        keys.push(keys::read_or_create(&own.join("key"))?.public_key());
        keys::read_or_create(&own.join("core.token"))?;
        if member.role() == MemberRole::Bank {
            for (_, _, token) in country::STAFF {
                keys::read_or_create(&own.join(token))?;
            }
        }
        keys::read_or_create(&directory_key)?;
        let seal = keys::read_or_create(&own.join("seal.key"))?;
        let seal_key = SealPrivateKey::from_seed(seal.seed()).public_key().to_hex();
        let url = format!("http://{}", loopback(port.http));
        peers.push(PeerConfig { member: member.member_id(), url, seal_key });
    }
    for (member, port) in MEMBERS.iter().zip(&ports.edges) {
        let bank = member.role() == MemberRole::Bank;
        let file = EdgeFile {
            edge: edge_file(member, port.http, ports, &peers),
            onboarding: bank.then(|| country::onboarding(member, ports, people)),
            console: (!bank).then(|| country::console(ports)),
        };
        let comment = "A member's edge in the sample network: `etibar edge --config` this file.";
        let path = member_folder(folder, member).join("edge.toml");
        write(&path, &render_toml(comment, &file))?;
    }
    Ok(keys)
}

fn edge_file(
    member: &SampleMember,
    port: u16,
    ports: &NetworkFile,
    peers: &[PeerConfig],
) -> EdgeConfig {
    let bank = member.role() == MemberRole::Bank;
    let others = peers.iter().filter(|peer| peer.member != member.member_id());
    EdgeConfig {
        member: member.member_id(),
        genesis: PathBuf::from("../../genesis.json"),
        key: PathBuf::from("key"),
        seal_key: PathBuf::from("seal.key"),
        store: PathBuf::from("store"),
        listen: loopback(port),
        validators: ports.validator_urls(),
        peers: others.cloned().collect(),
        supervisor: bank.then(|| MEMBERS[0].member_id()),
        core_token: PathBuf::from("core.token"),
        directory_key: PathBuf::from("../directory.key"),
        sample_customers: if bank { SAMPLE_CUSTOMERS } else { 0 },
        limits: Limits::default(),
    }
}

fn genesis(validators: Vec<PublicKey>, member_keys: Vec<PublicKey>) -> Genesis {
    let everybody = || MEMBERS.iter().chain(&AGENCIES);
    let members = everybody()
        .zip(member_keys)
        .map(|(member, key)| GenesisMember {
            id: member.member_id(),
            name: member.name.to_owned(),
            role: member.role(),
            bic: member.code(),
            keys: vec![key],
        })
        .collect();
    let accounts = everybody()
        .flat_map(|member| {
            let owner = member.member_id();
            let accounts = member.accounts().into_iter();
            accounts.map(move |(id, kind, opening)| GenesisAccount { id, owner, kind, opening })
        })
        .collect();
    Genesis {
        name: "Etibar sample network".to_owned(),
        time: BlockTime(0),
        validators,
        members,
        accounts,
        parameters: Vec::new(),
        issuers: Vec::new(),
        purposes: Vec::new(),
    }
}

fn now() -> BlockTime {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).expect("the clock is after 1970");
    BlockTime(u64::try_from(since.as_millis()).expect("the clock is before the year 500 million"))
}

/// Writes a whole file or none: under another name first.
pub(super) fn write(path: &Path, text: &str) -> Result<(), Failure> {
    let partial = path.with_extension("partial");
    let attempt = || {
        let mut file = fs::File::create(&partial)?;
        file.write_all(text.as_bytes())?;
        file.sync_all()?;
        fs::rename(&partial, path)
    };
    attempt().map_err(failure::file("write", path))
}
