//! What a holder asks of a member: a body, and a presentation whose nonce is the body's hash.

use etibar_client::clock;
use etibar_credential::{
    UnixSeconds,
    jose::SoftwareKey,
    sd_jwt::{ClaimPath, KeyBinding, SdJwt},
};
use etibar_openid::{
    Private,
    http::{Answer, JSON, Request},
    member::{self, HolderAction, HolderEnvelope, HolderRequest, Message, body_nonce},
};
use etibar_primitives::{MemberId, OperationId, hex};
use serde_json::Value;

use crate::{
    WalletError,
    holder::{Holder, PAIRWISE, PID},
    id::EntryId,
    label,
    record::{CredentialRecord, Instance},
    store::Kind,
};

/// The claim by which agencies find a person.
const FIN: &str = "personal_administrative_number";

impl Holder {
    /// Asks `member` for something at `/v1/holder/{path}`.
    pub(crate) async fn ask_member(
        &self,
        member: MemberId,
        path: &str,
        request: HolderAction,
    ) -> Result<Answer, WalletError> {
        let base = self.wallet.inner.members.url(member)?.to_owned();
        let body = HolderRequest {
            id: OperationId(rand::random::<u128>().max(1)),
            audience: base.clone(),
            made_at: clock::now(),
            request,
        };
        let url = format!("{base}/v1/holder/{path}");
        self.send_envelope(member, &url, &base, &body).await
    }

    /// Sends `body` to `url` of `member` in an envelope that only this person can make.
    pub(crate) async fn send_envelope(
        &self,
        member: MemberId,
        url: &str,
        audience: &str,
        body: &impl Message,
    ) -> Result<Answer, WalletError> {
        let body = member::render(body)?;
        let nonce = body_nonce(&body);
        let presentation = self.identify(member, audience, &nonce).await?;
        let body = String::from_utf8(body).expect("JSON is UTF-8");
        let envelope = HolderEnvelope { body: Private(body), presentation: Private(presentation) };
        let request = Request::post(url, JSON, member::render(&envelope)?);
        let answer = self.wallet.inner.members.send(member, request).await?;
        crate::members::accepted(member, answer)
    }

    /// A presentation that says to `member` who the person is to it, and no more: to a bank its
    /// own number of the person, to an agency the FIN.
    async fn identify(
        &self,
        member: MemberId,
        audience: &str,
        nonce: &str,
    ) -> Result<String, WalletError> {
        let to_bank = etibar_credential::catalogue::BANKS.contains(&member.0);
        let (id, mut record) = if to_bank {
            self.pairwise(member).await?
        } else {
            self.find(PID).await?.ok_or_else(|| missing(PID))?
        };
        let shown: Vec<ClaimPath> = if to_bank {
            vec![label::member("member"), label::member("ppid")]
        } else {
            vec![label::member(FIN)]
        };
        // Agencies learn the FIN anyway: all of them see the instance that the registrar has seen,
        // so that asking each of them uses up one.
        let knower = if to_bank { member } else { self.wallet.inner.members.registrar() };
        let at = pick(&record, knower).ok_or_else(|| missing(&record.vct))?;
        let instance = &mut record.instances[at];
        let presentation = present(instance, &shown, audience, nonce, &[])?;
        if instance.shown_to.is_none() {
            instance.shown_to = Some(knower);
            self.records.put(Kind::Credential, id, &record, clock::now()).await?;
        }
        Ok(presentation)
    }

    /// The number by which `bank` knows the person.
    pub(crate) async fn pairwise(
        &self,
        bank: MemberId,
    ) -> Result<(EntryId, CredentialRecord), WalletError> {
        let all: Vec<(EntryId, CredentialRecord)> = self.records.all(Kind::Credential).await?;
        let for_bank = |record: &CredentialRecord| {
            record.vct == PAIRWISE && names_member(&record.claims, bank)
        };
        all.into_iter().find(|(_, record)| for_bank(record)).ok_or_else(|| missing(PAIRWISE))
    }
}

/// Whether the credential is for `member`.
pub(crate) fn names_member(claims: &Value, member: MemberId) -> bool {
    claims.get("member").and_then(Value::as_u64) == Some(u64::from(member.0))
}

/// The instance to show to `member`: the one it has seen before, or one that nobody has seen.
pub(crate) fn pick(record: &CredentialRecord, member: MemberId) -> Option<usize> {
    let seen = |its: &Instance| its.shown_to == Some(member);
    let mut instances = record.instances.iter();
    instances
        .position(seen)
        .or_else(|| record.instances.iter().position(|its| its.shown_to.is_none()))
}

/// Presents the claims at `shown` of an instance.
pub(crate) fn present(
    instance: &Instance,
    shown: &[ClaimPath],
    audience: &str,
    nonce: &str,
    transaction_data: &[String],
) -> Result<String, WalletError> {
    let unusable = |_| WalletError::EntryUnknown;
    let sd_jwt = SdJwt::parse(&instance.sd_jwt).map_err(unusable)?;
    let issued_at = UnixSeconds::from(clock::now());
    let binding = KeyBinding { nonce, audience, issued_at, transaction_data };
    let chosen = sd_jwt.select(shown).map_err(unusable)?;
    chosen.bind(&binding, &holder_key(instance)?).map_err(unusable)
}

/// The key that an instance is bound to.
pub(crate) fn holder_key(instance: &Instance) -> Result<SoftwareKey, WalletError> {
    let secret = hex::decode_array(&instance.key).ok_or(WalletError::EntryUnknown)?;
    SoftwareKey::from_bytes(&secret).ok_or(WalletError::EntryUnknown)
}

pub(crate) fn missing(vct: &str) -> WalletError {
    WalletError::CredentialMissing(vct.to_owned())
}
