//! One step of the edge: look up, decide, commit. What is left to do comes out as actions.

use std::{collections::HashSet, sync::Arc};

use etibar_primitives::BlockTime;

use crate::{
    envelope::{self, ITEMS_MAX},
    flow::{Action, Flow, Input, Known},
    intake,
    payment::{IncomingKey, IncomingState},
    setup::Setup,
    store::{Store, StoreFault},
};

/// The flow on its store.
#[derive(Debug)]
pub struct Core {
    setup: Arc<Setup>,
    flow: Flow,
    store: Store,
}

impl Core {
    /// Goes on where the store stands.
    pub async fn open(setup: Arc<Setup>, store: Store) -> Result<Self, StoreFault> {
        let unfinished = store.unfinished().await?;
        let incoming = unfinished.incoming.into_iter().map(|(mut payment, payload)| {
            let needed = matches!(
                payment.state,
                IncomingState::Announced | IncomingState::Awaiting | IncomingState::Checking
            );
            if let Some(payload) = payload.filter(|_| needed) {
                let announcement = intake::read_announcement(&setup, payment.key.uetr, payload);
                payment.announcement = Some(announcement);
            }
            payment
        });
        let flow = Flow::new(
            setup.settings(),
            setup.directory.clone(),
            unfinished.outgoing,
            incoming.collect(),
            unfinished.aliases,
            unfinished.cursor,
        );
        Ok(Self { setup, flow, store })
    }

    /// The flow, to look at.
    pub const fn flow(&self) -> &Flow {
        &self.flow
    }

    /// Takes the inputs in and commits what they change. The actions are to be carried out after,
    /// and may be lost.
    ///
    /// # Errors
    /// After a fault the core must be dropped: it is ahead of its store.
    pub async fn step(
        &mut self,
        now: BlockTime,
        inputs: Vec<Input>,
    ) -> Result<Vec<Action>, StoreFault> {
        let known = self.look_up(&inputs).await?;
        let mut effects = self.flow.step(now, inputs, &known);
        if let Some(supervisor) = self.setup.supervisor
            && let Some(key) = self.setup.peers.get(&supervisor)
        {
            for items in effects.supervise.chunks(ITEMS_MAX) {
                let address = self.setup.address(supervisor);
                let sealed = envelope::seal(&address, items, key, &self.setup.key);
                effects.writes.outbox.push((supervisor, sealed));
            }
        }
        self.store.commit(&effects.writes).await?;
        Ok(effects.actions)
    }

    /// What the store knows of payments that `inputs` name and the flow does not hold.
    async fn look_up(&self, inputs: &[Input]) -> Result<Known, StoreFault> {
        let (mut orders, mut payloads) = (HashSet::new(), HashSet::new());
        for input in inputs {
            match input {
                Input::Order { order, .. } if !self.flow.holds_outgoing(&order.uetr) => {
                    orders.insert(order.uetr);
                }
                Input::Payloads { sender, items, .. } => {
                    let keys =
                        items.iter().map(|(uetr, _)| IncomingKey { debtor: *sender, uetr: *uetr });
                    payloads.extend(keys.filter(|key| !self.flow.holds_incoming(key)));
                }
                _ => {}
            }
        }
        let orders: Vec<_> = orders.into_iter().collect();
        let payloads: Vec<_> = payloads.into_iter().collect();
        Ok(Known {
            outgoing: self.store.known_outgoing(&orders).await?,
            incoming: self.store.known_incoming(&payloads).await?.into_iter().collect(),
        })
    }
}
