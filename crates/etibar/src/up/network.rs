//! The processes of a sample network.

use std::{
    ffi::OsString,
    fs::{self, File, TryLockError},
    path::{Path, PathBuf},
    sync::Arc,
    time::Duration,
};

use etibar_primitives::MemberId;
use tokio::time::{Instant, sleep};

use super::Voice;
use crate::{
    failure::{self, Failure},
    process::{ChildSpec, Supervisor, last_line},
    sample::SampleNetwork,
};

/// How long all processes together may take until they serve.
const READY_TIMEOUT: Duration = Duration::from_mins(1);
/// How often a process that does not serve yet is asked again.
const PROBE_PAUSE: Duration = Duration::from_millis(100);
/// How long one question may take.
const PROBE_TIMEOUT: Duration = Duration::from_secs(2);
/// Validators stop after the members that talk to them.
const STOPPED_LAST: &str = "validator";

/// A sample network whose processes run.
pub(crate) struct RunningNetwork {
    sample: SampleNetwork,
    supervisor: Supervisor,
    voice: Arc<Voice>,
    probe: reqwest::Client,
    /// Keeps other programs out of the folder.
    _lock: File,
}

/// The process of validator `index`, from 0.
pub(crate) fn validator_name(index: usize) -> String {
    format!("validator-{}", index + 1)
}

/// The process of a member.
pub(crate) fn edge_name(member: MemberId) -> String {
    format!("edge-{:02}", member.0)
}

/// The process of an agency.
pub(crate) fn agency_name(member: MemberId) -> String {
    format!("agency-{:02}", member.0)
}

/// The process of the hosted wallet.
const WALLET_NAME: &str = "wallet";

/// A process of the network.
struct Process {
    name: String,
    role: &'static str,
    config: PathBuf,
    /// Asked whether it serves.
    probe: String,
}

/// All processes whose ports the network lists, validators first.
fn processes(sample: &SampleNetwork) -> Vec<Process> {
    let ready = |url: String| format!("{url}/readyz");
    let validators = (0..sample.ports.validators.len()).map(|index| Process {
        name: validator_name(index),
        role: "validator",
        config: sample.validator_config(index),
        probe: ready(sample.validator_url(index)),
    });
    let edges = sample.ports.edges.iter().map(|edge| Process {
        name: edge_name(edge.member),
        role: "edge",
        config: sample.edge_config(edge.member),
        probe: ready(sample.edge_url(edge.member)),
    });
    let agencies = sample.ports.agencies.iter().map(|agency| Process {
        name: agency_name(agency.member),
        role: "agency",
        config: sample.agency_config(agency.member),
        probe: ready(sample.edge_url(agency.member)),
    });
    let wallet = sample.wallet_url().map(|url| Process {
        name: WALLET_NAME.to_owned(),
        role: "wallet",
        config: sample.wallet_config(),
        probe: format!("{url}/healthz"),
    });
    validators.chain(edges).chain(agencies).chain(wallet).collect()
}

impl RunningNetwork {
    /// Starts all processes; they do not serve yet. Needs a runtime.
    pub(crate) fn start(sample: SampleNetwork, voice: Arc<Voice>) -> Result<Self, Failure> {
        let run = sample.folder.join("run");
        fs::create_dir_all(&run).map_err(failure::file("make", &run))?;
        let lock = lock(&sample.folder, &run.join("lock"))?;
        let mut supervisor = Supervisor::new(Arc::<Voice>::clone(&voice))?;
        for Process { name, role, config, .. } in processes(&sample) {
            let arguments: Vec<OsString> =
                vec![role.into(), "--under-parent".into(), "--config".into(), config.into()];
            let log = sample.log(&name);
            let pid_file = run.join(format!("{name}.pid"));
            supervisor.start(ChildSpec { name, arguments, log, pid_file });
        }
        let probe = reqwest::Client::builder().timeout(PROBE_TIMEOUT).build();
        let probe = probe.expect("a client without TLS needs nothing of the system");
        Ok(Self { sample, supervisor, voice, probe, _lock: lock })
    }

    /// What the network is made of.
    pub(crate) const fn sample(&self) -> &SampleNetwork {
        &self.sample
    }

    /// Waits until every process serves.
    pub(crate) async fn wait_until_ready(&self) -> Result<(), Failure> {
        let deadline = Instant::now() + READY_TIMEOUT;
        let processes = processes(&self.sample);
        self.voice.begin(u64::try_from(processes.len()).unwrap_or(u64::MAX));
        let waited = self.wait_for_each(&processes, deadline).await;
        self.voice.finish();
        waited
    }

    /// Waits until one process serves.
    pub(crate) async fn wait_for(&self, name: &str) -> Result<(), Failure> {
        let deadline = Instant::now() + READY_TIMEOUT;
        let processes = processes(&self.sample);
        let one = processes.iter().position(|its| its.name == name);
        let index = one.expect("processes are named by this module");
        self.wait_for_each(&processes[index..=index], deadline).await
    }

    async fn wait_for_each(&self, processes: &[Process], deadline: Instant) -> Result<(), Failure> {
        for Process { name, probe, .. } in processes {
            while !self.serves(probe).await {
                if Instant::now() >= deadline {
                    return Err(self.not_ready(name));
                }
                sleep(PROBE_PAUSE).await;
            }
            self.voice.advance(format!("{name} is ready"));
        }
        Ok(())
    }

    async fn serves(&self, url: &str) -> bool {
        let answer = self.probe.get(url).send().await;
        answer.is_ok_and(|answer| answer.status().is_success())
    }

    fn not_ready(&self, name: &str) -> Failure {
        let log = self.sample.log(name);
        let said = last_line(&log).map_or_else(String::new, |line| format!("; it said: {line}"));
        let why = format!("did not become ready in {} s{said}", READY_TIMEOUT.as_secs());
        Failure::Process { name: name.to_owned(), why, log }
    }

    /// Kills a process at once, as a power cut would, and keeps it down.
    pub(crate) async fn take_down(&self, name: &str) {
        self.supervisor.take_down(name).await;
    }

    /// Starts a process again that was taken down.
    pub(crate) async fn bring_up(&self, name: &str) {
        self.supervisor.bring_up(name).await;
    }

    /// The process ids of the validators that run.
    pub(crate) fn validator_processes(&self) -> Vec<u32> {
        self.ids((0..self.sample.ports.validators.len()).map(validator_name))
    }

    /// The process ids of all that run.
    pub(crate) fn process_ids(&self) -> Vec<u32> {
        self.ids(processes(&self.sample).into_iter().map(|its| its.name))
    }

    fn ids(&self, names: impl Iterator<Item = String>) -> Vec<u32> {
        let files = names.map(|name| self.sample.folder.join("run").join(name + ".pid"));
        let read = |file: PathBuf| fs::read_to_string(file).ok()?.trim().parse().ok();
        files.filter_map(read).collect()
    }

    /// Stops all processes in order.
    pub(crate) async fn stop(self) {
        self.supervisor.stop(STOPPED_LAST).await;
    }
}

/// Takes the folder for this process; the system gives it back when the process ends.
fn lock(folder: &Path, path: &PathBuf) -> Result<File, Failure> {
    let file = File::create(path).map_err(failure::file("write", path))?;
    match file.try_lock() {
        Ok(()) => Ok(file),
        Err(TryLockError::WouldBlock) => Err(Failure::Busy(folder.into())),
        Err(TryLockError::Error(source)) => {
            Err(Failure::File { action: "lock", path: path.clone(), source })
        }
    }
}
