//! The steps of one issuance over HTTP, in their order.

use etibar_client::clock;
use etibar_credential::jose::{Signer, SoftwareKey};
use etibar_openid::{
    Entropy, Private,
    http::{Answer, Request},
    vci::{
        CredentialOffer, NotificationEvent,
        holder::{Delivery, HolderError, Session},
    },
};

use super::{Issuance, entropy, issuing};
use crate::WalletError;

impl Issuance<'_> {
    /// Sends what `build` makes, and once more when the server wants its nonce in the proof.
    async fn exchange<T>(
        &mut self,
        build: impl Fn(&mut Session, &dyn Signer, &Entropy) -> Result<Request, HolderError>,
        read: impl Fn(&mut Session, &Answer) -> Result<T, HolderError>,
    ) -> Result<T, WalletError> {
        for last in [false, true] {
            let request = build(&mut self.session, &self.dpop, &entropy());
            let request = request.map_err(|error| issuing(self.issuer, error))?;
            let answer = self.wallet.inner.members.send(self.issuer, request).await?;
            match read(&mut self.session, &answer) {
                Err(HolderError::UseNonce) if !last => {}
                Err(error) => return Err(issuing(self.issuer, error)),
                Ok(value) => return Ok(value),
            }
        }
        unreachable!("the second round returns")
    }

    pub(super) async fn redeem(
        &mut self,
        offer: &CredentialOffer,
        tx_code: Option<&Private<String>>,
    ) -> Result<(), WalletError> {
        let build = |session: &mut Session, dpop: &dyn Signer, entropy: &Entropy| {
            session.redeem_offer(offer, tx_code, dpop, clock::now(), entropy)
        };
        self.exchange(build, Session::token).await
    }

    /// Pushes an authorization request: the address that authorizes it.
    pub(crate) async fn push(&mut self, configuration: &str) -> Result<String, WalletError> {
        let configurations = [configuration.to_owned()];
        let build = |session: &mut Session, dpop: &dyn Signer, entropy: &Entropy| {
            session.push(&configurations, None, dpop, clock::now(), entropy)
        };
        self.exchange(build, Session::pushed).await
    }

    /// Redeems the code in the address that the agency sent back to.
    pub(crate) async fn redeem_code(&mut self, url: &str) -> Result<(), WalletError> {
        let code = self.session.redirected(url).map_err(|error| issuing(self.issuer, error))?;
        let build = |session: &mut Session, dpop: &dyn Signer, entropy: &Entropy| {
            session.redeem_code(&code, dpop, clock::now(), entropy)
        };
        self.exchange(build, Session::token).await
    }

    /// Asks for a credential for each key, with a nonce of the issuer's.
    pub(super) async fn credentials(
        &mut self,
        configuration: &str,
        keys: &[SoftwareKey],
    ) -> Result<Delivery, WalletError> {
        let request = self.session.nonce_request().map_err(|error| issuing(self.issuer, error))?;
        let answer = self.wallet.inner.members.send(self.issuer, request).await?;
        let nonce = self.session.nonce(&answer).map_err(|error| issuing(self.issuer, error))?;
        let mut signers: Vec<&dyn Signer> = Vec::new();
        for key in keys {
            signers.push(key);
        }
        let build = |session: &mut Session, dpop: &dyn Signer, entropy: &Entropy| {
            let now = clock::now();
            session.credential_request(configuration, &nonce, &signers, dpop, now, entropy)
        };
        let count = keys.len();
        self.exchange(build, |session, answer| session.delivery(answer, count)).await
    }

    /// Asks again for `count` deferred credentials.
    pub(crate) async fn ask_again(
        &mut self,
        transaction: &str,
        count: usize,
    ) -> Result<Delivery, WalletError> {
        let build = |session: &mut Session, dpop: &dyn Signer, entropy: &Entropy| {
            session.deferred_request(transaction, dpop, clock::now(), entropy)
        };
        self.exchange(build, |session, answer| session.delivery(answer, count)).await
    }

    /// Tells the issuer what became of its credentials. A notice that is lost changes nothing.
    pub(super) async fn notify(&mut self, id: Option<String>, event: NotificationEvent) {
        let Some(id) = id else { return };
        let build = |session: &mut Session, dpop: &dyn Signer, entropy: &Entropy| {
            session.notification_request(&id, event, dpop, clock::now(), entropy)
        };
        if let Err(error) = self.exchange(build, Session::notified).await {
            tracing::info!(code = error.code(), "an issuer was not notified");
        }
    }
}
