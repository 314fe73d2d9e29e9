//! The stream of a member's events: verified, in order, without a gap, from any validator.

use std::{
    collections::VecDeque,
    time::{Duration, Instant},
};

use etibar_primitives::MemberId;
use reqwest::StatusCode;

use crate::{
    client::Client,
    config::{
        ASIDE_FAILED, ASIDE_FALSE, BACKOFF_MAX, BACKOFF_MIN, EVENTS_GRACE, EVENTS_PAGE_BYTES,
        EVENTS_PATIENCE, EVENTS_WAIT, PROOF_BYTES_MAX,
    },
    error::EventsError,
    transport::{Failure, Refusal, Request},
    verify::VerifiedEvents,
};

/// A member's events by cursor. Keep [`Events::cursor`] beside what was done with the events, in
/// one step, and go on from there after a restart: then each event counts exactly once.
#[derive(Debug)]
pub struct Events {
    client: Client,
    member: MemberId,
    /// The index of the next event to give.
    cursor: u64,
    /// Verified and not given yet.
    ready: VecDeque<VerifiedEvents>,
    /// The validator that is being asked.
    at: usize,
    /// Since when nobody has answered.
    failing: Option<Instant>,
    pause: Duration,
}

impl Events {
    pub(crate) fn new(client: Client, member: MemberId, cursor: u64) -> Self {
        let at = client.inner.transport.order(true)[0];
        let ready = VecDeque::new();
        Self { client, member, cursor, ready, at, failing: None, pause: BACKOFF_MIN }
    }

    /// The index of the event that [`Events::next`] begins with.
    pub const fn cursor(&self) -> u64 {
        self.cursor
    }

    /// The member's events of the next block that has any; waits until there are some. May be
    /// cancelled at any point without losing an event.
    ///
    /// # Errors
    /// The stream stays where it is; call again to go on trying.
    pub async fn next(&mut self) -> Result<VerifiedEvents, EventsError> {
        loop {
            if let Some(events) = self.ready.pop_front() {
                self.cursor = events.next();
                return Ok(events);
            }
            match self.ask().await {
                Ok(page) => {
                    self.ready = page.into();
                    (self.failing, self.pause) = (None, BACKOFF_MIN);
                    if self.ready.is_empty() {
                        // Nothing new: so says this one. Another may know more.
                        self.turn();
                    }
                }
                Err(error) => self.pass_on(error).await?,
            }
        }
    }

    /// Asks the present validator; an empty list when there is nothing new.
    async fn ask(&self) -> Result<Vec<VerifiedEvents>, EventsError> {
        let inner = &self.client.inner;
        let (member, cursor, wait) = (self.member, self.cursor, EVENTS_WAIT.as_millis());
        let path = format!(
            "/v1/events?member={member}&from={cursor}&wait_ms={wait}&max_bytes={EVENTS_PAGE_BYTES}"
        );
        let token = inner.token();
        let request = Request::get(&path, Some(&token), EVENTS_WAIT + EVENTS_GRACE);
        let request = Request { answer_bytes_max: PROOF_BYTES_MAX, ..request };
        let answer =
            inner.transport.send(self.at, request).await.map_err(|failure| match failure {
                Failure::Transient { cause, .. } => EventsError::Unreachable(cause),
                Failure::Refused(Refusal { code, detail, .. }) => {
                    EventsError::Refused { code, detail }
                }
            })?;
        if answer.status == StatusCode::NO_CONTENT {
            return Ok(Vec::new());
        }
        Ok(inner.verifier.page(member, cursor, &answer.body)?)
    }

    /// Puts the present validator aside and goes to the next one; gives the error when nobody has
    /// answered for too long.
    async fn pass_on(&mut self, error: EventsError) -> Result<(), EventsError> {
        let transport = &self.client.inner.transport;
        let aside = if matches!(error, EventsError::Proof(_)) { ASIDE_FALSE } else { ASIDE_FAILED };
        tracing::warn!(
            validator = transport.name(self.at),
            code = error.code(),
            "no events from this validator: {error}"
        );
        transport.put_aside(self.at, aside);
        let since = *self.failing.get_or_insert_with(Instant::now);
        if since.elapsed() >= EVENTS_PATIENCE {
            self.failing = None;
            return Err(error);
        }
        self.turn();
        if !self.client.inner.transport.is_ready(self.at) {
            tokio::time::sleep(self.pause).await;
            self.pause = (self.pause * 2).min(BACKOFF_MAX);
        }
        Ok(())
    }

    /// Goes to the next validator that is not put aside.
    fn turn(&mut self) {
        let transport = &self.client.inner.transport;
        let next = (1..=transport.len()).map(|step| (self.at + step) % transport.len());
        self.at = next
            .clone()
            .find(|index| transport.is_ready(*index))
            .unwrap_or_else(|| (self.at + 1) % transport.len());
    }
}
