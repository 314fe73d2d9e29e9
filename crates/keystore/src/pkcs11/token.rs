//! One token: sessions, keys, and what its errors mean.

use std::{
    path::PathBuf,
    sync::{Mutex, PoisonError},
};

use cryptoki::{
    context::{CInitializeArgs, CInitializeFlags, Pkcs11},
    error::{Error, RvError},
    mechanism::Mechanism,
    object::{Attribute, AttributeType, KeyType, ObjectClass, ObjectHandle},
    session::UserType,
    slot::Slot,
    types::AuthPin,
};
use etibar_credential::jose::{PublicKey, sha256};

use crate::KeyFault;

/// `secp256r1` as an object identifier in DER: `CKA_EC_PARAMS` (RFC 5480 §2.1.1.1).
const P256: [u8; 10] = [0x06, 0x08, 0x2A, 0x86, 0x48, 0xCE, 0x3D, 0x03, 0x01, 0x07];
/// Tag and length of a DER octet string with 65 bytes: what `CKA_EC_POINT` is wrapped in.
const POINT_PREFIX: [u8; 2] = [0x04, 0x41];
/// Bytes of an uncompressed point.
const POINT_BYTES: usize = 65;
/// Bytes of a new key's `CKA_ID`.
const ID_BYTES: usize = 16;

/// A token and what opens it.
pub(super) struct Place {
    module: PathBuf,
    token: String,
    login: Mutex<Login>,
}

/// The PIN, and whether it is still worth trying.
struct Login {
    pin: AuthPin,
    refused: Option<Refusal>,
}

/// Why the token takes the PIN no longer.
#[derive(Clone, Copy)]
enum Refusal {
    Incorrect,
    Locked,
}

/// A session with its key. Closed when dropped.
pub(super) struct Session {
    session: cryptoki::session::Session,
    key: ObjectHandle,
}

impl Place {
    pub(super) fn new(module: PathBuf, token: String, pin: AuthPin) -> Self {
        Self { module, token, login: Mutex::new(Login { pin, refused: None }) }
    }

    /// A session that is logged in, with the private key `label`.
    pub(super) fn connect(&self, label: &str) -> Result<Session, KeyFault> {
        let (module, slot) = self.find()?;
        let session = module.open_ro_session(slot).map_err(failed)?;
        self.log_in(&session)?;
        let key = self.private_key(&session, label)?;
        Ok(Session { session, key })
    }

    /// Makes a key pair whose private half never leaves the token.
    pub(super) fn generate(&self, label: &str) -> Result<PublicKey, KeyFault> {
        let (module, slot) = self.find()?;
        let session = module.open_rw_session(slot).map_err(failed)?;
        self.log_in(&session)?;
        match self.private_key(&session, label) {
            Err(KeyFault::KeyMissing { .. }) => {}
            Err(other) => return Err(other),
            Ok(_) => return Err(KeyFault::Exists),
        }
        let id: [u8; ID_BYTES] = rand::random();
        let named = [Attribute::Label(label.into()), Attribute::Id(id.into())];
        let mut public = vec![
            Attribute::Token(true),
            Attribute::Private(false),
            Attribute::Verify(true),
            Attribute::EcParams(P256.into()),
        ];
        public.extend(named.clone());
        let mut private = vec![
            Attribute::Token(true),
            Attribute::Private(true),
            Attribute::Sensitive(true),
            Attribute::Extractable(false),
            Attribute::Sign(true),
        ];
        private.extend(named);
        let made = session.generate_key_pair(&Mechanism::EccKeyPairGen, &public, &private);
        let (public, _) = made.map_err(failed)?;
        point(&session, public, label)
    }

    /// The public half of the key `label`.
    pub(super) fn public_key(&self, label: &str) -> Result<PublicKey, KeyFault> {
        let (module, slot) = self.find()?;
        let session = module.open_ro_session(slot).map_err(failed)?;
        self.log_in(&session)?;
        let key = self.only(&session, label, ObjectClass::PUBLIC_KEY)?;
        point(&session, key, label)
    }

    /// The module, started, and the slot of the token.
    fn find(&self) -> Result<(Pkcs11, Slot), KeyFault> {
        let unusable =
            |error: Error| KeyFault::Module { path: self.module.clone(), why: error.to_string() };
        let module = Pkcs11::new(&self.module).map_err(unusable)?;
        match module.initialize(CInitializeArgs::new(CInitializeFlags::OS_LOCKING_OK)) {
            Ok(()) | Err(Error::Pkcs11(RvError::CryptokiAlreadyInitialized, _)) => {}
            Err(error) => return Err(unusable(error)),
        }
        let slots = module.get_slots_with_initialized_token().map_err(failed)?;
        let named = |slot: &Slot| {
            let info = module.get_token_info(*slot);
            info.is_ok_and(|info| info.label().trim_end() == self.token)
        };
        let mut named = slots.into_iter().filter(named);
        let slot = named.next().ok_or_else(|| KeyFault::TokenMissing(self.token.clone()))?;
        if named.next().is_some() {
            return Err(KeyFault::TokenAmbiguous(self.token.clone()));
        }
        drop(named);
        Ok((module, slot))
    }

