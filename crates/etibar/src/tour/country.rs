//! The people of the tour: synthetic ones, each with a wallet of its own in this process, who deal
//! with the members over HTTP as any wallet does.

use std::{
    cell::{Cell, RefCell},
    fs,
    sync::Arc,
    time::{Duration, Instant},
};

use etibar_agency::{
    config::RegisterConfig,
    population::{Person, Plan, Population},
};
use etibar_openid::{
    Private,
    member::{RegisterChange, RegisterChanged, ReleaseDecided, ReleaseDecision, ReleasesWaiting},
};
use etibar_primitives::{Digest, MemberId, OperationId};
use etibar_vault::key::FileKey;
use etibar_wallet::{
    EntryId, Holder, Language, Method, Methods, NewPerson, Wallet, WalletError, WalletSetup,
    config::MemberAddress, screen::Obstacle,
};
use serde::{Deserialize, de::DeserializeOwned};
use serde_json::{Value, json};
use tempfile::TempDir;

use super::stage::{Stage, millis};
use crate::{
    config::read_agency,
    failure::{self, Failure},
    sample::{AGENCIES, SampleMember, WALLET_OPERATOR, random_bytes},
};

/// How long one request may take.
const TIMEOUT: Duration = Duration::from_secs(25);
/// How long a bank is asked to hold the answer about a session, in milliseconds.
const SESSION_WAIT_MS: u64 = 10_000;
/// How long a session may take to end, over a restart of its bank.
const SESSION_PATIENCE: Duration = Duration::from_secs(45);
/// The pause before a bank that does not answer is asked again.
const AGAIN_PAUSE: Duration = Duration::from_millis(100);

/// Everything the identity chapters share.
pub(crate) struct Country {
    wallet: Wallet,
    population: Population,
    http: reqwest::Client,
    /// The population's places of those who were enrolled here.
    enrolled: RefCell<Vec<usize>>,
    /// Account and telephone numbers that came up.
    numbers: RefCell<Vec<String>>,
    next: Cell<usize>,
    /// What a wallet over the same storage is opened with.
    client: etibar_client::Client,
    members: Vec<MemberAddress>,
    master: Arc<FileKey>,
    folder: TempDir,
}

/// Somebody with a wallet.
#[derive(Clone)]
pub(crate) struct Citizen {
    /// The place in the population.
    pub(crate) index: usize,
    /// The person's side of the wallet.
    pub(crate) holder: Holder,
}

/// A bank's session as it answers.
#[derive(Debug, Clone, Deserialize)]
pub(crate) struct Session {
    pub(crate) state: String,
    pub(crate) is_final: bool,
    #[serde(default)]
    pub(crate) reasons: Vec<String>,
    #[serde(default)]
    pub(crate) iban: Option<Private<String>>,
    #[serde(default)]
    pub(crate) consents: Vec<Given>,
    #[serde(default)]
    pub(crate) reused_from: Option<MemberId>,
}

/// A consent as the bank gives it back.
#[derive(Debug, Clone, Deserialize)]
pub(crate) struct Given {
    pub(crate) provider: MemberId,
    pub(crate) rel: Digest,
    pub(crate) granted_by: OperationId,
}

/// What came of asking for a product.
pub(crate) struct Opened {
    /// The bank's session at its end.
    pub(crate) session: Session,
    /// From the person's request to the end, in milliseconds: machine time, for nobody reads.
    pub(crate) took_ms: u64,
    /// The sources that the one screen named.
    pub(crate) sources: Vec<String>,
}

/// What a bank's staff sees of changes that reach it.
#[derive(Debug, Clone, Copy, Deserialize)]
pub(crate) struct Lag {
    pub(crate) count: u64,
    pub(crate) last_ms: u64,
}

#[derive(Deserialize)]
struct Created {
    id: String,
    request_uri: String,
}

#[derive(Deserialize)]
struct Staff {
    lag: Lag,
}

