//! The command line.

use std::path::PathBuf;

use clap::{Args, Parser, Subcommand};
use etibar_wallet::{EntryId, Language, PersonId};

use crate::{bench, sample::PEOPLE, tour};

/// The default data folder of `etibar up`, below the current one.
pub(crate) const DATA_FOLDER: &str = "data";

/// A shared ledger for instant payments between the banks of one country.
#[derive(Debug, Parser)]
#[command(version, arg_required_else_help = true)]
pub(crate) struct Cli {
    /// What to do.
    #[command(subcommand)]
    pub(crate) command: Command,
}

/// One command for each role and each check.
#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Start the sample country on this machine: four validators, the operator, ten banks, fifteen
    /// agencies, a synthetic population and a wallet for it.
    Up(UpArguments),
    /// Watch a sample network do what it is for, and check every step.
    Tour(tour::TourArguments),
    /// Run a validator.
    Validator(RoleArguments),
    /// Run a member's edge: payments gateway, a bank's identification, the operator's console.
    Edge(RoleArguments),
    /// Run a state agency: register, credentials, data under consent.
    Agency(RoleArguments),
    /// Run the hosted wallet.
    Wallet(RoleArguments),
    /// Hold credentials by script: the wallet's own code without a browser, for tests and
    /// developers. Every act prints one JSON document.
    Holder(HolderArguments),
    /// Check receipts.
    #[command(subcommand)]
    Receipt(ReceiptCommand),
    /// Check ISO 20022 messages.
    #[command(subcommand)]
    Iso(IsoCommand),
    /// Measure how many payments per second a network settles.
    #[command(subcommand)]
    Bench(bench::BenchCommand),
    /// Make, show and certify the key with which a bank or an agency issues.
    #[command(subcommand)]
    Key(KeyCommand),
    /// Look at a network's genesis.
    #[command(subcommand)]
    Genesis(GenesisCommand),
}

/// How to start the sample network.
#[derive(Debug, Args)]
pub(crate) struct UpArguments {
    /// Where the network lives; made if it is not there.
    #[arg(long, value_name = "DIR", default_value = DATA_FOLDER)]
    pub(crate) data: PathBuf,
    /// How many synthetic people live in a new country; one that is there keeps its people.
    #[arg(long, value_name = "N", default_value_t = PEOPLE)]
    pub(crate) population: usize,
    /// Print one line of JSON when the network is ready, and nothing else.
    #[arg(long)]
    pub(crate) json: bool,
}

/// How to run one role.
#[derive(Debug, Args)]
pub(crate) struct RoleArguments {
    /// The configuration file.
    #[arg(long, value_name = "FILE")]
    pub(crate) config: PathBuf,
    /// Stop when the standard input ends, as it does when the process that started this one ends.
    #[arg(long, hide = true)]
    pub(crate) under_parent: bool,
}

/// Whose wallet a script uses, and for what.
#[derive(Debug, Args)]
pub(crate) struct HolderArguments {
    /// A wallet's configuration: which network, through which member.
    #[arg(long, value_name = "FILE", default_value = "data/wallet/wallet.toml")]
    pub(crate) config: PathBuf,
    /// Where the script's wallet lives; made if it is not there. Never the hosted wallet's folder.
    #[arg(long, value_name = "DIR", default_value = "data/holder")]
    pub(crate) store: PathBuf,
    /// The language of what people would read.
    #[arg(long, value_name = "az|en|ru", default_value = "en", value_parser = language)]
    pub(crate) language: Language,
    /// What to do.
    #[command(subcommand)]
    pub(crate) act: HolderAct,
}

