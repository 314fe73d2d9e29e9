//! A wallet that fetches credentials over HTTP, made of the protocol's own holder side.

use axum::{Router, body::Body};
use etibar_credential::{
    jose::{Signer, SoftwareKey},
    sd_jwt::SdJwt,
};
use etibar_openid::{
    Entropy,
    http::{Answer as Protocol, Request},
    vci::{
        CredentialOffer,
        holder::{
            Delivery, Session, Wallet, metadata_request, read_metadata, read_server_metadata,
            server_metadata_request,
        },
    },
};
use etibar_primitives::BlockTime;

use super::ask;

/// Where the wallet's person is sent back to.
pub(crate) const REDIRECT: &str = "https://wallet.example/back";

pub(crate) fn entropy() -> Entropy {
    Entropy::new(rand::random())
}

pub(crate) fn key() -> SoftwareKey {
    SoftwareKey::generate(&mut rand::rng())
}

/// A server that a wallet speaks to.
pub(crate) struct Server {
    pub(crate) router: Router,
    pub(crate) base: String,
}

impl Server {
    /// Carries a wallet's request.
    pub(crate) async fn send(&self, request: &Request) -> Protocol {
        let path = request.url.strip_prefix(&self.base).expect("a path of the server");
        let mut carried = axum::http::Request::builder().method(request.method).uri(path);
        for (name, value) in &request.headers {
            carried = carried.header(*name, value);
        }
        let body = Body::from(request.body.clone());
        let answer = ask(self.router.clone(), carried.body(body).expect("a request")).await;
        let headers = answer.headers.iter();
        let text = |value: &axum::http::HeaderValue| value.to_str().expect("a text").to_owned();
        Protocol {
            status: answer.status,
            headers: headers.map(|(name, value)| (name.to_string(), text(value))).collect(),
            body: answer.text.into_bytes(),
        }
    }

    /// A wallet's session with the issuer, by its metadata.
    pub(crate) async fn session(&self) -> Session {
        let issuer = self.send(&metadata_request(&self.base).expect("a URL")).await;
        let issuer = read_metadata(&self.base, &issuer).expect("metadata");
        let server = self.send(&server_metadata_request(&issuer).expect("a URL")).await;
        let server = read_server_metadata(&issuer, &server).expect("metadata");
        let client_id = "wallet".to_owned();
        Session::new(Wallet { client_id, redirect_uri: REDIRECT.to_owned() }, issuer, server)
    }

    /// Redeems an offer: `count` credentials of one configuration.
    pub(crate) async fn redeem(
        &self,
        offer: &CredentialOffer,
        configuration: &str,
        count: usize,
        now: BlockTime,
    ) -> Vec<(SdJwt, SoftwareKey)> {
        let (mut session, dpop) = (self.session().await, key());
        for attempt in 0..2 {
            let request = session.redeem_offer(offer, None, &dpop, now, &entropy());
            // The issuer asks for its nonce in the proof the first time.
            match session.token(&self.send(&request.expect("asked")).await) {
                Ok(()) => break,
                Err(error) => assert_eq!(attempt, 0, "{error}"),
            }
        }
        let nonce = self.send(&session.nonce_request().expect("a nonce endpoint")).await;
        let nonce = session.nonce(&nonce).expect("a nonce");
        let keys: Vec<SoftwareKey> = (0..count).map(|_| key()).collect();
        let mut signers: Vec<&dyn Signer> = Vec::new();
        for key in &keys {
            signers.push(key);
        }
        let request =
            session.credential_request(configuration, &nonce, &signers, &dpop, now, &entropy());
        let answer = self.send(&request.expect("asked")).await;
        let delivery = session.delivery(&answer, count).expect("delivered");
        let Delivery::Ready { credentials, .. } = delivery else { panic!("not deferred") };
        let credentials = credentials.iter().map(|text| SdJwt::parse(&text.0).expect("ours"));
        credentials.zip(keys).collect()
    }
}
