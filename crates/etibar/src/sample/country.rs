//! The identity side of the sample country: agencies, the banks' identification, the wallet, and
//! what the genesis says of issuers and purposes.

use std::path::{Path, PathBuf};

use etibar_agency::{
    config::{
        AgencyConfig, ClerkConfig, Limits, PeerConfig, RegisterConfig, RegistrarConfig,
        SampleConfig, WalletConfig as KnownWallet,
    },
    date::Date,
    population::{Person, Plan, Population},
};
use etibar_api::console::Watched;
use etibar_credential::catalogue::{self, RELYING_PARTY_TYPE, type_digest};
use etibar_keystore::{IssuerKey, KeyConfig, Owner};
use etibar_ledger::{
    genesis::{GenesisIssuer, GenesisPurpose},
    operation::{AssuranceLevel, MemberRole, PurposeCode, Scope},
};
use etibar_onboarding::{
    EXAMINATION_DAYS, MemberUrl, OnboardingConfig,
    identity::{Identity, Keys},
    staff::{StaffConfig, StaffRole},
};
use etibar_openid::Private;
use etibar_primitives::{BlockTime, Digest, DurationMs, key::PublicKey};
use etibar_wallet::{CLIENT_ID, REDIRECT_URI, WalletConfig, config::MemberAddress};
use serde::Serialize;

use super::{
    AGENCIES, MEMBERS, NetworkFile, SampleMember, WALLET_OPERATOR, create::write, keys, loopback,
    make_folder, member_folder,
};
use crate::{
    config::{ConsoleConfig, render_toml},
    failure::Failure,
};

/// The population is the same from the same seed: all agencies are told the same one.
const SEED: u64 = 2_026;
/// The justice ministry.
const JUSTICE: u32 = 14;
/// How often the sample's agencies anchor receipts: often, so that who looks need not wait.
const ANCHOR: DurationMs = DurationMs(1_000);
/// How long registrations in the genesis are valid: five years.
const REGISTRATION: DurationMs = DurationMs(5 * 365 * 86_400_000);
/// How far before the genesis they are valid: clocks differ.
const BEFORE: DurationMs = DurationMs(86_400_000);
/// People of whom the folder's list tells what to type into a wallet.
const LISTED: usize = 40;
/// A member's folder of its issuer's key.
const ISSUER: &str = "issuer";
/// A bank's file of the key that opens envelopes.
const ENVELOPE_KEY: &str = "envelope.key";
/// Agencies whose register is in files; all others have a database.
const REGISTERS_IN_FILES: [u32; 2] = [21, 26];

/// Who may issue and ask, and who opens envelopes.
pub(super) struct Authority {
    member: SampleMember,
    /// SHA-256 of its certificate.
    certificate: Digest,
    /// Opens data sealed for a bank; agencies are sent none.
    seal_key: Option<String>,
}

/// The certificates of all banks and agencies, made if they are not there.
pub(super) fn authorities(
    folder: &Path,
    ports: &NetworkFile,
    now: BlockTime,
) -> Result<Vec<Authority>, Failure> {
    let failed = |member: &SampleMember, why: String| Failure::Form {
        path: member_folder(folder, member),
        what: "place for certificates",
        why,
    };
    let mut authorities = Vec::new();
    for member in MEMBERS.iter().filter(|member| member.role() == MemberRole::Bank) {
        let (own, url) = (member_folder(folder, member), ports.url(member));
        let (issuer, seal) = (KeyConfig::folder(own.join(ISSUER)), own.join(ENVELOPE_KEY));
        let keys = Keys { issuer: &issuer, seal: &seal };
        let made = Identity::open_or_create(keys, member.member_id(), member.name, &url, now);
        let identity = made.map_err(|error| failed(member, error.to_string()))?;
        authorities.push(Authority {
            member: *member,
            certificate: identity.authority,
            seal_key: Some(identity.seal.public_key().to_hex()),
        });
    }
    for member in &AGENCIES {
        let own = member_folder(folder, member);
        make_folder(&own)?;
        let owner = Owner { name: member.name, base_url: &ports.url(member) };
        let made = IssuerKey::open_or_create(&KeyConfig::folder(own.join(ISSUER)), &owner, now);
        let key = made.map_err(|error| failed(member, error.to_string()))?;
        authorities.push(Authority { member: *member, certificate: key.authority, seal_key: None });
    }
    Ok(authorities)
}

/// Who may issue what, up to which level; every bank and agency may ask.
pub(super) fn issuers(authorities: &[Authority], now: BlockTime) -> Vec<GenesisIssuer> {
    let valid_from = BlockTime(now.0.saturating_sub(BEFORE.0));
    let valid_until = now.saturating_add(REGISTRATION);
    let of = |authority: &Authority| {
        let (member, certificate) = (authority.member.member_id(), authority.certificate);
        // A bank vouches for what it saw of a credential, an agency for its own register.
        let ceiling = match authority.member.role() {
            MemberRole::Agency => AssuranceLevel::High,
            _ => AssuranceLevel::Substantial,
        };
        let types = catalogue::issued_by(member).map(|its| its.vct.as_str());
        let types: Vec<_> = types.chain([RELYING_PARTY_TYPE]).map(type_digest).collect();
        types.into_iter().map(move |credential_type| GenesisIssuer {
            member,
            credential_type,
            certificate,
            ceiling,
            valid_from,
            valid_until,
        })
    };
    authorities.iter().flat_map(of).collect()
}

