//! The sample country: four validators, the operator, ten banks, fifteen agencies and a wallet on
//! one machine.
//!
//! Everything is made at the first start and kept: keys, ports, the genesis. The folder:
//!
//! ```text
//! genesis.json            what all members agree on
//! network.toml            which port is whose
//! validators/1/           validator.toml, key, store/
//! members/02-IBAZAZ2X/    edge.toml, key, seal.key, staff-*.token, store/, issuer/, envelope.key,
//!                         vault/
//! members/12-DINXAZ2X/    agency.toml, key, clerk-*.token, issuer/, register/, store/
//! wallet/                 wallet.toml, master.key, store/
//! people.json             what to type into a wallet: some invented adults
//! logs/                   one file for each process
//! ```
//!
//! The names are real ones with "(sample)" behind them; keys, accounts, customers and the whole
//! population are invented.

mod country;
mod create;
mod keys;
mod members;
mod ports;

use std::{
    fs,
    net::{Ipv4Addr, SocketAddr},
    path::{Path, PathBuf},
};

use etibar_ledger::Genesis;
use etibar_primitives::MemberId;
use serde::{Deserialize, Serialize};

use crate::{config, failure::Failure, genesis};

pub(crate) use create::SAMPLE_CUSTOMERS;
pub(crate) use keys::{random_bytes, read_key};
pub(crate) use members::{AGENCIES, MEMBERS, SampleMember, WALLET_OPERATOR};
pub(crate) use ports::PortChoice;

/// How many validators the sample network has by default: one of four may fail in any way.
pub(crate) const VALIDATORS: usize = 4;

/// How many people live in the sample country by default: few, so that it starts fast.
pub(crate) const PEOPLE: usize = 1_000;

/// How large a sample network is made.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Size {
    /// Validators.
    pub(crate) validators: usize,
    /// Synthetic people in the agencies' registers.
    pub(crate) people: usize,
}

/// A sample network in its folder.
#[derive(Debug, Clone)]
pub(crate) struct SampleNetwork {
    /// The data folder.
    pub(crate) folder: PathBuf,
    /// Which port is whose.
    pub(crate) ports: NetworkFile,
    /// What all members agree on.
    pub(crate) genesis: Genesis,
}

/// `network.toml`: which port is whose. All on the loopback address.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct NetworkFile {
    /// In the order of the genesis.
    pub(crate) validators: Vec<ValidatorPorts>,
    /// In the order of the genesis.
    pub(crate) edges: Vec<EdgePort>,
    /// In the order of the genesis; none in a network from before there were agencies.
    #[serde(default)]
    pub(crate) agencies: Vec<EdgePort>,
    /// The hosted wallet's.
    #[serde(default)]
    pub(crate) wallet: Option<u16>,
}

/// A validator's two ports.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct ValidatorPorts {
    /// For the other validators.
    pub(crate) consensus: u16,
    /// For members.
    pub(crate) api: u16,
}

/// A member's port.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct EdgePort {
    /// Whose.
    pub(crate) member: MemberId,
    /// For its customers' systems, its staff and the other members.
    pub(crate) http: u16,
}

impl SampleNetwork {
    /// Opens the network in `folder`, or makes one of `validators` there.
    pub(crate) fn open_or_create(
        folder: &Path,
        choice: PortChoice,
        validators: usize,
    ) -> Result<Self, Failure> {
        Self::open_or_create_of(folder, choice, Size { validators, people: PEOPLE })
    }

    /// Opens the network in `folder`, or makes one of this size there.
    pub(crate) fn open_or_create_of(
        folder: &Path,
        choice: PortChoice,
        size: Size,
    ) -> Result<Self, Failure> {
        // The genesis is written last, so a folder without one was never finished.
        if !folder.join("genesis.json").exists() {
            create::create(folder, choice, size)?;
        }
        Self::open(folder)
    }