    /// Logs in, unless the token refused the PIN before: each try brings it closer to its lock.
    fn log_in(&self, session: &cryptoki::session::Session) -> Result<(), KeyFault> {
        let mut login = self.login.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(refusal) = login.refused {
            return Err(self.refusal(refusal));
        }
        let refusal = match session.login(UserType::User, Some(&login.pin)) {
            // The whole program is logged in, not the session (PKCS #11 v3.0 §5.6.8).
            Ok(()) | Err(Error::Pkcs11(RvError::UserAlreadyLoggedIn, _)) => return Ok(()),
            Err(Error::Pkcs11(
                RvError::PinIncorrect | RvError::PinInvalid | RvError::PinLenRange,
                _,
            )) => Refusal::Incorrect,
            Err(Error::Pkcs11(
                RvError::PinLocked | RvError::PinExpired | RvError::UserPinNotInitialized,
                _,
            )) => Refusal::Locked,
            Err(error) => return Err(failed(error)),
        };
        login.refused = Some(refusal);
        Err(self.refusal(refusal))
    }

    fn refusal(&self, refusal: Refusal) -> KeyFault {
        match refusal {
            Refusal::Incorrect => KeyFault::PinIncorrect(self.token.clone()),
            Refusal::Locked => KeyFault::PinLocked(self.token.clone()),
        }
    }

    /// The private key `label`, if it is one that cannot leave.
    fn private_key(
        &self,
        session: &cryptoki::session::Session,
        label: &str,
    ) -> Result<ObjectHandle, KeyFault> {
        let key = self.only(session, label, ObjectClass::PRIVATE_KEY)?;
        let asked = [AttributeType::Extractable, AttributeType::Sensitive, AttributeType::Sign];
        let attributes = session.get_attributes(key, &asked).map_err(failed)?;
        let has = |wanted: &Attribute| attributes.contains(wanted);
        let unfit = |why| KeyFault::KeyUnfit { key: label.to_owned(), why };
        if !has(&Attribute::Extractable(false)) || !has(&Attribute::Sensitive(true)) {
            return Err(unfit("the token would give it out"));
        }
        if !has(&Attribute::Sign(true)) {
            return Err(unfit("it is not for signatures"));
        }
        Ok(key)
    }

    fn only(
        &self,
        session: &cryptoki::session::Session,
        label: &str,
        class: ObjectClass,
    ) -> Result<ObjectHandle, KeyFault> {
        let template = [
            Attribute::Class(class),
            Attribute::KeyType(KeyType::EC),
            Attribute::Label(label.into()),
        ];
        let (token, key) = (self.token.clone(), label.to_owned());
        match session.find_objects(&template).map_err(failed)?.as_slice() {
            [] => Err(KeyFault::KeyMissing { token, key }),
            [one] => Ok(*one),
            _ => Err(KeyFault::KeyAmbiguous { token, key }),
        }
    }
}

impl Session {
    /// The ES256 signature (`r ‖ s`) over `message`, which is hashed here: `CKM_ECDSA` is what
    /// every module has, and it signs the digest as it comes.
    pub(super) fn sign(&self, message: &[u8]) -> Result<[u8; 64], KeyFault> {
        let digest = sha256(message);
        let signature = self.session.sign(&Mechanism::Ecdsa, self.key, &digest).map_err(failed)?;
        signature.try_into().map_err(|_| KeyFault::Signature)
    }

    /// Whether session and key are still there.
    pub(super) fn check(&self) -> Result<(), KeyFault> {
        let asked = [AttributeType::Class];
        self.session.get_attributes(self.key, &asked).map(drop).map_err(failed)
    }
}

fn point(
    session: &cryptoki::session::Session,
    key: ObjectHandle,
    label: &str,
) -> Result<PublicKey, KeyFault> {
    let attributes = session.get_attributes(key, &[AttributeType::EcPoint]).map_err(failed)?;
    let bytes = attributes.into_iter().find_map(|attribute| match attribute {
        Attribute::EcPoint(bytes) => Some(bytes),
        _ => None,
    });
    let unfit = || KeyFault::KeyUnfit { key: label.to_owned(), why: "it is not on P-256" };
    let bytes = bytes.ok_or_else(unfit)?;
    // Some modules leave the wrapping out.
    let inner = bytes.strip_prefix(&POINT_PREFIX).filter(|inner| inner.len() == POINT_BYTES);
    PublicKey::from_sec1(inner.unwrap_or(&bytes)).ok_or_else(unfit)
}

#[allow(clippy::needless_pass_by_value, reason = "it stands in map_err")]
fn failed(error: Error) -> KeyFault {
    // The function and the return value's own sentence; neither holds a value of ours.
    KeyFault::Token(error.to_string())
}
