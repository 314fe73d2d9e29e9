//! One child process: started, watched, started again when it dies.

use std::{
    ffi::OsString,
    fs, io,
    path::{Path, PathBuf},
    process::{ExitStatus, Stdio},
    sync::Arc,
    time::Duration,
};

use tokio::{
    io::{AsyncBufReadExt as _, AsyncRead, BufReader},
    process::{Child, ChildStdin, Command},
    sync::watch,
    time::{Instant, sleep, timeout},
};

use super::{
    log::{CappedLog, LOG_BYTES_MAX},
    stop::STOP_TIMEOUT,
    supervisor::Reporter,
};

/// The first pause before a dead process is started again; each further one is twice as long.
const BACKOFF_MIN: Duration = Duration::from_millis(250);
/// The longest pause.
const BACKOFF_MAX: Duration = Duration::from_secs(8);
/// After running this long, a process is taken to be well and the pauses begin anew.
const WELL_AFTER: Duration = Duration::from_secs(30);

/// What to start.
#[derive(Debug, Clone)]
pub(crate) struct ChildSpec {
    /// For people and file names, for example `validator-1`.
    pub(crate) name: String,
    /// What stands behind the program's name.
    pub(crate) arguments: Vec<OsString>,
    /// Where its output goes.
    pub(crate) log: PathBuf,
    /// Where its process id stands while it runs.
    pub(crate) pid_file: PathBuf,
}

/// What the parent wants of a child.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Wanted {
    /// It runs; dead, it is started again.
    Up,
    /// It is killed at once and stays down.
    Down,
    /// It stops in order and is never started again.
    Stopped,
}

/// How a child is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum State {
    /// It is about to be started.
    Starting,
    /// It runs. Whether it serves is another question.
    Running,
    /// It does not run.
    Down,
}

/// Keeps one child as wanted until it is [`Wanted::Stopped`].
pub(super) struct Keeper {
    pub(super) program: PathBuf,
    pub(super) spec: ChildSpec,
    pub(super) wanted: watch::Receiver<Wanted>,
    pub(super) state: watch::Sender<State>,
    pub(super) reporter: Arc<dyn Reporter>,
}

impl Keeper {
    pub(super) async fn keep(mut self) {
        let mut backoff = BACKOFF_MIN;
        loop {
            let wanted = *self.wanted.borrow_and_update();
            match wanted {
                Wanted::Stopped => break,
                Wanted::Down => {
                    self.state.send_replace(State::Down);
                    if self.wanted.changed().await.is_err() {
                        break;
                    }
                }
                Wanted::Up => {
                    let started = Instant::now();
                    let ended = self.run_once().await;
                    self.state.send_replace(State::Starting);
                    if *self.wanted.borrow() != Wanted::Up {
                        continue;
                    }
                    backoff = next_backoff(backoff, started.elapsed());
                    self.report_end(&ended, backoff);
                    tokio::select! {
                        () = sleep(backoff) => {}
                        _ = self.wanted.changed() => {}
                    }
                }
            }
        }
        self.state.send_replace(State::Down);
    }

    /// Starts the process and stays with it until it has ended.
    async fn run_once(&mut self) -> io::Result<ExitStatus> {
        let mut child = self.start()?;
        // Waiting for a child would close the pipe that tells it to go on.
        let pipe = child.stdin.take();
        if let Some(pid) = child.id() {
            fs::write(&self.spec.pid_file, format!("{pid}\n"))?;
        }
        let copies = self.copy_output(&mut child)?;
        self.state.send_replace(State::Running);
        let mut wanted = self.wanted.clone();
        let changed = tokio::select! {
            ended = child.wait() => Err(ended),
            other = wanted.wait_for(|wanted| *wanted != Wanted::Up) => {
                // Nobody there to want anything: the parent is ending.
                Ok(other.map_or(Wanted::Down, |wanted| *wanted))
            }
        };
        let ended = match changed {
            Ok(wanted) => end(&mut child, pipe, wanted).await,
            Err(ended) => ended,
        };
        drop(fs::remove_file(&self.spec.pid_file));
        // The pipes close with the process; what it wrote last is in the log before the next start.
        for copy in copies {
            drop(copy.await);
        }
        ended
    }

    fn start(&self) -> io::Result<Child> {
        Command::new(&self.program)
            .args(&self.spec.arguments)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            // A Ctrl-C on the terminal reaches the parent alone, which stops its children in order.
            .process_group(0)
            .kill_on_drop(true)
            .spawn()
    }

    fn copy_output(&self, child: &mut Child) -> io::Result<Vec<tokio::task::JoinHandle<()>>> {
        let open = |path: &Path| CappedLog::open(path, LOG_BYTES_MAX);
        let log = Arc::new(std::sync::Mutex::new(open(&self.spec.log)?));
        let mut copies = Vec::with_capacity(2);
        copies.extend(child.stdout.take().map(|out| tokio::spawn(copy(out, Arc::clone(&log)))));
        copies.extend(child.stderr.take().map(|out| tokio::spawn(copy(out, log))));
        Ok(copies)
    }

    fn report_end(&self, ended: &io::Result<ExitStatus>, backoff: Duration) {
        let why = match ended {
            Ok(status) => format!("ended ({status})"),
            Err(error) => format!("cannot be started: {error}"),
        };
        let pause = backoff.as_millis();
        self.reporter.report(&format!("{} {why}; again in {pause} ms", self.spec.name));
    }
}

async fn end(
    child: &mut Child,
    pipe: Option<ChildStdin>,
    wanted: Wanted,
) -> io::Result<ExitStatus> {
    if wanted == Wanted::Stopped {
        // The closed pipe tells it to stop.
        drop(pipe);
        if let Ok(ended) = timeout(STOP_TIMEOUT, child.wait()).await {
            return ended;
        }
    }
    child.start_kill()?;
    child.wait().await
}

fn next_backoff(last: Duration, ran: Duration) -> Duration {
    if ran >= WELL_AFTER { BACKOFF_MIN } else { (last * 2).min(BACKOFF_MAX) }
}

/// The longest line that is kept whole; a longer one is cut into several.
const LINE_BYTES_MAX: usize = 64 * 1024;

async fn copy(output: impl AsyncRead + Unpin, log: Arc<std::sync::Mutex<CappedLog>>) {
    let mut reader = BufReader::with_capacity(LINE_BYTES_MAX, output);
    let mut line = Vec::new();
    while let Ok(available) = reader.fill_buf().await {
        if available.is_empty() {
            break;
        }
        let end = available.iter().position(|byte| *byte == b'\n');
        let length = end.map_or(available.len(), |end| end + 1);
        line.extend_from_slice(&available[..length]);
        reader.consume(length);
        if end.is_none() && line.len() < LINE_BYTES_MAX {
            continue;
        }
        write_line(&log, &line);
        line.clear();
    }
    if !line.is_empty() {
        line.push(b'\n');
        write_line(&log, &line);
    }
}

/// A log that cannot be written must not stop a payment: the line is lost, the process goes on.
fn write_line(log: &std::sync::Mutex<CappedLog>, line: &[u8]) {
    let mut log = log.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
    drop(log.append(line));
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pauses_double_up_to_a_limit_and_begin_anew_after_a_long_run() {
        let mut pause = BACKOFF_MIN;
        for _ in 0..10 {
            pause = next_backoff(pause, Duration::ZERO);
        }
        assert_eq!(pause, BACKOFF_MAX);
        assert_eq!(next_backoff(pause, WELL_AFTER), BACKOFF_MIN);
    }
}
