//! The steps of one issuance over HTTP, in their order.

use std::time::Duration;

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

/// How long the wallet waits for a deferred credential before it tells the person, in seconds.
const DEFERRED_WAIT_MAX_S: u64 = 15;

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
    ) -> Result<(Vec<Private<String>>, Option<String>), WalletError> {
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
        match self.exchange(build, |session, answer| session.delivery(answer, count)).await? {
            Delivery::Ready { credentials, notification_id } => Ok((credentials, notification_id)),
            Delivery::Deferred { transaction_id, interval_s } => {
                self.wait(&transaction_id, interval_s, count).await
            }
        }
    }

    /// Asks again for deferred credentials, as long as a person would wait.
    async fn wait(
        &mut self,
        transaction: &str,
        mut interval_s: u64,
        count: usize,
    ) -> Result<(Vec<Private<String>>, Option<String>), WalletError> {
        let mut waited_s = 0;
        while waited_s + interval_s <= DEFERRED_WAIT_MAX_S {
            tokio::time::sleep(Duration::from_secs(interval_s)).await;
            waited_s += interval_s;
            let build = |session: &mut Session, dpop: &dyn Signer, entropy: &Entropy| {
                session.deferred_request(transaction, dpop, clock::now(), entropy)
            };
            match self.exchange(build, |session, answer| session.delivery(answer, count)).await? {
                Delivery::Ready { credentials, notification_id } => {
                    return Ok((credentials, notification_id));
                }
                Delivery::Deferred { interval_s: again_s, .. } => interval_s = again_s,
            }
        }
        Err(WalletError::Refused { member: self.issuer.0, code: "issuance_deferred".to_owned() })
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
