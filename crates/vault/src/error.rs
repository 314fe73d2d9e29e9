//! Why the vault says no.

/// A refusal or a fault of the vault. No variant carries a personal value.
#[derive(Debug, thiserror::Error)]
pub enum VaultError {
    /// There is no such party.
    #[error("no such party")]
    UnknownParty,
    /// The party's data key is destroyed.
    #[error("the party's data is erased")]
    Erased,
    /// There is no such consent of this party.
    #[error("no such consent")]
    UnknownConsent,
    /// The consent is not granted, revoked, or past its end.
    #[error("the consent is not in force")]
    ConsentNotInForce,
    /// The consent is for another purpose.
    #[error("the consent is for another purpose")]
    OtherPurpose,
    /// The consent does not cover the data's category.
    #[error("the consent does not cover this data")]
    OutsideConsent,
    /// The law named does not allow this reading.
    #[error("this legal basis does not allow the reading")]
    BasisTooNarrow,
    /// The tag names another party already.
    #[error("the identifier belongs to another party")]
    TagTaken,
    /// A value is larger than [`crate::VALUE_BYTES_MAX`].
    #[error("the value is too large")]
    TooLarge,
    /// There is no such hold, or nothing is kept under it.
    #[error("no such record under a statutory hold")]
    UnknownHold,
    /// There is no such work.
    #[error("no such work")]
    UnknownWork,
    /// A sealed value does not open: the file was changed, or the master key is another.
    #[error("a sealed value does not open")]
    Seal,
    /// The service that holds the master key does not answer.
    #[error("the key service failed: {0}")]
    Key(String),
    /// A file cannot be read or written.
    #[error("{0}")]
    File(#[from] std::io::Error),
    /// The database said no.
    #[error("the vault's storage failed")]
    Database(#[from] sqlx::Error),
    /// The database could not be brought to this version.
    #[error("the vault's storage cannot be migrated")]
    Migration(#[from] sqlx::migrate::MigrateError),
    /// A row that this version cannot have written.
    #[error("the vault's storage holds an unreadable {0}")]
    Row(&'static str),
}

impl VaultError {
    /// The stable code in interfaces and logs.
    pub const fn code(&self) -> &'static str {
        match self {
            Self::UnknownParty => "party_unknown",
            Self::Erased => "party_erased",
            Self::UnknownConsent => "consent_unknown",
            Self::ConsentNotInForce => "consent_not_in_force",
            Self::OtherPurpose => "consent_other_purpose",
            Self::OutsideConsent => "outside_consent",
            Self::BasisTooNarrow => "basis_too_narrow",
            Self::TagTaken => "identifier_taken",
            Self::TooLarge => "value_too_large",
            Self::UnknownHold => "hold_unknown",
            Self::UnknownWork => "work_unknown",
            Self::Seal => "seal_broken",
            Self::Key(_) => "key_service_failed",
            Self::File(_) => "file_failed",
            Self::Database(_) | Self::Migration(_) | Self::Row(_) => "storage_failed",
        }
    }

    /// Whether the world failed, not the request: worth trying again later.
    pub const fn is_fault(&self) -> bool {
        matches!(
            self,
            Self::Key(_)
                | Self::File(_)
                | Self::Database(_)
                | Self::Migration(_)
                | Self::Row(_)
                | Self::Seal
        )
    }
}
