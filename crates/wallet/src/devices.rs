//! The passkeys of a person: more than one, so that a lost device is no lost wallet.

use etibar_primitives::hex;

use crate::{
    WalletError,
    gesture::{Action, Gesture},
    holder::Holder,
    id::EntryId,
    passkey::NewPasskey,
    store::Session,
    view::PasskeyView,
};

/// Passkeys of one person.
pub const PASSKEYS_MAX: usize = 10;
/// The characters of what a person calls a device.
const NAME_CHARACTERS_MAX: usize = 60;

impl Holder {
    /// The person's passkeys with their names, the oldest first.
    pub async fn devices(&self) -> Result<Vec<PasskeyView>, WalletError> {
        let names = self.profile().await?.map(|profile| profile.devices).unwrap_or_default();
        let rows = self.passkeys().await?;
        let view = |row: &crate::store::PasskeyRow| {
            let id = hex::encode(&row.credential);
            let name = names.get(&id).cloned().unwrap_or_default();
            PasskeyView { id, name, added: row.added }
        };
        Ok(rows.iter().map(view).collect())
    }

    /// Remembers on which device a passkey is.
    pub async fn name_passkey(&self, passkey: &NewPasskey, name: &str) -> Result<(), WalletError> {
        let name: String = name.chars().take(NAME_CHARACTERS_MAX).collect();
        let id = passkey.id();
        self.change_profile(|profile| drop(profile.devices.insert(id, name))).await
    }

    /// Begins another passkey, which the device shows as `label`: the ceremony and what
    /// `navigator.credentials.create` takes, as JSON.
    ///
    /// # Errors
    /// [`WalletError::TooMuch`] with [`PASSKEYS_MAX`] passkeys.
    pub async fn begin_passkey(
        &self,
        label: &str,
        gesture: &Gesture,
    ) -> Result<(EntryId, String), WalletError> {
        gesture.check(self.person(), &Action::AddPasskey)?;
        if self.passkeys().await?.len() >= PASSKEYS_MAX {
            return Err(WalletError::TooMuch);
        }
        self.wallet.register(Some(self.person()), label)
    }

    /// Keeps the passkey of a ceremony that [`Holder::begin_passkey`] began.
    pub async fn add_passkey(
        &self,
        ceremony: EntryId,
        answer: &str,
        name: &str,
    ) -> Result<(), WalletError> {
        let made = self.wallet.registered(Some(self.person()), ceremony, answer)?;
        self.wallet.keep_passkey(self.person(), &made).await?;
        self.name_passkey(&made, name).await
    }

    /// Takes a passkey away and signs every browser out but the one of `session`.
    ///
    /// # Errors
    /// [`WalletError::LastPasskey`]; [`WalletError::EntryUnknown`].
    pub async fn remove_passkey(
        &self,
        id: &str,
        session: &Session,
        gesture: &Gesture,
    ) -> Result<(), WalletError> {
        gesture.check(self.person(), &Action::RemovePasskey { passkey: id.to_owned() })?;
        let rows = self.passkeys().await?;
        let row = rows.iter().find(|row| hex::encode(&row.credential) == id);
        let row = row.ok_or(WalletError::EntryUnknown)?;
        if rows.len() == 1 {
            return Err(WalletError::LastPasskey);
        }
        let store = &self.wallet.inner.store;
        store.remove_passkey(self.person(), &row.credential).await?;
        store.end_other_sessions(session).await?;
        self.change_profile(|profile| drop(profile.devices.remove(id))).await
    }

    /// A member's name as the person reads it.
    pub fn name_of(
        &self,
        member: etibar_primitives::MemberId,
        language: crate::Language,
    ) -> String {
        self.wallet.inner.members.name_in(member, language)
    }
}