impl Country {
    /// The people of the network's agencies.
    pub(crate) async fn open(stage: &Stage) -> Result<Self, Failure> {
        let population = Population::generate(plan(stage)?);
        let folder = tempfile::tempdir();
        let folder = folder.map_err(failure::system("cannot make a temporary folder"))?;
        let ports = &stage.sample.ports;
        let banks = ports.edges.iter().filter(|its| its.member != MemberId(1));
        let address =
            |member: MemberId| MemberAddress { member, url: stage.sample.edge_url(member) };
        let members: Vec<_> = banks.chain(&ports.agencies).map(|its| address(its.member)).collect();
        let client = stage.client(WALLET_OPERATOR)?;
        let master = Arc::new(FileKey::new(random_bytes()));
        let setup = setup(&folder, &client, &members, &master);
        let wallet = Wallet::start(setup).await;
        let wallet = wallet.map_err(|error| failed("start a wallet", error.to_string()))?;
        let http = reqwest::Client::builder().timeout(TIMEOUT).build();
        Ok(Self {
            wallet,
            population,
            http: http.expect("a client without TLS needs nothing of the system"),
            enrolled: RefCell::default(),
            numbers: RefCell::default(),
            next: Cell::new(0),
            client,
            members,
            master,
            folder,
        })
    }

    /// Somebody of the population.
    pub(crate) fn person(&self, index: usize) -> &Person {
        &self.population.people()[index]
    }

    /// Everybody.
    pub(crate) const fn population(&self) -> &Population {
        &self.population
    }

    /// The scripted wallet.
    pub(crate) const fn wallet(&self) -> &Wallet {
        &self.wallet
    }

    /// The person as after a kill of the wallet: another one over the same storage, which knows
    /// nothing but what was written down.
    pub(crate) async fn after_kill(&self, citizen: &Citizen) -> Result<Citizen, Failure> {
        let setup = setup(&self.folder, &self.client, &self.members, &self.master);
        let wallet = Wallet::start(setup).await;
        let wallet = wallet.map_err(|error| failed("start a wallet", error.to_string()))?;
        let holder = wallet.holder(citizen.holder.person()).await;
        let holder = holder.map_err(broken("open a wallet again"))?;
        Ok(Citizen { index: citizen.index, holder })
    }

    /// The places of those who were enrolled, and the numbers that came up.
    pub(crate) fn known(&self) -> (Vec<usize>, Vec<String>) {
        (self.enrolled.borrow().clone(), self.numbers.borrow().clone())
    }

    /// What a person tells the registrar.
    pub(crate) fn application(&self, index: usize) -> NewPerson {
        let person = self.person(index);
        NewPerson {
            fin: person.fin.expose().to_owned(),
            document: person.document_number.clone(),
            methods: Methods::of(&[Method::StrongAuthentication, Method::Photo, Method::Video]),
            guardian: None,
            language: Language::En,
        }
    }

    /// Enrols the next ordinary adult with a job who has no wallet yet.
    pub(crate) async fn enrol(&self) -> Result<Citizen, Failure> {
        self.enrol_one(|population, index| population.people()[index].job.is_some()).await
    }

    /// Enrols the next ordinary adult whom `fits` accepts and who has no wallet yet.
    pub(crate) async fn enrol_one(
        &self,
        fits: impl Fn(&Population, usize) -> bool,
    ) -> Result<Citizen, Failure> {
        let soon = self.population.reference().plus_days(60);
        for index in self.next.get()..self.population.people().len() {
            let person = self.person(index);
            let ordinary = person.is_citizen()
                && person.died.is_none()
                && person.is_adult(self.population.reference())
                && person.document_expiry > soon
                && fits(&self.population, index);
            if !ordinary || self.enrolled.borrow().contains(&index) {
                continue;
            }
            match self.wallet.enrol(&self.application(index)).await {
                Ok(holder) => {
                    self.enrolled.borrow_mut().push(index);
                    return Ok(Citizen { index, holder });
                }
                // A network that was visited before: this person has a wallet already.
                Err(error) if error.code() == "already_enrolled" => self.next.set(index + 1),
                Err(error) => return Err(broken("enrol a person")(error)),
            }
        }
        Err(failed("enrol a person", "everybody has a wallet already".to_owned()))
    }

    /// Enrols a minor, whose guardian is seen.
    pub(crate) async fn enrol_child(
        &self,
        child: usize,
        guardian: &Citizen,
    ) -> Result<Citizen, Failure> {
        let guardian = Some(self.person(guardian.index).fin.expose().to_owned());
        let application = NewPerson { guardian, ..self.application(child) };
        let holder = self.wallet.enrol(&application).await.map_err(broken("enrol a child"))?;
        self.enrolled.borrow_mut().push(child);
        Ok(Citizen { index: child, holder })
    }

