//! All children of one network.

use std::{collections::BTreeMap, env, path::PathBuf, sync::Arc};

use tokio::{sync::watch, task::JoinHandle};

use super::child::{ChildSpec, Keeper, State, Wanted};
use crate::failure::{self, Failure};

/// Hears what happens to the children, for people.
pub(crate) trait Reporter: Send + Sync {
    /// One line.
    fn report(&self, line: &str);
}

/// Keeps the children of a network running.
pub(crate) struct Supervisor {
    program: PathBuf,
    children: BTreeMap<String, Supervised>,
    reporter: Arc<dyn Reporter>,
}

struct Supervised {
    wanted: watch::Sender<Wanted>,
    state: watch::Receiver<State>,
    keeper: JoinHandle<()>,
}

impl Supervisor {
    /// A supervisor without children. They run the same program as this process.
    pub(crate) fn new(reporter: Arc<dyn Reporter>) -> Result<Self, Failure> {
        let program =
            env::current_exe().map_err(failure::system("cannot find this program's own file"))?;
        Ok(Self { program, children: BTreeMap::new(), reporter })
    }

    /// Starts a child. Needs a runtime.
    pub(crate) fn start(&mut self, spec: ChildSpec) {
        let (wanted, keeper_wanted) = watch::channel(Wanted::Up);
        let (keeper_state, state) = watch::channel(State::Starting);
        let name = spec.name.clone();
        let keeper = Keeper {
            program: self.program.clone(),
            spec,
            wanted: keeper_wanted,
            state: keeper_state,
            reporter: Arc::clone(&self.reporter),
        };
        let keeper = tokio::spawn(keeper.keep());
        let before = self.children.insert(name, Supervised { wanted, state, keeper });
        assert!(before.is_none(), "children have different names");
    }

    /// Kills a child at once, as a power cut would, and keeps it down. Returns when it has ended.
    pub(crate) async fn take_down(&self, name: &str) {
        self.ask(name, Wanted::Down, State::Down).await;
    }

    /// Starts a child again that was taken down.
    pub(crate) async fn bring_up(&self, name: &str) {
        self.ask(name, Wanted::Up, State::Running).await;
    }

    async fn ask(&self, name: &str, wanted: Wanted, reached: State) {
        let child = self.children.get(name).expect("children are named by who started them");
        child.wanted.send_replace(wanted);
        // An error means that its keeper ended, which a stop causes: then nothing is awaited.
        drop(child.state.clone().wait_for(|state| *state == reached).await);
    }

    /// Stops all children in order: those whose names do not begin with `last` first.
    pub(crate) async fn stop(mut self, last: &str) {
        let rest = |name: &String| !name.starts_with(last);
        let first: Vec<_> = self.children.extract_if(.., |name, _| rest(name)).collect();
        stop_all(first).await;
        stop_all(std::mem::take(&mut self.children)).await;
    }
}

async fn stop_all(children: impl IntoIterator<Item = (String, Supervised)>) {
    let stopping: Vec<_> = children
        .into_iter()
        .map(|(_, child)| {
            child.wanted.send_replace(Wanted::Stopped);
            child.keeper
        })
        .collect();
    for keeper in stopping {
        // A keeper that panicked has killed its child by dropping it.
        drop(keeper.await);
    }
}
