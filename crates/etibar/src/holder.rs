//! `etibar holder`: a wallet without a browser. A script asks, looks at what a screen would show,
//! and approves; everything else is the wallet's own code.

use std::process::ExitCode;

use etibar_credential::level::{Method, Methods};
use etibar_primitives::MemberId;
use etibar_wallet::{
    EntryId, Holder, Language, NewPerson, Wallet, WalletError, open_scripted, type_named,
    view::{AccessLine, ConsentView, CredentialView},
};
use serde_json::{Value, json};

use crate::{
    cli::{HolderAct, HolderArguments, Whose},
    config::read_wallet,
    failure::Failure,
    roles::{claim, runtime},
};

impl From<WalletError> for Failure {
    fn from(error: WalletError) -> Self {
        Self::Wallet { code: error.code().to_owned(), why: error.to_string() }
    }
}

/// Does one act and prints what came of it as JSON.
pub(crate) fn run(arguments: &HolderArguments) -> Result<ExitCode, Failure> {
    let config = read_wallet(&arguments.config)?;
    if arguments.store == config.store {
        let why = format!("{} is the hosted wallet's folder", config.store.display());
        return Err(Failure::Wallet { code: "store_hosted".to_owned(), why });
    }
    let folder = arguments.store.parent().unwrap_or(&arguments.store);
    std::fs::create_dir_all(folder).map_err(crate::failure::file("create", folder))?;
    let _store = claim(&arguments.store)?;
    runtime(1)?.block_on(async {
        let opened = open_scripted(&config, &arguments.store).await;
        let wallet =
            opened.map_err(|error| Failure::Role { role: "wallet", why: error.to_string() })?;
        let script = Script { wallet, language: arguments.language };
        let done = script.act(&arguments.act).await;
        script.wallet.close().await;
        let (answer, code) = done?;
        println!("{answer:#}");
        Ok(code)
    })
}

/// A wallet in a script's hands.
struct Script {
    wallet: Wallet,
    language: Language,
}

impl Script {
    async fn act(&self, act: &HolderAct) -> Result<(Value, ExitCode), Failure> {
        let answer = match act {
            HolderAct::Enrol { fin, document, guardian } => {
                self.enrol(fin, document, guardian.clone()).await?
            }
            HolderAct::Show(whose) => self.show(*whose).await?,
            HolderAct::Fetch { whose, name } => {
                let vct = type_named(name).ok_or_else(|| Failure::Wallet {
                    code: "type_unknown".to_owned(),
                    why: format!("no credential type is called {name:?}"),
                })?;
                let gesture = self.wallet.scripted()?;
                let id = self.holder(*whose).await?.add_credential(vct, &gesture).await?;
                json!({ "credential": id })
            }
            HolderAct::Ask { whose, bank, product } => {
                let holder = self.holder(*whose).await?;
                let asked = holder.open_account(MemberId(*bank), product, self.language).await?;
                self.screen(&holder, asked).await?
            }
            HolderAct::Request { whose, link } => {
                let holder = self.holder(*whose).await?;
                let taken = holder.open_request(link).await?;
                self.screen(&holder, taken).await?
            }
            HolderAct::Approve { whose, request } => self.approve(*whose, *request).await?,
            HolderAct::Decline { whose, request } => {
                self.holder(*whose).await?.decline(*request).await?;
                json!({ "declined": request })
            }
            HolderAct::Revoke { whose, consent } => {
                let holder = self.holder(*whose).await?;
                holder.revoke(*consent, &self.wallet.scripted()?).await?;
                self.consent(&holder, *consent).await?
            }
            HolderAct::Erase { whose, consent } => {
                let holder = self.holder(*whose).await?;
                holder.erase(*consent, &self.wallet.scripted()?).await?;
                self.consent(&holder, *consent).await?
            }
            HolderAct::Accesses(whose) => return self.accesses(*whose).await,
        };
        Ok((answer, ExitCode::SUCCESS))
    }

    async fn holder(&self, whose: Whose) -> Result<Holder, WalletError> {
        self.wallet.holder(whose.person).await
    }

    async fn enrol(
        &self,
        fin: &str,
        document: &str,
        guardian: Option<String>,
    ) -> Result<Value, WalletError> {
        let person = NewPerson {
            fin: fin.to_owned(),
            document: document.to_owned(),
            methods: Methods::of(&[Method::StrongAuthentication, Method::Photo, Method::Video]),
            guardian,
            language: self.language,
        };
        let holder = self.wallet.enrol(&person).await?;
        Ok(json!({ "person": holder.person() }))
    }

    async fn show(&self, whose: Whose) -> Result<Value, WalletError> {
        let holder = self.holder(whose).await?;
        let home = holder.home(self.language).await?;
        let credentials = holder.credentials(self.language).await?;
        let consents = holder.consents(self.language).await?;
        Ok(json!({
            "level": home.card.map(|card| card.level),
            "waits": home.inbox,
            "accounts": home.accounts,
            "credentials": credentials.iter().map(credential).collect::<Vec<_>>(),
            "consents": consents.iter().map(consent).collect::<Vec<_>>(),
        }))
    }

    async fn screen(&self, holder: &Holder, request: EntryId) -> Result<Value, WalletError> {
        let screen = holder.consent_screen(request, self.language).await?;
        Ok(serde_json::to_value(screen).expect("a screen is plain data"))
    }

    async fn approve(&self, whose: Whose, request: EntryId) -> Result<Value, WalletError> {
        let holder = self.holder(whose).await?;
        let outcome = if holder.is_answered(request).await? {
            holder.outcome(request).await?.0
        } else {
            holder.approve(request, &self.wallet.scripted()?).await?
        };
        Ok(serde_json::to_value(outcome).expect("an outcome is plain data"))
    }

    async fn consent(&self, holder: &Holder, id: EntryId) -> Result<Value, WalletError> {
        let consents = holder.consents(self.language).await?;
        let found = consents.iter().find(|its| its.id == id);
        Ok(consent(found.ok_or(WalletError::EntryUnknown)?))
    }

    async fn accesses(&self, whose: Whose) -> Result<(Value, ExitCode), Failure> {
        let holder = self.holder(whose).await?;
        let log = holder.accesses(&self.wallet.scripted()?, self.language).await?;
        let bad = log.lines.iter().any(|line| line.verdict.is_bad());
        let answer = json!({
            "accesses": log.lines.iter().map(access).collect::<Vec<_>>(),
            "silent": log.silent,
            "whole": !bad,
        });
        Ok((answer, if bad { ExitCode::FAILURE } else { ExitCode::SUCCESS }))
    }
}

fn credential(its: &CredentialView) -> Value {
    json!({
        "id": its.id,
        "type": its.vct,
        "title": its.title,
        "issuer": its.issuer,
        "state": its.state,
        "expires": its.expires,
        "instances_left": its.instances_left,
        "claims": its.claims,
    })
}

fn consent(its: &ConsentView) -> Value {
    json!({
        "id": its.id,
        "who": its.who,
        "member": its.member,
        "purpose": its.purpose,
        "granted": its.granted,
        "expires": its.expires,
        "state": its.state,
        "erased": its.erased,
        "proofs": its.proofs,
    })
}

fn access(its: &AccessLine) -> Value {
    json!({
        "at": its.at,
        "who": its.who,
        "from": its.from,
        "action": its.action,
        "claims": its.claims,
        "purpose": its.purpose,
        "verdict": its.verdict,
    })
}