    /// Opens the network in `folder`.
    pub(crate) fn open(folder: &Path) -> Result<Self, Failure> {
        let ports = config::read_toml(&folder.join("network.toml"), "list of ports")?;
        let genesis = genesis::read(&folder.join("genesis.json"))?;
        Ok(Self { folder: folder.into(), ports, genesis })
    }

    /// The configuration file of validator `index`, from 0.
    pub(crate) fn validator_config(&self, index: usize) -> PathBuf {
        validator_folder(&self.folder, index).join("validator.toml")
    }

    /// The base address of validator `index`'s member API.
    pub(crate) fn validator_url(&self, index: usize) -> String {
        format!("http://{}", loopback(self.ports.validators[index].api))
    }

    /// The configuration file of the operator's or a bank's edge.
    pub(crate) fn edge_config(&self, member: MemberId) -> PathBuf {
        self.member_folder(member).join("edge.toml")
    }

    /// The configuration file of an agency.
    pub(crate) fn agency_config(&self, member: MemberId) -> PathBuf {
        self.member_folder(member).join("agency.toml")
    }

    /// The configuration file of the hosted wallet.
    pub(crate) fn wallet_config(&self) -> PathBuf {
        self.folder.join("wallet").join("wallet.toml")
    }

    /// The list of people to try a wallet with.
    pub(crate) fn people_file(&self) -> PathBuf {
        self.folder.join("people.json")
    }

    /// The file with a member's key.
    pub(crate) fn member_key(&self, member: MemberId) -> PathBuf {
        self.member_folder(member).join("key")
    }

    /// Everything of a member.
    pub(crate) fn member_folder(&self, member: MemberId) -> PathBuf {
        let its = MEMBERS.iter().chain(&AGENCIES).find(|its| its.member_id() == member);
        member_folder(&self.folder, its.expect("the tables hold every member"))
    }

    /// The base address of a member's edge or agency.
    pub(crate) fn edge_url(&self, member: MemberId) -> String {
        let its = self.ports.edges.iter().chain(&self.ports.agencies);
        let port = its.clone().find(|its| its.member == member);
        let port = port.expect("every member of the genesis has a port").http;
        format!("http://{}", loopback(port))
    }

    /// The hosted wallet, as browsers reach it.
    pub(crate) fn wallet_url(&self) -> Option<String> {
        self.ports.wallet.map(|port| format!("http://localhost:{port}"))
    }

    /// The operator's console.
    pub(crate) fn console_url(&self) -> String {
        format!("{}/", self.edge_url(MEMBERS[0].member_id()))
    }

    /// The log of a process.
    pub(crate) fn log(&self, process: &str) -> PathBuf {
        self.folder.join("logs").join(format!("{process}.log"))
    }
}

impl NetworkFile {
    /// The port of a bank's edge or of an agency.
    fn http(&self, member: &SampleMember) -> u16 {
        let mut all = self.edges.iter().chain(&self.agencies);
        let its = all.find(|its| its.member == member.member_id());
        its.expect("every member of the tables was given a port").http
    }

    /// The base address of a bank's edge or of an agency.
    fn url(&self, member: &SampleMember) -> String {
        format!("http://{}", loopback(self.http(member)))
    }

    /// The validators' addresses for members.
    fn validator_urls(&self) -> Vec<String> {
        self.validators.iter().map(|its| format!("http://{}", loopback(its.api))).collect()
    }
}

/// `validators/1` for index 0.
fn validator_folder(folder: &Path, index: usize) -> PathBuf {
    folder.join("validators").join((index + 1).to_string())
}

/// `members/02-IBAZAZ2X`.
fn member_folder(folder: &Path, member: &SampleMember) -> PathBuf {
    folder.join("members").join(format!("{:02}-{}", member.id, member.bic))
}

/// A port of the loopback address.
pub(crate) const fn loopback(port: u16) -> SocketAddr {
    SocketAddr::new(std::net::IpAddr::V4(Ipv4Addr::LOCALHOST), port)
}

/// Makes a folder and those above it.
fn make_folder(path: &Path) -> Result<(), Failure> {
    fs::create_dir_all(path).map_err(crate::failure::file("make", path))
}