/// What data may be asked for, as the catalogue says it.
pub(super) fn purposes() -> Vec<GenesisPurpose> {
    let purpose = |its: &catalogue::Purpose| GenesisPurpose {
        code: PurposeCode(its.code.0),
        scope: Scope(its.scope.0),
        duration_max_ms: its.duration_max().0,
        document: its.digest(),
    };
    catalogue::purposes().iter().map(purpose).collect()
}

/// The staff of each sample bank: name, role and the file of the token.
pub(super) const STAFF: [(&str, StaffRole, &str); 2] = [
    ("officer-1", StaffRole::Officer, "staff-officer.token"),
    ("senior-1", StaffRole::Senior, "staff-senior.token"),
];

/// The clerks of each sample agency: name and the file of the token.
const CLERKS: [(&str, &str); 2] = [("clerk-1", "clerk-1.token"), ("clerk-2", "clerk-2.token")];

/// Somebody of the population, as the folder's list tells.
#[derive(Serialize)]
pub(super) struct Listed {
    fin: String,
    document: String,
    /// The labour register has a contract, by which a loan can be assessed.
    works: bool,
    /// The company that this person directs.
    directs: Option<String>,
    /// How many children have this person as their guardian.
    children: usize,
    /// The sample screening of every bank says that this is a politically exposed person.
    exposed: bool,
}

/// What the operator's console watches.
pub(super) fn console(ports: &NetworkFile) -> ConsoleConfig {
    let watched = |its: &SampleMember| Watched {
        member: its.member_id(),
        url: ports.url(its),
        agency: its.role() == MemberRole::Agency,
    };
    ConsoleConfig { members: everybody().map(watched).collect() }
}

/// The identification part of a bank's configuration.
pub(super) fn onboarding(
    member: &SampleMember,
    ports: &NetworkFile,
    people: &[Listed],
) -> OnboardingConfig {
    let others = everybody().filter(|its| its.id != member.id);
    OnboardingConfig {
        name: member.name.to_owned(),
        base_url: ports.url(member),
        vault: PathBuf::from("vault"),
        master_key: PathBuf::from("vault.key"),
        issuer: KeyConfig::folder(ISSUER),
        envelope_key: PathBuf::from(ENVELOPE_KEY),
        products: None,
        members: others
            .map(|its| MemberUrl { member: its.member_id(), url: ports.url(its) })
            .collect(),
        staff: STAFF
            .map(|(name, role, token)| StaffConfig {
                name: name.to_owned(),
                role,
                token: PathBuf::from(token),
            })
            .to_vec(),
        examination_days: EXAMINATION_DAYS,
        sample_sanctions: Vec::new(),
        sample_exposed: people
            .iter()
            .filter(|its| its.exposed)
            .map(|its| Private(its.fin.clone()))
            .collect(),
    }
}

/// Makes the agencies' files: their keys are given back.
pub(super) fn create_agencies(
    folder: &Path,
    ports: &NetworkFile,
    authorities: &[Authority],
    people: usize,
    today: Date,
) -> Result<Vec<PublicKey>, Failure> {
    let mut members = Vec::with_capacity(AGENCIES.len());
    let sample = SampleConfig { seed: SEED, people, reference: today };
    for member in &AGENCIES {
        let own = member_folder(folder, member);
        make_folder(&own)?;
        members.push(keys::read_or_create(&own.join("key"))?.public_key());
        keys::read_or_create(&own.join("store.key"))?;
        for (_, token) in CLERKS {
            keys::read_or_create(&own.join(token))?;
        }
        let file = agency_file(member, ports, authorities, sample);
        if file.registrar.is_some() {
            keys::read_or_create(&own.join("uid.seed"))?;
            keys::read_or_create(&own.join("pairwise.key"))?;
        }
        let comment = "An agency of the sample country: `etibar agency --config` this file.";
        write(&own.join("agency.toml"), &render_toml(comment, &file))?;
    }
    Ok(members)
}

