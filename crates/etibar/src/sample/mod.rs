//! The sample network: four validators, the operator and ten banks on one machine.
//!
//! Everything is made at the first start and kept: keys, ports, the genesis. The folder:
//!
//! ```text
//! genesis.json            what all members agree on
//! network.toml            which port is whose
//! validators/1/           validator.toml, key, store/
//! members/02-IBAZAZ2X/    edge.toml, key, seal.key, store/
//! logs/                   one file for each process
//! ```
//!
//! The banks' names and codes are real ones with "(sample)" behind the name; their keys, accounts
//! and customers are invented.

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

pub(crate) use keys::{random_bytes, read_key};
pub(crate) use members::{MEMBERS, SampleMember};
pub(crate) use ports::PortChoice;

/// How many validators the sample network has by default: one of four may fail in any way.
pub(crate) const VALIDATORS: usize = 4;

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
        // The genesis is written last, so a folder without one was never finished.
        if !folder.join("genesis.json").exists() {
            create::create(folder, choice, validators)?;
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

    /// The configuration file of a member's edge.
    pub(crate) fn edge_config(&self, member: MemberId) -> PathBuf {
        let its = MEMBERS.iter().find(|its| its.member_id() == member);
        let its = its.expect("ports are given to the members of the table only");
        member_folder(&self.folder, its).join("edge.toml")
    }

    /// The file with a member's key.
    pub(crate) fn member_key(&self, member: MemberId) -> PathBuf {
        self.edge_config(member).with_file_name("key")
    }

    /// The base address of a member's edge.
    pub(crate) fn edge_url(&self, member: MemberId) -> String {
        let its = self.ports.edges.iter().find(|its| its.member == member);
        let port = its.expect("every member of the genesis has a port").http;
        format!("http://{}", loopback(port))
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
