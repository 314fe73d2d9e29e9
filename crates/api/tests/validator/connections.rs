//! Slow and silent callers cost a bounded time and nobody else's service.

use std::{
    future::pending,
    net::SocketAddr,
    time::{Duration, Instant},
};

use axum::{
    Router,
    http::StatusCode,
    routing::{get, post},
};
use etibar_api::{Limits, extract::Body, problem, serve};
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::{TcpListener, TcpStream},
};

use crate::world::{PATIENCE, http};

const SHORT: Duration = Duration::from_millis(300);

const LIMITS: Limits = Limits {
    connections: 64,
    header_timeout: SHORT,
    body_timeout: SHORT,
    write_timeout: SHORT,
    drain_timeout: SHORT,
};

/// A server with short times; it ends with the test's runtime.
async fn server() -> SocketAddr {
    let listener = TcpListener::bind(("127.0.0.1", 0)).await.expect("a port is free");
    let address = listener.local_addr().expect("it is bound");
    let large = || async { vec![0_u8; 64 * 1024 * 1024] };
    let echo = |Body(body): Body| async move { body };
    let refuse = || async { StatusCode::FORBIDDEN };
    let router = Router::new()
        .route("/large", get(large))
        .route("/echo", post(echo))
        .route("/refuse", post(refuse));
    tokio::spawn(serve(listener, problem::with_fallbacks(router), LIMITS, pending()));
    address
}

async fn connect(address: SocketAddr) -> TcpStream {
    TcpStream::connect(address).await.expect("the server listens")
}

/// Everything until the server closes.
async fn rest(stream: &mut TcpStream) -> String {
    let mut text = Vec::new();
    let read = stream.read_to_end(&mut text);
    drop(tokio::time::timeout(PATIENCE, read).await.expect("the server closes"));
    String::from_utf8_lossy(&text).into_owned()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_thousand_silent_connections_do_not_keep_out_a_caller() {
    let address = server().await;
    let mut silent = Vec::new();
    for _ in 0..1_000 {
        silent.push(connect(address).await);
    }
    let begin = Instant::now();
    let request = http().post(format!("http://{address}/echo")).body("hello").send();
    assert_eq!(request.await.expect("an answer").text().await.expect("a text"), "hello");
    assert!(begin.elapsed() < PATIENCE, "{:?}", begin.elapsed());
    drop(silent);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_header_that_does_not_end_is_cut_off() {
    let mut stream = connect(server().await).await;
    stream.write_all(b"GET /large HTTP/1.1\r\nHost: a\r\n").await.expect("it is taken");
    let begin = Instant::now();
    rest(&mut stream).await;
    assert!(begin.elapsed() >= SHORT / 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_body_that_does_not_arrive_is_refused() {
    let mut stream = connect(server().await).await;
    let head = b"POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: 1000\r\n\r\nhello";
    stream.write_all(head).await.expect("it is taken");
    let answer = rest(&mut stream).await;
    assert!(answer.starts_with("HTTP/1.1 400"), "{answer}");
    assert!(answer.contains(r#""code":"body_incomplete""#), "{answer}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_caller_that_sends_too_much_reads_why_it_is_refused() {
    let mut stream = connect(server().await).await;
    let body = vec![b' '; 6 * 1024 * 1024];
    let head = format!("POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: {}\r\n\r\n", body.len());
    stream.write_all(head.as_bytes()).await.expect("it is taken");
    stream.write_all(&body).await.expect("the server reads what it refuses");
    let mut status = [0; 12];
    stream.read_exact(&mut status).await.expect("an answer");
    assert_eq!(&status, b"HTTP/1.1 413");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_caller_that_asks_first_is_refused_before_it_sends() {
    let mut stream = connect(server().await).await;
    let head = "POST /refuse HTTP/1.1\r\nHost: a\r\nContent-Length: 6000000\r\n\
                Expect: 100-continue\r\n\r\n";
    stream.write_all(head.as_bytes()).await.expect("it is taken");
    let mut status = [0; 12];
    stream.read_exact(&mut status).await.expect("an answer");
    assert_eq!(&status, b"HTTP/1.1 403");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_answer_that_nobody_takes_is_given_up() {
    let address = server().await;
    let mut deaf = Vec::new();
    for _ in 0..LIMITS.connections {
        let mut stream = connect(address).await;
        let head = b"GET /large HTTP/1.1\r\nHost: a\r\n\r\n";
        stream.write_all(head).await.expect("it is taken");
        deaf.push(stream);
    }
    let request = http().post(format!("http://{address}/echo")).body("hello").send();
    assert_eq!(request.await.expect("an answer").text().await.expect("a text"), "hello");
    drop(deaf);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_that_stops_lets_go_of_idle_callers() {
    let listener = TcpListener::bind(("127.0.0.1", 0)).await.expect("a port is free");
    let address = listener.local_addr().expect("it is bound");
    let limits = Limits { header_timeout: PATIENCE, drain_timeout: PATIENCE, ..LIMITS };
    let (stop, stopped) = tokio::sync::oneshot::channel::<()>();
    let served = tokio::spawn(serve(listener, Router::new(), limits, async move {
        drop(stopped.await);
    }));
    let mut idle = connect(address).await;
    idle.write_all(b"GET / HTTP/1.1\r\nHost: a\r\n\r\n").await.expect("it is taken");
    let mut first = [0; 12];
    idle.read_exact(&mut first).await.expect("an answer");
    assert_eq!(&first, b"HTTP/1.1 404");
    drop(stop);
    let ended = tokio::time::timeout(PATIENCE / 2, served).await;
    ended.expect("well before the drain's end").expect("without a panic");
}
