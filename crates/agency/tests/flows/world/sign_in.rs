//! A wallet that signs in at the registrar with the PID and fetches credentials.

use etibar_agency::sign_in::SignInError;
use etibar_credential::{
    jose::{Signer, SoftwareKey},
    sd_jwt::{ClaimPath, SdJwt},
    trust::{TrustEntry, TrustRegistry},
};
use etibar_openid::{
    http::{Answer, Request},
    vci::{
        CredentialOffer,
        holder::{Delivery, HolderError, Session},
        issuer::Incoming,
    },
    vp::{
        RequestReference,
        holder::{Choice, check_request, fetch},
    },
};
use serde_json::Value;

use super::{Device, World, entropy, key};

/// A wallet whose person has signed in.
pub(crate) struct SignedIn {
    session: Session,
    dpop: SoftwareKey,
}

impl World {
    /// Signs in with the device's PID, to fetch `configurations`; the code of the refusal.
    pub(crate) async fn sign_in(
        &self,
        device: &Device,
        configurations: &[&str],
    ) -> Result<SignedIn, String> {
        let (mut session, dpop) = (self.session(), key());
        let configurations: Vec<String> = configurations.iter().map(|its| (*its).into()).collect();
        let mut url = None;
        while url.is_none() {
            let request =
                session.push(&configurations, None, &dpop, self.now(), &entropy()).unwrap();
            let incoming =
                Incoming { body: &request.body, authorization: None, dpop: request.header("dpop") };
            match session.pushed(&self.agency.push(incoming).await) {
                Err(HolderError::UseNonce) => {}
                pushed => url = Some(pushed.unwrap()),
            }
        }
        let url = url.unwrap();
        let query = url.split_once('?').unwrap().1;
        let asked = self.agency.authorize(query).await.map_err(|error| code(&error))?;
        let back = self.present(device, asked.header("location").unwrap()).await?;
        let authorization = session.redirected(&back).unwrap();
        let request = session.redeem_code(&authorization, &dpop, self.now(), &entropy()).unwrap();
        session.token(&self.send(&request).await).unwrap();
        Ok(SignedIn { session, dpop })
    }

    /// Accepts an offer: the token is there.
    pub(crate) async fn accept(&self, offer: &str) -> SignedIn {
        let id = offer.rsplit("%2F").next().unwrap();
        let offer = self.agency.offer(id).await.unwrap().expect("the offer is served");
        let offer = CredentialOffer::parse(&offer.body).unwrap();
        let (mut session, dpop) = (self.session(), key());
        let first = session.redeem_offer(&offer, None, &dpop, self.now(), &entropy()).unwrap();
        let answer = self.send(&first).await;
        if session.token(&answer).is_err() {
            // The issuer asks for its nonce in the proof.
            let again = session.redeem_offer(&offer, None, &dpop, self.now(), &entropy()).unwrap();
            session.token(&self.send(&again).await).unwrap();
        }
        SignedIn { session, dpop }
    }

    /// Answers the agency's request for the PID: where the wallet is sent back to.
    async fn present(&self, device: &Device, link: &str) -> Result<String, String> {
        let reference = RequestReference::parse(link).unwrap();
        let id = reference.request_uri.rsplit('/').next().unwrap();
        let asked = fetch(&reference, "wallet-nonce");
        assert_eq!(asked.method, "POST");
        let object = self
            .agency
            .request_object(id, Some("wallet-nonce"))
            .await
            .map_err(|error| code(&error))?;
        let object = String::from_utf8(object.body).unwrap();
        let registry = self.registry();
        let request = check_request(&object, &reference, "wallet-nonce", &registry, self.now());
        let request = request.unwrap();
        let (credential, holder) = &device.held["pid"][0];
        let number = [ClaimPath::of(&["personal_administrative_number"])];
        let choice = Choice { query: "pid", credential, disclose: &number, holder };
        let answer = request.present(&[choice], self.now(), &entropy()).unwrap();
        let id = answer.url.rsplit('/').next().unwrap();
        let taken = self.agency.response(id, &answer.body).await.map_err(|error| code(&error))?;
        Ok(request.finish(&taken).unwrap().unwrap())
    }