/// What a script does with a wallet.
#[derive(Debug, Subcommand)]
pub(crate) enum HolderAct {
    /// Enrol a person at the registrar: the wallet's new person with its identity.
    Enrol {
        /// The personal number (FIN).
        #[arg(long)]
        fin: String,
        /// The identity document's series and number.
        #[arg(long)]
        document: String,
        /// Of a minor, the guardian's personal number.
        #[arg(long)]
        guardian: Option<String>,
    },
    /// Show accounts, credentials, consents and what waits.
    Show(Whose),
    /// Fetch a credential by its type's short name, such as `employment`.
    Fetch {
        #[command(flatten)]
        whose: Whose,
        /// The short name.
        name: String,
    },
    /// Ask a bank for a product: what the screen shows before the person decides.
    Ask {
        #[command(flatten)]
        whose: Whose,
        /// The bank's member number.
        bank: u32,
        /// The product.
        #[arg(default_value = "current_account")]
        product: String,
    },
    /// Take a request by its link (`openid4vp://…`): what the screen shows.
    Request {
        #[command(flatten)]
        whose: Whose,
        /// The link.
        link: String,
    },
    /// Approve a request: present, consent, and wait for what comes of it. Approved again, it tells
    /// what came of it.
    Approve {
        #[command(flatten)]
        whose: Whose,
        /// The request.
        request: EntryId,
    },
    /// Decline a request.
    Decline {
        #[command(flatten)]
        whose: Whose,
        /// The request.
        request: EntryId,
    },
    /// Withdraw a consent.
    Revoke {
        #[command(flatten)]
        whose: Whose,
        /// The consent.
        consent: EntryId,
    },
    /// Have the data under a consent erased.
    Erase {
        #[command(flatten)]
        whose: Whose,
        /// The consent.
        consent: EntryId,
    },
    /// Who saw the data, each line verified; ends with failure if one is missing or altered.
    Accesses(Whose),
}

/// A person of the wallet.
#[derive(Debug, Clone, Copy, Args)]
pub(crate) struct Whose {
    /// The person, as `enrol` named it.
    #[arg(long, value_name = "ID")]
    pub(crate) person: PersonId,
}

fn language(text: &str) -> Result<Language, &'static str> {
    Language::ALL.into_iter().find(|its| its.tag() == text).ok_or("one of az, en, ru")
}

/// What to do with a genesis.
#[derive(Debug, Subcommand)]
pub(crate) enum GenesisCommand {
    /// Check a genesis and print the network's id, its validators, members and money.
    Show {
        /// The genesis file.
        #[arg(value_name = "GENESIS", default_value = "data/genesis.json")]
        file: PathBuf,
    },
}

/// What to do with an issuer's key.
#[derive(Debug, Subcommand)]
pub(crate) enum KeyCommand {
    /// Make the key that the configuration names, with an authority of the member's own, and print
    /// what the operator registers on the ledger.
    Create {
        /// The agency's or the bank's configuration file.
        #[arg(long, value_name = "FILE")]
        config: PathBuf,
    },
    /// Open the key, let it sign, and print its certificates' fingerprints.
    Show {
        /// The agency's or the bank's configuration file.
        #[arg(long, value_name = "FILE")]
        config: PathBuf,
    },
    /// Print a certification request (PKCS#10) over a key in a token, which is made if it is not
    /// there: for a member with an authority outside.
    Request {
        /// The agency's or the bank's configuration file.
        #[arg(long, value_name = "FILE")]
        config: PathBuf,
    },
}

/// What to do with a receipt.
#[derive(Debug, Subcommand)]
pub(crate) enum ReceiptCommand {
    /// Check a receipt without any network, and print what it proves.
    Verify {
        /// The receipt file.
        #[arg(value_name = "FILE")]
        file: PathBuf,
        /// The genesis of the network that gave it: all that has to be trusted.
        #[arg(long, value_name = "GENESIS")]
        genesis: PathBuf,
    },
}

/// What to do with messages.
#[derive(Debug, Subcommand)]
pub(crate) enum IsoCommand {
    /// Check files against their schemas; ends with failure when one part is not valid.
    Validate {
        /// The files.
        #[arg(value_name = "FILE", required = true)]
        files: Vec<PathBuf>,
    },
}
