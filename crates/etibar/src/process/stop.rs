//! How a process learns that it should stop.

use std::{io::Read as _, time::Duration};

use tokio::{
    signal::unix::{SignalKind, signal},
    sync::watch,
};

use crate::failure::{self, Failure};

/// How long a process may take to stop in order before it is ended.
pub(crate) const STOP_TIMEOUT: Duration = Duration::from_secs(8);

/// Becomes true once, when the process should stop.
#[derive(Debug, Clone)]
pub(crate) struct Stop(watch::Receiver<bool>);

impl Stop {
    /// Listens for SIGINT and SIGTERM and, for a child, for the end of its parent.
    ///
    /// Once told, the process has [`STOP_TIMEOUT`]; then it is ended. Needs a runtime.
    pub(crate) fn listen(under_parent: bool) -> Result<Self, Failure> {
        let (told, stop) = watch::channel(false);
        let mut interrupted = signals()?;
        let for_signals = told.clone();
        tokio::spawn(async move {
            interrupted.wait().await;
            for_signals.send_replace(true);
        });
        if under_parent {
            // A thread of its own: reading the standard input cannot be cancelled.
            std::thread::spawn(move || {
                wait_for_end_of_input();
                told.send_replace(true);
            });
        }
        let stop = Self(stop);
        let deadline = stop.clone();
        std::thread::spawn(move || deadline.end_late_process());
        Ok(stop)
    }

    /// Waits until the process should stop.
    pub(crate) async fn told(&self) {
        // The senders gone means nobody can tell any more: stop as well.
        drop(self.0.clone().wait_for(|told| *told).await);
    }

    fn end_late_process(&self) {
        let wait = tokio::runtime::Builder::new_current_thread().build();
        if let Ok(runtime) = wait {
            runtime.block_on(self.told());
            std::thread::sleep(STOP_TIMEOUT);
        }
        eprintln!("etibar: did not stop in {} s, so it is ended", STOP_TIMEOUT.as_secs());
        std::process::exit(1);
    }
}

/// Waits for SIGINT or SIGTERM.
pub(crate) async fn signalled() -> Result<(), Failure> {
    signals()?.wait().await;
    Ok(())
}

struct Signals {
    interrupt: tokio::signal::unix::Signal,
    terminate: tokio::signal::unix::Signal,
}

fn signals() -> Result<Signals, Failure> {
    let listen = |kind| signal(kind).map_err(failure::system("cannot listen for signals"));
    Ok(Signals {
        interrupt: listen(SignalKind::interrupt())?,
        terminate: listen(SignalKind::terminate())?,
    })
}

impl Signals {
    async fn wait(&mut self) {
        tokio::select! {
            _ = self.interrupt.recv() => {}
            _ = self.terminate.recv() => {}
        }
    }
}

fn wait_for_end_of_input() {
    let mut ignored = [0; 64];
    let mut input = std::io::stdin().lock();
    while input.read(&mut ignored).is_ok_and(|read| read > 0) {}
}
