//! Threads that speak with a token, so that whoever signs waits for a limited time.

use std::{
    sync::{
        Arc, Mutex, PoisonError,
        mpsc::{self, Receiver, RecvTimeoutError, SyncSender},
    },
    thread,
    time::{Duration, Instant},
};

use etibar_credential::jose::{PublicKey, SignError, Signer};
use etibar_primitives::DurationMs;
use tokio::runtime::{Handle, RuntimeFlavor};

use super::token::{Place, Session};
use crate::KeyFault;

/// Signatures that may wait for a session; whoever comes then is refused at once.
const QUEUE_MAX: usize = 256;
/// How long a thread is idle before it looks whether its session still lives.
const PROBE: Duration = Duration::from_secs(5);

/// How many and how long.
#[derive(Debug, Clone, Copy)]
pub(super) struct Limits {
    /// Sessions in parallel, at least 1.
    pub(super) sessions: u8,
    /// How long a signature is awaited.
    pub(super) timeout: DurationMs,
}

/// The longest that a signature is awaited, whatever the configuration says.
const TIMEOUT_MAX: Duration = Duration::from_mins(1);
/// How long the threads' end is awaited: their sessions are closed by then, and some modules do not
/// bear that the program ends before. One that hangs must not keep the program from ending.
const END_TIMEOUT: Duration = Duration::from_secs(2);

/// A key in a token, used through sessions of its own. The threads end when this is dropped.
pub(super) struct Workers {
    /// Nobody else holds it: the threads end when it is gone.
    jobs: Option<SyncSender<Job>>,
    /// Closed when the last thread has ended.
    ended: Mutex<Receiver<()>>,
    shared: Arc<Shared>,
    timeout: Duration,
}

struct Shared {
    place: Arc<Place>,
    label: String,
    public: PublicKey,
    jobs: Mutex<Receiver<Job>>,
    /// What keeps each session from signing, as far as known.
    faults: Mutex<Vec<Option<&'static str>>>,
}

struct Job {
    message: Vec<u8>,
    /// Nobody waits any longer.
    until: Instant,
    answer: SyncSender<Result<[u8; 64], KeyFault>>,
}

impl Workers {
    /// Starts the threads; the first goes on with `session`.
    pub(super) fn start(
        place: Arc<Place>,
        label: String,
        session: Session,
        public: PublicKey,
        limits: Limits,
    ) -> Result<Self, KeyFault> {
        let (jobs, queue) = mpsc::sync_channel(QUEUE_MAX);
        let count = usize::from(limits.sessions);
        let faults = Mutex::new(vec![None; count]);
        let shared = Arc::new(Shared { place, label, public, jobs: Mutex::new(queue), faults });
        let (ending, ended) = mpsc::sync_channel(count);
        let mut first = Some(session);
        for index in 0..count {
            let (shared, session) = (Arc::clone(&shared), first.take());
            let ending = ending.clone();
            let work = move || {
                Worker { shared, index, session }.run();
                drop(ending);
            };
            let thread = thread::Builder::new().name(format!("token-{index}"));
            thread.spawn(work).map_err(KeyFault::Thread)?;
        }
        let timeout = Duration::from_millis(limits.timeout.0).min(TIMEOUT_MAX);
        Ok(Self { jobs: Some(jobs), ended: Mutex::new(ended), shared, timeout })
    }
}

impl Drop for Workers {
    fn drop(&mut self) {
        self.jobs = None;
        let ended = self.ended.get_mut().unwrap_or_else(PoisonError::into_inner);
        // Nothing is ever sent: this returns when the last thread has let go.
        if ended.recv_timeout(END_TIMEOUT) == Err(RecvTimeoutError::Timeout) {
            tracing::warn!("the issuer's token does not let go");
        }
    }
}

