//! Sending what a person approved: once, and also when the wallet was closed before it left.

use std::{
    collections::HashSet,
    sync::{Mutex, MutexGuard, PoisonError},
};

use etibar_client::clock;
use etibar_credential::sd_jwt::SdJwt;
use etibar_openid::vp::holder::{Choice, PresentError, fetch};
use etibar_primitives::hex;
use serde::Deserialize;

use crate::{
    WalletError,
    envelope::holder_key,
    holder::Holder,
    id::EntryId,
    issue::entropy,
    members::{accepted, is_final},
    present::Chosen,
    record::{CredentialRecord, RequestRecord},
    request::Checked,
    store::Kind,
};

/// What a requester says to a second answer when it took the first, or has ended with it.
const HAS_IT: [&str; 2] = ["answer_replayed", "session_closed"];

/// The requests that this process answers now.
#[derive(Debug, Default)]
pub(crate) struct Answering(Mutex<HashSet<EntryId>>);

impl Answering {
    /// Until the result is dropped no other call answers the request; `None` when one does.
    pub(crate) fn begin(&self, request: EntryId) -> Option<Turn<'_>> {
        let is_first = self.all().insert(request);
        is_first.then(|| Turn { of: self, request })
    }

    fn all(&self) -> MutexGuard<'_, HashSet<EntryId>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The turn of one call to answer a request.
#[derive(Debug)]
pub(crate) struct Turn<'a> {
    of: &'a Answering,
    request: EntryId,
}

impl Drop for Turn<'_> {
    fn drop(&mut self) {
        self.of.all().remove(&self.request);
    }
}

/// What a requester says when it took an answer.
#[derive(Debug, Default, Deserialize)]
pub(crate) struct Taken {
    /// Where the person goes on (OpenID4VP §8.2).
    #[serde(skip)]
    pub(crate) redirect_uri: Option<String>,
    /// A bank's session, which tells what came of it.
    #[serde(default)]
    session: Option<String>,
    /// The product that the session is for.
    #[serde(default)]
    product: Option<String>,
}

impl Holder {
    /// Writes down what the requester said to the answer: under which session it stands. What it
    /// refuses gives no consent, nor does what never left; where it is silent, it may have the
    /// answer, and the consents stay.
    pub(crate) async fn note_sent(
        &self,
        request: EntryId,
        record: &mut RequestRecord,
        sent: Result<Taken, WalletError>,
    ) -> Result<(), WalletError> {
        match sent {
            Ok(taken) => {
                record.session = record.session.take().or(taken.session);
                record.product = record.product.take().or(taken.product);
                Ok(self.records.put(Kind::Request, request, record, clock::now()).await?)
            }
            Err(error) if is_final(&error) || never_left(&error) => {
                self.take_back(request, record).await?;
                Err(error)
            }
            Err(error) => Err(error),
        }
    }

    /// Sends an approved answer that the requester still waits for: the wallet was closed before
    /// it left. The person's consents and their evidence were written down before.
    ///
    /// # Errors
    /// [`WalletError::ScreenChanged`] when the answer would say something else by now: then the
    /// request waits for the person again.
    pub(crate) async fn resume_answer(
        &self,
        request: EntryId,
        record: &mut RequestRecord,
    ) -> Result<(), WalletError> {
        if record.outcome.is_some() || record.expires <= clock::now() {
            return Ok(());
        }
        let Some(_turn) = self.wallet.inner.answering.begin(request) else { return Ok(()) };
        if !self.is_awaited(record).await? {
            return Ok(());
        }
        let checked = self.wallet.check(record).await?;
        if self.bring_up_to_date(&checked).await? {
            self.take_back(request, record).await?;
            return Err(WalletError::ScreenChanged);
        }
        let chosen = self.choose(&checked).await?;
        match self.send(&checked, &chosen).await {
            // An answer that was on its way was taken meanwhile: what came of it is asked next.
            Err(WalletError::Refused { code, .. }) if HAS_IT.contains(&code.as_str()) => Ok(()),
            sent => self.note_sent(request, record, sent).await,
        }
    }

    /// Whether the requester still gives the request out, as it does until it has an answer.
    async fn is_awaited(&self, record: &RequestRecord) -> Result<bool, WalletError> {
        let wallet_nonce = entropy().text("wallet/nonce");
        let question = fetch(&record.reference, &wallet_nonce);
        let answer = self.wallet.inner.members.send(record.requester, question).await?;
        match answer.status {
            404 | 410 => Ok(false),
            _ => accepted(record.requester, answer).map(|_| true),
        }
    }

    /// The consents of an answer that was not taken are no more; the request is open again.
    async fn take_back(
        &self,
        request: EntryId,
        record: &mut RequestRecord,
    ) -> Result<(), WalletError> {
        let mut batch = self.records.batch();
        for consent in record.given.drain(..) {
            batch.remove(Kind::Consent, consent);
        }
        batch.put(Kind::Request, request, record);
        Ok(batch.commit(clock::now()).await?)
    }

    /// Sends the presentation, after each instance is marked as shown: a crash in between costs
    /// an instance and never shows one to two.
    pub(crate) async fn send(
        &self,
        checked: &Checked,
        chosen: &[Chosen],
    ) -> Result<Taken, WalletError> {
        let verifier = checked.request.verifier();
        let mut parts = Vec::new();
        for one in chosen {
            let record: Option<CredentialRecord> =
                self.records.get(Kind::Credential, one.entry).await?;
            let mut record = record.ok_or(WalletError::EntryUnknown)?;
            let instance = record.instances.get_mut(one.at).ok_or(WalletError::EntryUnknown)?;
            let sd_jwt = SdJwt::parse(&instance.sd_jwt).map_err(|_| WalletError::EntryUnknown)?;
            parts.push((sd_jwt, holder_key(instance)?));
            if instance.shown_to.is_none() {
                instance.shown_to = Some(verifier);
                self.records.put(Kind::Credential, one.entry, &record, clock::now()).await?;
            }
        }
        let choices: Vec<Choice<'_>> = chosen
            .iter()
            .zip(&parts)
            .map(|(one, (credential, holder))| Choice {
                query: &one.query,
                credential,
                disclose: &one.disclose,
                holder,
            })
            .collect();
        let refused = |error: PresentError| match error {
            PresentError::Refused { status, code } => WalletError::Refused {
                member: verifier.0,
                code: code.unwrap_or_else(|| format!("http_{status}")),
            },
            error => WalletError::RequestMalformed(error.code()),
        };
        let request = checked.request.present(&choices, clock::now(), &entropy());
        let answer = self.wallet.inner.members.send(verifier, request.map_err(refused)?).await?;
        let redirect_uri = checked.request.finish(&answer).map_err(refused)?;
        let mut taken = Taken { redirect_uri, ..answer.read().unwrap_or_default() };
        // It becomes a part of an address.
        taken.session = taken.session.filter(|id| hex::decode_array::<16>(id).is_some());
        Ok(taken)
    }
}

/// Whether the answer could not even be made.
const fn never_left(error: &WalletError) -> bool {
    matches!(error, WalletError::RequestMalformed(_) | WalletError::EntryUnknown)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_request_is_answered_by_one_call_at_a_time() {
        let (answering, request) = (Answering::default(), EntryId([7; 16]));
        let turn = answering.begin(request).expect("nobody else");
        assert!(answering.begin(request).is_none());
        assert!(answering.begin(EntryId([8; 16])).is_some(), "another request");
        drop(turn);
        assert!(answering.begin(request).is_some());
    }
}
