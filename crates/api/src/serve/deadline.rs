//! A request's body that has to arrive whole within a time.
//!
//! A handler that refuses a request may leave its body unread. A connection that is closed while
//! the caller still sends breaks before the caller reads the answer, so what is left comes back to
//! the server, which [drains](Leftover::drain) some of it first (RFC 9112 §9.6).

use std::{
    future::poll_fn,
    pin::Pin,
    task::{Context, Poll, ready},
    time::Duration,
};

use axum::BoxError;
use bytes::Bytes;
use http_body::{Body, Frame, SizeHint};
use hyper::body::Incoming;
use tokio::{
    sync::oneshot,
    time::{Sleep, sleep},
};

/// How much of an unread body is taken before the answer, in bytes: some more than the largest
/// body that any route reads.
const DRAINED_BYTES_MAX: usize = 8 * 1024 * 1024;

/// The body did not arrive in time.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the body did not arrive in time")]
pub(super) struct BodyTimeout;

/// A body and the time that it has.
#[derive(Debug)]
struct Timed {
    incoming: Incoming,
    timeout: Duration,
    /// Set when the body is first waited for.
    deadline: Option<Pin<Box<Sleep>>>,
}

impl Timed {
    fn poll(&mut self, context: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, BoxError>>> {
        if let Poll::Ready(frame) = Pin::new(&mut self.incoming).poll_frame(context) {
            return Poll::Ready(frame.map(|frame| frame.map_err(BoxError::from)));
        }
        let timeout = self.timeout;
        let deadline = self.deadline.get_or_insert_with(|| Box::pin(sleep(timeout)));
        deadline.as_mut().poll(context).map(|()| Some(Err(BodyTimeout.into())))
    }
}

/// Fails when the body is not there a while after it was first asked for.
#[derive(Debug)]
pub(super) struct DeadlineBody {
    /// Nothing after it failed.
    timed: Option<Timed>,
    leftover: Option<oneshot::Sender<Timed>>,
}

impl DeadlineBody {
    /// The body, and where it is found again if nobody reads it to its end.
    pub(super) fn new(incoming: Incoming, timeout: Duration) -> (Self, Leftover) {
        let (sender, receiver) = oneshot::channel();
        let timed = Timed { incoming, timeout, deadline: None };
        (Self { timed: Some(timed), leftover: Some(sender) }, Leftover(receiver))
    }
}

impl Body for DeadlineBody {
    type Data = Bytes;
    type Error = BoxError;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, BoxError>>> {
        let Some(timed) = &mut self.timed else { return Poll::Ready(None) };
        let frame = ready!(timed.poll(context));
        if let Some(Err(_)) = &frame {
            self.timed = None;
        }
        Poll::Ready(frame)
    }

    fn is_end_stream(&self) -> bool {
        self.timed.as_ref().is_none_or(|timed| timed.incoming.is_end_stream())
    }

    fn size_hint(&self) -> SizeHint {
        self.timed.as_ref().map_or_else(SizeHint::default, |timed| timed.incoming.size_hint())
    }
}

impl Drop for DeadlineBody {
    fn drop(&mut self) {
        let unread = self.timed.take().filter(|timed| !timed.incoming.is_end_stream());
        if let (Some(timed), Some(leftover)) = (unread, self.leftover.take()) {
            // Nobody takes it when the connection ended meanwhile.
            drop(leftover.send(timed));
        }
    }
}

/// What a request's handler left of its body.
#[derive(Debug)]
pub(super) struct Leftover(oneshot::Receiver<Timed>);

impl Leftover {
    /// Takes what is left, in the time that the body has, and forgets it. A body that is much too
    /// long is cut off.
    pub(super) async fn drain(mut self) {
        let Ok(mut timed) = self.0.try_recv() else { return };
        let mut drained = 0;
        while drained <= DRAINED_BYTES_MAX {
            match poll_fn(|context| timed.poll(context)).await {
                Some(Ok(frame)) => drained += frame.data_ref().map_or(0, Bytes::len),
                Some(Err(_)) | None => return,
            }
        }
    }
}
