//! `etibar key`: making, showing and certifying the key with which a member issues.

use std::{path::Path, process::ExitCode};

use etibar_client::clock;
use etibar_credential::x509::{VerifiedChain, verify_chain};
use etibar_keystore::{IssuerKey, KeyConfig, KeyFault, Owner};

use crate::{
    cli::KeyCommand,
    config::{EdgeFile, read_agency, read_toml},
    failure::Failure,
    genesis,
};

/// Whose key, and where.
struct Named {
    config: KeyConfig,
    name: String,
    base_url: String,
}

/// Does what `command` says with the key that a configuration names.
pub(crate) fn run(command: &KeyCommand) -> Result<ExitCode, Failure> {
    let (KeyCommand::Create { config }
    | KeyCommand::Show { config }
    | KeyCommand::Request { config }) = command;
    let named = Named::read(config)?;
    let owner = Owner { name: &named.name, base_url: &named.base_url };
    let now = clock::now();
    match command {
        KeyCommand::Create { .. } => {
            print(&named, &etibar_keystore::create(&named.config, &owner, now)?)?;
        }
        KeyCommand::Show { .. } => {
            print(&named, &IssuerKey::open(&named.config, &owner, now)?)?;
        }
        KeyCommand::Request { .. } => {
            print!("{}", etibar_keystore::request(&named.config, &owner)?);
        }
    }
    Ok(ExitCode::SUCCESS)
}

impl Named {
    /// From an agency's or a bank's configuration.
    fn read(path: &Path) -> Result<Self, Failure> {
        let table: toml::Table = read_toml(path, "configuration")?;
        if table.contains_key("register") {
            let config = read_agency(path)?;
            let genesis = genesis::read(&config.genesis)?;
            let own = genesis.members.into_iter().find(|its| its.id == config.member);
            let why = format!("the genesis has no member {}", config.member);
            let own = own.ok_or(Failure::Form { path: path.into(), what: "configuration", why })?;
            return Ok(Self { config: config.issuer, name: own.name, base_url: config.base_url });
        }
        let why = "it has neither a section `register` nor one `onboarding`".to_owned();
        let none = Failure::Form { path: path.into(), what: "issuer's configuration", why };
        if !table.contains_key("onboarding") {
            return Err(none);
        }
        let onboarding = EdgeFile::read(path)?.onboarding.ok_or(none)?;
        let base_url = onboarding.base_url.trim_end_matches('/').to_owned();
        Ok(Self { config: onboarding.issuer, name: onboarding.name, base_url })
    }
}

fn print(named: &Named, key: &IssuerKey) -> Result<(), Failure> {
    let chain: VerifiedChain =
        verify_chain(key.signer.chain(), clock::now().into()).map_err(KeyFault::Chain)?;
    println!("issuer      {} ({})", named.base_url, named.name);
    match &named.config {
        KeyConfig::Folder { folder } => println!("kept in     folder {}", folder.display()),
        KeyConfig::Pkcs11(its) => {
            println!("kept in     token {}, key {}", its.token, its.key);
            println!("module      {}", its.module.display());
            println!("chain       {}", its.chain.display());
        }
    }
    println!("leaf        {}", etibar_primitives::Digest(chain.leaf_digest));
    println!("authority   {} (what the operator registers)", key.authority);
    Ok(())
}