    /// Fetches one credential for each of `keys`; the code of the refusal.
    pub(crate) async fn fetch(
        &self,
        signed: &mut SignedIn,
        configuration: &str,
        keys: &[&SoftwareKey],
    ) -> Result<Vec<SdJwt>, String> {
        let request = self.request(signed, configuration, keys).await;
        let delivery = self.delivered(signed, &request, keys.len()).await?;
        delivery.map_err(|_| "deferred".to_owned())
    }

    async fn request(
        &self,
        signed: &mut SignedIn,
        configuration: &str,
        keys: &[&SoftwareKey],
    ) -> Request {
        let SignedIn { session, dpop } = signed;
        let nonce = session.nonce(&self.send(&session.nonce_request().unwrap()).await).unwrap();
        let mut signers: Vec<&dyn Signer> = Vec::new();
        for key in keys {
            signers.push(*key);
        }
        session
            .credential_request(configuration, &nonce, &signers, dpop, self.now(), &entropy())
            .unwrap()
    }

    /// Orders one credential for each of `keys`, which the agency defers: the transaction.
    pub(crate) async fn order(
        &self,
        signed: &mut SignedIn,
        configuration: &str,
        keys: &[&SoftwareKey],
    ) -> String {
        let request = self.request(signed, configuration, keys).await;
        self.delivered(signed, &request, keys.len()).await.unwrap().unwrap_err()
    }

    /// Asks again for a deferred order: the credentials, or the transaction again; the code of the
    /// refusal.
    pub(crate) async fn ask_again(
        &self,
        signed: &mut SignedIn,
        transaction: &str,
        count: usize,
    ) -> Result<Result<Vec<SdJwt>, String>, String> {
        let SignedIn { session, dpop } = signed;
        let again = |session: &Session| {
            session.deferred_request(transaction, dpop, self.now(), &entropy()).unwrap()
        };
        // Nonces do not last over a pause.
        let first = self.send(&again(session)).await;
        let request = match session.delivery(&first, count) {
            Err(HolderError::UseNonce) => again(session),
            _ => return Self::read(signed, &first, count),
        };
        self.delivered(signed, &request, count).await
    }

    async fn delivered(
        &self,
        signed: &mut SignedIn,
        request: &Request,
        count: usize,
    ) -> Result<Result<Vec<SdJwt>, String>, String> {
        let answer = self.send(request).await;
        Self::read(signed, &answer, count)
    }

    fn read(
        signed: &mut SignedIn,
        answer: &Answer,
        count: usize,
    ) -> Result<Result<Vec<SdJwt>, String>, String> {
        if !(200..=299).contains(&answer.status) {
            return Err(refusal(answer));
        }
        match signed.session.delivery(answer, count).unwrap() {
            Delivery::Ready { credentials, .. } => {
                Ok(Ok(credentials.iter().map(|text| SdJwt::parse(&text.0).unwrap()).collect()))
            }
            Delivery::Deferred { transaction_id, .. } => {
                assert_eq!(answer.status, 202);
                Ok(Err(transaction_id))
            }
        }
    }

    fn registry(&self) -> TrustRegistry {
        let issuers = self.ledger.issuers.lock().unwrap();
        TrustRegistry::new(issuers.iter().map(|view| TrustEntry {
            member: view.member,
            credential_type: view.credential_type,
            authority: view.certificate.0,
            ceiling: etibar_credential::level::AssuranceLevel::High,
            valid_from: view.valid_from.into(),
            valid_until: view.valid_until.into(),
        }))
    }
}

fn code(error: &SignInError) -> String {
    refusal(&error.answer())
}

fn refusal(answer: &Answer) -> String {
    let body: Value = answer.read().unwrap();
    body["error_description"].as_str().or(body["error"].as_str()).unwrap().to_owned()
}
