//! The server of every door: HTTP/1.1 on accepted connections, everything bounded.
//!
//! A caller that is slow or silent costs one connection for a bounded time: a header that does
//! not arrive, a body that does not, an answer that is not taken, each ends the connection.

use std::{
    convert::Infallible, future::Future, net::SocketAddr, pin::pin, sync::Arc, time::Duration,
};

use axum::{
    Router,
    body::Body,
    extract::ConnectInfo,
    http::{Request, header::EXPECT},
};
use hyper::{body::Incoming, server::conn::http1, service::service_fn};
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::{
    net::{TcpListener, TcpStream},
    sync::{OwnedSemaphorePermit, Semaphore, watch},
    task::JoinSet,
};
use tower::ServiceExt as _;

mod deadline;
mod patience;

use deadline::DeadlineBody;
use patience::Patience;

/// What one server bears. The defaults suit a validator and an edge.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// Open connections; more wait until one ends.
    pub connections: usize,
    /// How long a request's header may take to arrive, counted from the connection's beginning or
    /// from the answer before: also how long a connection may stay idle.
    pub header_timeout: Duration,
    /// How long a request's body may take to arrive.
    pub body_timeout: Duration,
    /// How long an answer may wait until the caller takes some more of it.
    pub write_timeout: Duration,
    /// How long requests may take to end after the shutdown began.
    pub drain_timeout: Duration,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            connections: 4_096,
            header_timeout: Duration::from_secs(20),
            body_timeout: Duration::from_secs(20),
            write_timeout: Duration::from_secs(20),
            drain_timeout: Duration::from_secs(10),
        }
    }
}

/// How long to wait after a connection could not be accepted, mostly for want of descriptors.
const ACCEPT_PAUSE: Duration = Duration::from_millis(100);
/// The largest header of a request, and how much of a body is read at once, in bytes.
const BUFFER_BYTES_MAX: usize = 64 * 1024;

/// Serves `router` on `listener` until `shutdown` ends; then open requests may end, too.
///
/// The caller's address is given to handlers as [`ConnectInfo`].
pub async fn serve(
    listener: TcpListener,
    router: Router,
    limits: Limits,
    shutdown: impl Future<Output = ()>,
) {
    let room = Arc::new(Semaphore::new(limits.connections));
    let stop = watch::Sender::new(false);
    let mut tasks = JoinSet::new();
    let mut shutdown = pin!(shutdown);
    loop {
        let accepted = tokio::select! {
            () = &mut shutdown => break,
            accepted = accept(&listener, &room) => accepted,
            Some(_) = tasks.join_next() => continue,
        };
        let Some((stream, address, permit)) = accepted else { continue };
        let connection = connection(stream, address, router.clone(), limits, stop.subscribe());
        tasks.spawn(async move {
            connection.await;
            drop(permit);
        });
    }
    drop(listener);
    stop.send_replace(true);
    let drained = async { while tasks.join_next().await.is_some() {} };
    if tokio::time::timeout(limits.drain_timeout, drained).await.is_err() {
        tracing::warn!("requests were cut off at shutdown");
    }
}

/// Accepts a connection when there is room for one.
async fn accept(
    listener: &TcpListener,
    room: &Arc<Semaphore>,
) -> Option<(TcpStream, SocketAddr, OwnedSemaphorePermit)> {
    let permit = Arc::clone(room).acquire_owned().await.expect("the semaphore is never closed");
    match listener.accept().await {
        Ok((stream, address)) => Some((stream, address, permit)),
        Err(error) => {
            tracing::warn!(%error, "a connection could not be accepted");
            tokio::time::sleep(ACCEPT_PAUSE).await;
            None
        }
    }
}

/// Answers the requests of one connection.
async fn connection(
    stream: TcpStream,
    address: SocketAddr,
    router: Router,
    limits: Limits,
    mut stop: watch::Receiver<bool>,
) {
    // Answers are whole messages: nothing is gained by waiting for more of them.
    if stream.set_nodelay(true).is_err() {
        return;
    }
    let answer = service_fn(move |request: Request<Incoming>| {
        // Who asks whether to send the body at all waits for the answer with it (RFC 9110 §10.1.1).
        let asks = request.headers().contains_key(EXPECT);
        let (head, body) = request.into_parts();
        let (body, leftover) = DeadlineBody::new(body, limits.body_timeout);
        let mut request = Request::from_parts(head, Body::new(body));
        request.extensions_mut().insert(ConnectInfo(address));
        let router = router.clone();
        async move {
            let answer = router.oneshot(request).await.unwrap_or_else(never);
            if !asks {
                leftover.drain().await;
            }
            Ok::<_, Infallible>(answer)
        }
    });
    let io = TokioIo::new(Patience::new(stream, limits.write_timeout));
    let served = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(limits.header_timeout)
        .max_buf_size(BUFFER_BYTES_MAX)
        .serve_connection(io, answer);
    let mut served = pin!(served);
    // A connection that breaks is the caller's business; nothing of ours depends on it.
    let stopping = tokio::select! {
        _ = &mut served => false,
        _ = stop.wait_for(|stop| *stop) => true,
    };
    if stopping {
        served.as_mut().graceful_shutdown();
        drop(served.await);
    }
}

fn never<T>(error: Infallible) -> T {
    match error {}
}