    /// A session at a bank, made by the bank's own channel, which knows the telephone number: its
    /// id and the link for the wallet.
    pub(crate) async fn session(
        &self,
        stage: &Stage,
        bank: &SampleMember,
        product: &str,
        phone: Option<&str>,
    ) -> Result<(String, String), Failure> {
        let url = format!("{}/v1/onboarding/sessions", stage.sample.edge_url(bank.member_id()));
        let mut body = json!({ "product": product, "language": "en" });
        if let Some(phone) = phone {
            self.numbers.borrow_mut().push(phone.to_owned());
            body["phone"] = Value::from(phone);
        }
        let request = self.http.post(url).json(&body);
        let created: Created = answer("begin a session at a bank", request).await?;
        Ok((created.id, created.request_uri))
    }

    /// A session once it will not move any more; a bank that does not answer is asked again.
    pub(crate) async fn ended(
        &self,
        stage: &Stage,
        bank: &SampleMember,
        id: &str,
    ) -> Result<Session, Failure> {
        let base = stage.sample.edge_url(bank.member_id());
        let url = format!("{base}/v1/onboarding/sessions/{id}?wait_ms={SESSION_WAIT_MS}");
        let began = Instant::now();
        loop {
            match answer::<Session>("ask for a session", self.http.get(&url)).await {
                Ok(session) if session.is_final || began.elapsed() > SESSION_PATIENCE => {
                    if let Some(Private(iban)) = &session.iban {
                        self.numbers.borrow_mut().push(iban.clone());
                    }
                    return Ok(session);
                }
                Err(failure) if began.elapsed() > SESSION_PATIENCE => return Err(failure),
                Ok(_) => {}
                Err(_) => tokio::time::sleep(AGAIN_PAUSE).await,
            }
        }
    }

    /// Takes a request to the wallet and approves its one screen; gives what the screen named.
    pub(crate) async fn approve(
        &self,
        citizen: &Citizen,
        link: &str,
    ) -> Result<(EntryId, Vec<String>), WalletError> {
        let holder = &citizen.holder;
        let request = holder.open_request(link).await?;
        let screen = holder.consent_screen(request, Language::En).await?;
        if let Some(Obstacle::CoolingDown { until }) = &screen.obstacle {
            return Err(WalletError::CoolingDown(until.0));
        }
        holder.approve(request, &self.wallet.scripted()?).await?;
        let named =
            |source: &etibar_wallet::view::Source| format!("{} from {}", source.title, source.from);
        Ok((request, screen.sources.iter().map(named).collect()))
    }

    /// Asks for a product and gives what came of it, with the bank's own credential in the wallet.
    pub(crate) async fn apply(
        &self,
        stage: &Stage,
        citizen: &Citizen,
        bank: &SampleMember,
        product: &str,
        phone: Option<&str>,
    ) -> Result<Opened, Failure> {
        let began = Instant::now();
        let (id, link) = self.session(stage, bank, product, phone).await?;
        let approved = self.approve(citizen, &link).await;
        let (_, sources) = approved.map_err(broken("present to a bank"))?;
        let session = self.ended(stage, bank, &id).await?;
        let took_ms = millis(began);
        Ok(Opened { session, took_ms, sources })
    }

    /// Has a clerk of an agency change its register.
    pub(crate) async fn change(
        &self,
        stage: &Stage,
        agency: &SampleMember,
        change: &RegisterChange,
    ) -> Result<RegisterChanged, Failure> {
        let token = secret(stage, agency, "clerk-1.token")?;
        let base = stage.sample.edge_url(agency.member_id());
        let request = self.http.post(format!("{base}/v1/register/changes"));
        answer("change a register", request.bearer_auth(token).json(change)).await
    }

    /// What waits for an agency's clerk.
    pub(crate) async fn releases(
        &self,
        stage: &Stage,
        agency: &SampleMember,
    ) -> Result<ReleasesWaiting, Failure> {
        let token = secret(stage, agency, "clerk-1.token")?;
        let base = stage.sample.edge_url(agency.member_id());
        let request = self.http.get(format!("{base}/v1/register/releases"));
        answer("look at what waits for a clerk", request.bearer_auth(token)).await
    }

