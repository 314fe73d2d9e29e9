//! Who this edge is: its keys and the other members'.

use std::{collections::HashMap, sync::Arc};

use etibar_primitives::{MemberId, key::PrivateKey};

use crate::{
    alias::DirectoryKey,
    config::Limits,
    directory::Directory,
    envelope::{Address, SealPrivateKey, SealPublicKey},
    flow::Settings,
};

/// Keys and addresses of an edge.
#[derive(Debug)]
pub struct Setup {
    /// Whose edge.
    pub member: MemberId,
    /// Speaks for the member.
    pub key: Arc<PrivateKey>,
    /// Opens payloads.
    pub seal_key: SealPrivateKey,
    /// The network's members.
    pub directory: Arc<Directory>,
    /// For whom payloads are sealed how.
    pub peers: HashMap<MemberId, SealPublicKey>,
    /// Who gets a sealed copy of every payment.
    pub supervisor: Option<MemberId>,
    /// The key of the alias directory.
    pub directory_key: DirectoryKey,
    /// Time limits and sizes.
    pub limits: Limits,
}

impl Setup {
    /// An envelope's address from here to `recipient`.
    pub fn address(&self, recipient: MemberId) -> Address {
        Address { network: *self.directory.network(), sender: self.member, recipient }
    }

    pub(crate) fn settings(&self) -> Settings {
        let own = self.directory.member(self.member);
        Settings {
            member: self.member,
            account: own.and_then(|own| own.account),
            limits: self.limits,
        }
    }
}
