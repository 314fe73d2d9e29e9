//! What a wallet service is told.

use std::{net::SocketAddr, path::PathBuf};

use etibar_primitives::MemberId;
use serde::{Deserialize, Serialize};

/// The configuration of a wallet service. Paths may be relative to the file it stands in; whoever
/// reads the file makes them absolute.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct WalletConfig {
    /// The member that operates the wallet: it reads the ledger with this member's key.
    pub member: MemberId,
    /// The file with the network's genesis.
    pub genesis: PathBuf,
    /// The file with the seed of the member's Ed25519 key: 64 hexadecimal digits.
    pub key: PathBuf,
    /// The folder of the wallet's database; the wallet's alone.
    pub store: PathBuf,
    /// The file with the key that seals the persons' keys: 64 hexadecimal digits. Not in the same
    /// backup as the store.
    pub master_key: PathBuf,
    /// Where browsers reach it.
    pub listen: SocketAddr,
    /// The origin that browsers see, such as `https://wallet.example` or `http://localhost:8200`:
    /// passkeys are bound to it. Its host is a domain, never an address.
    pub origin: String,
    /// Base URLs of validators, such as `http://127.0.0.1:7001`.
    pub validators: Vec<String>,
    /// The members that issue and ask, with their base URLs.
    pub members: Vec<MemberAddress>,
    /// The member that enrols people: the interior ministry's.
    #[serde(default = "registrar")]
    pub registrar: MemberId,
}

/// Where a member's issuer and verifier are.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct MemberAddress {
    /// Which member.
    pub member: MemberId,
    /// Its base URL, which is also its identifier as an issuer.
    pub url: String,
}

/// The interior ministry's place in the sample country.
const fn registrar() -> MemberId {
    MemberId(12)
}