    /// Has a clerk of an agency release a credential.
    pub(crate) async fn release(
        &self,
        stage: &Stage,
        agency: &SampleMember,
        id: OperationId,
    ) -> Result<ReleaseDecided, Failure> {
        let token = secret(stage, agency, "clerk-1.token")?;
        let base = stage.sample.edge_url(agency.member_id());
        let request = self.http.post(format!("{base}/v1/register/releases/{id}"));
        let decision = ReleaseDecision { release: true };
        answer("release a credential", request.bearer_auth(token).json(&decision)).await
    }

    /// How late changes reach a bank, as its staff sees it.
    pub(crate) async fn lag(&self, stage: &Stage, bank: &SampleMember) -> Result<Lag, Failure> {
        let token = secret(stage, bank, "staff-officer.token")?;
        let base = stage.sample.edge_url(bank.member_id());
        let request = self.http.get(format!("{base}/v1/onboarding/staff")).bearer_auth(token);
        let staff: Staff = answer("look at what the staff sees", request).await?;
        Ok(staff.lag)
    }

    /// What a member tells anybody about itself at `path`.
    pub(crate) async fn text(&self, url: String) -> Result<String, Failure> {
        let read = async { self.http.get(url).send().await?.error_for_status()?.text().await };
        read.await.map_err(|error| failed("read a page", error.to_string()))
    }

    /// One gauge of a member's metrics; 0 when it is not there.
    pub(crate) async fn gauge(
        &self,
        stage: &Stage,
        member: &SampleMember,
        name: &str,
    ) -> Result<u64, Failure> {
        let base = stage.sample.edge_url(member.member_id());
        let text = self.text(format!("{base}/metrics")).await?;
        let value = text.lines().find_map(|line| line.strip_prefix(name)?.trim().parse().ok());
        Ok(value.unwrap_or(0))
    }

    /// Posts as a member that shows its token; the status and the problem's code.
    pub(crate) async fn post_as(
        &self,
        token: &str,
        url: String,
        body: &Value,
    ) -> Result<(u16, String), Failure> {
        let sent = self.http.post(url).bearer_auth(token).json(body).send().await;
        let sent = sent.map_err(|error| failed("ask a member", error.to_string()))?;
        let status = sent.status().as_u16();
        let problem: Value = sent.json().await.unwrap_or_default();
        Ok((status, problem["code"].as_str().unwrap_or_default().to_owned()))
    }
}

fn setup(
    folder: &TempDir,
    client: &etibar_client::Client,
    members: &[MemberAddress],
    master: &Arc<FileKey>,
) -> WalletSetup {
    WalletSetup {
        store: folder.path().join("wallet"),
        master: Arc::<FileKey>::clone(master),
        client: client.clone(),
        members: members.to_vec(),
        registrar: AGENCIES[0].member_id(),
        origin: None,
    }
}

/// The plan from which the agencies filled their registers.
fn plan(stage: &Stage) -> Result<Plan, Failure> {
    let config = read_agency(&stage.sample.agency_config(AGENCIES[0].member_id()))?;
    let (RegisterConfig::Csv { sample, .. } | RegisterConfig::Sql { sample, .. }) = config.register;
    let sample = sample.ok_or_else(|| {
        failed("know the people", "the registers hold no synthetic population".to_owned())
    })?;
    Ok(Plan { seed: sample.seed, people: sample.people, reference: sample.reference })
}

/// A token in a member's folder.
fn secret(stage: &Stage, member: &SampleMember, name: &str) -> Result<String, Failure> {
    let path = stage.sample.member_folder(member.member_id()).join(name);
    let text = fs::read_to_string(&path).map_err(failure::file("read", path))?;
    Ok(text.trim().to_owned())
}

async fn answer<T: DeserializeOwned>(
    what: &'static str,
    request: reqwest::RequestBuilder,
) -> Result<T, Failure> {
    let sent = request.send().await.map_err(|error| failed(what, error.to_string()))?;
    let status = sent.status();
    if !status.is_success() {
        let said = sent.text().await.unwrap_or_default();
        return Err(failed(what, format!("it answered {status}: {said}")));
    }
    sent.json().await.map_err(|error| failed(what, error.to_string()))
}

pub(crate) fn failed(what: &'static str, why: String) -> Failure {
    Failure::Network { what, why }
}

/// A wallet's refusal as the end of a chapter.
pub(crate) fn broken(what: &'static str) -> impl FnOnce(WalletError) -> Failure {
    move |error| failed(what, format!("{error} ({})", error.code()))
}