/// Writes down what to type into a wallet: FIN and document number of some invented adults, whether
/// a loan can be assessed by their work, the company that they direct, and how many children they
/// have. The last ones, because the tour begins with the first. One directs a company and one has
/// a child; the last of the list is politically exposed.
pub(super) fn list_people(
    folder: &Path,
    people: usize,
    reference: Date,
) -> Result<Vec<Listed>, Failure> {
    let population = Population::generate(Plan { seed: SEED, people, reference });
    let soon = reference.plus_days(60);
    let ordinary = population.people().iter().enumerate().rev().filter(|(_, person)| {
        let in_force = person.died.is_none() && person.document_expiry > soon;
        in_force && person.is_citizen() && person.is_adult(reference)
    });
    let directed = |index: usize| {
        let mut companies = population.companies().iter();
        companies.find(|company| company.director == index).map(|company| company.name.clone())
    };
    let children = |index: usize| {
        let minor = |its: &&Person| its.died.is_none() && !its.is_adult(reference);
        let people = population.people().iter().filter(minor);
        people.filter(|its| its.guardian == Some(index)).count()
    };
    let director = |(index, _): &(usize, &Person)| directed(*index).is_some();
    let parent =
        |(index, _): &(usize, &Person)| children(*index) == 1 && directed(*index).is_none();
    let listed = |(index, person): (usize, &Person)| Listed {
        fin: person.fin.expose().to_owned(),
        document: person.document_number.clone(),
        works: person.job.is_some(),
        directs: directed(index),
        children: children(index),
        exposed: false,
    };
    let mut others = ordinary.clone().skip(LISTED - 2);
    let directing = others.clone().find(director);
    let caring = others.find(parent);
    let some = ordinary.take(LISTED - 2);
    let first = directing.into_iter().chain(caring);
    let mut list: Vec<_> = first.chain(some).map(listed).collect();
    if let Some(last) = list.last_mut() {
        last.exposed = true;
    }
    let text = serde_json::to_string_pretty(&list).expect("a list of texts becomes JSON");
    write(&folder.join("people.json"), &(text + "\n"))?;
    Ok(list)
}

fn agency_file(
    member: &SampleMember,
    ports: &NetworkFile,
    authorities: &[Authority],
    sample: SampleConfig,
) -> AgencyConfig {
    let sample = Some(sample);
    let register = if REGISTERS_IN_FILES.contains(&member.id) {
        RegisterConfig::Csv { folder: PathBuf::from("register"), sample }
    } else {
        RegisterConfig::Sql { file: PathBuf::from("register/register.sqlite"), sample }
    };
    let peer = |its: &Authority| {
        let seal_key = its.seal_key.clone()?;
        Some(PeerConfig { member: its.member.member_id(), url: ports.url(&its.member), seal_key })
    };
    let registrar = member.id == AGENCIES[0].id;
    AgencyConfig {
        member: member.member_id(),
        genesis: PathBuf::from("../../genesis.json"),
        key: PathBuf::from("key"),
        store_key: PathBuf::from("store.key"),
        issuer: KeyConfig::folder(ISSUER),
        store: PathBuf::from("store"),
        register,
        listen: loopback(ports.http(member)),
        base_url: ports.url(member),
        validators: ports.validator_urls(),
        peers: authorities.iter().filter_map(peer).collect(),
        wallets: vec![KnownWallet {
            client_id: CLIENT_ID.to_owned(),
            redirect_uris: vec![REDIRECT_URI.to_owned()],
        }],
        clerks: CLERKS
            .map(|(name, token)| ClerkConfig { name: name.to_owned(), token: PathBuf::from(token) })
            .to_vec(),
        // Whether a power of attorney still stands, a clerk asks the notary.
        releases: if member.id == JUSTICE { vec!["mandate".to_owned()] } else { Vec::new() },
        registrar: registrar.then(|| RegistrarConfig {
            uid_seed: PathBuf::from("uid.seed"),
            pairwise_key: PathBuf::from("pairwise.key"),
        }),
        limits: Limits { anchor_ms: ANCHOR, ..Limits::default() },
    }
}

/// Makes the hosted wallet's files.
pub(super) fn create_wallet(folder: &Path, ports: &NetworkFile) -> Result<(), Failure> {
    let Some(port) = ports.wallet else { return Ok(()) };
    let own = folder.join("wallet");
    make_folder(&own)?;
    keys::read_or_create(&own.join("master.key"))?;
    let operator = member_folder(Path::new(".."), WALLET_OPERATOR);
    let members = everybody();
    let file = WalletConfig {
        member: WALLET_OPERATOR.member_id(),
        genesis: PathBuf::from("../genesis.json"),
        key: operator.join("key"),
        store: PathBuf::from("store"),
        master_key: PathBuf::from("master.key"),
        listen: loopback(port),
        // Passkeys are bound to a name, never to an address.
        origin: format!("http://localhost:{port}"),
        validators: ports.validator_urls(),
        members: members
            .map(|its| MemberAddress { member: its.member_id(), url: ports.url(its) })
            .collect(),
        registrar: AGENCIES[0].member_id(),
    };
    let comment = "The hosted wallet of the sample country: `etibar wallet --config` this file.";
    write(&own.join("wallet.toml"), &render_toml(comment, &file))
}

/// The banks and the agencies: whom people deal with.
fn everybody() -> impl Iterator<Item = &'static SampleMember> {
    MEMBERS.iter().chain(&AGENCIES).filter(|its| its.role() != MemberRole::Operator)
}