impl Signer for Workers {
    fn sign(&self, message: &[u8]) -> Result<[u8; 64], SignError> {
        let (answer, answered) = mpsc::sync_channel(1);
        let job = Job { message: message.into(), until: Instant::now() + self.timeout, answer };
        let jobs = self.jobs.as_ref().ok_or(SignError::Unavailable)?;
        jobs.try_send(job).map_err(|_| SignError::Unavailable)?;
        let wait = || answered.recv_timeout(self.timeout);
        // A runtime with several threads hands this one's other tasks on while it waits.
        let handle = Handle::try_current();
        let several = |handle: &Handle| handle.runtime_flavor() == RuntimeFlavor::MultiThread;
        let result = if handle.as_ref().is_ok_and(several) {
            tokio::task::block_in_place(wait)
        } else {
            wait()
        };
        match result {
            Ok(Ok(signature)) => Ok(signature),
            Ok(Err(_)) | Err(_) => Err(SignError::Unavailable),
        }
    }

    fn public_key(&self) -> PublicKey {
        self.shared.public
    }

    fn fault(&self) -> Option<&'static str> {
        let faults = self.shared.faults.lock().unwrap_or_else(PoisonError::into_inner);
        if faults.contains(&None) { None } else { faults.iter().copied().flatten().next() }
    }
}

/// One thread.
struct Worker {
    shared: Arc<Shared>,
    index: usize,
    session: Option<Session>,
}

impl Worker {
    fn run(mut self) {
        loop {
            let job = {
                let jobs = self.shared.jobs.lock().unwrap_or_else(PoisonError::into_inner);
                jobs.recv_timeout(PROBE)
            };
            match job {
                // Who asked has gone: the token's time is for the others.
                Ok(job) if job.until <= Instant::now() => {}
                Ok(job) => {
                    let result = self.sign(&job.message);
                    self.tell(result.as_ref().err());
                    // Who asked may have gone meanwhile.
                    let _gone = job.answer.send(result);
                }
                Err(RecvTimeoutError::Timeout) => {
                    let result = self.probe();
                    self.tell(result.err().as_ref());
                }
                Err(RecvTimeoutError::Disconnected) => return,
            }
        }
    }

    /// Signs; once more in a new session if the old one failed.
    fn sign(&mut self, message: &[u8]) -> Result<[u8; 64], KeyFault> {
        let old = self.session.take();
        let old = old.and_then(|session| {
            let signature = self.checked(&session, message).ok()?;
            Some((session, signature))
        });
        let (session, signature) = if let Some(done) = old {
            done
        } else {
            let session = self.shared.place.connect(&self.shared.label)?;
            let signature = self.checked(&session, message)?;
            (session, signature)
        };
        self.session = Some(session);
        Ok(signature)
    }

    /// A signature that the certificate's key verifies: another one never leaves.
    fn checked(&self, session: &Session, message: &[u8]) -> Result<[u8; 64], KeyFault> {
        let signature = session.sign(message)?;
        if self.shared.public.verifies(message, &signature) {
            Ok(signature)
        } else {
            Err(KeyFault::Signature)
        }
    }

    /// Looks whether the session lives, and opens another one if not.
    fn probe(&mut self) -> Result<(), KeyFault> {
        if self.session.take_if(|session| session.check().is_err()).is_some() {
            tracing::info!("a session of the issuer's token is gone");
        }
        if self.session.is_none() {
            self.session = Some(self.shared.place.connect(&self.shared.label)?);
        }
        Ok(())
    }

    /// Keeps what keeps this session from signing, and logs when that changes.
    fn tell(&self, fault: Option<&KeyFault>) {
        let mut faults = self.shared.faults.lock().unwrap_or_else(PoisonError::into_inner);
        let Some(known) = faults.get_mut(self.index) else { return };
        let code = fault.map(KeyFault::code);
        if *known != code {
            *known = code;
            if let Some(fault) = fault {
                tracing::warn!(code, %fault, "the issuer's key cannot sign");
            } else {
                tracing::info!("the issuer's key signs again");
            }
        }
    }
}
