//! Why evidence was not believed.

use crate::{Class, TcbStatus, Technology};

/// Why evidence was refused: by a verifier, or afterwards by a policy.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[expect(missing_docs, reason = "the message of each variant says what it means")]
pub enum Reject {
    #[error("{what} is malformed: {why}")]
    Malformed { what: &'static str, why: String },
    #[error("{needed} is missing")]
    Missing { needed: &'static str },
    #[error("{what} is not supported: {found}")]
    Unsupported { what: &'static str, found: String },
    #[error("the signature of {what} does not verify")]
    Signature { what: String },
    #[error("the chain of certificates ends in a root that is not trusted: {root}")]
    ForeignRoot { root: String },
    #[error("the chain ends in the vendor's root for software keys")]
    SoftwareRoot,
    #[error("{what} is not valid yet")]
    NotYetValid { what: String },
    #[error("{what} has expired")]
    Expired { what: String },
    #[error("{what} is revoked")]
    Revoked { what: String },
    #[error("the vendor does not list this TCB: {why}")]
    TcbUnrecognised { why: String },
    #[error("{what} does not match {other}")]
    Mismatch { what: &'static str, other: &'static str },
    #[error("the evidence does not answer this challenge")]
    WrongChallenge,
    /// A chain of evidence whose links do not fit.
    #[error("link {link} of the chain: {why}")]
    Chain { link: usize, why: &'static str },

    // What policies refuse.
    #[error("debug mode: the host can read and change what runs inside")]
    Debug,
    #[error("the guest may be moved to another machine while it runs")]
    Migratable,
    #[error("the device is unlocked, or its boot was not verified")]
    Unlocked,
    #[error("the key is in software, not in hardware")]
    SoftwareKey,
    #[error("class {} is not accepted", class.name())]
    ClassNotAccepted { class: Class },
    #[error("technology {} is not accepted", technology.name())]
    TechnologyNotAccepted { technology: Technology },
    #[error("TCB status {} is not accepted", status.name())]
    TcbNotAccepted { status: TcbStatus },
    #[error("advisory {id} is not accepted")]
    AdvisoryNotAccepted { id: String },
    #[error("measurement {measurement} is not on the list")]
    MeasurementNotAllowed { measurement: String },
    #[error("the evidence was not checked against a challenge")]
    Unbound,
}

impl Reject {
    pub(crate) fn malformed(what: &'static str, why: impl ToString) -> Self {
        Self::Malformed { what, why: why.to_string() }
    }

    pub(crate) fn signature(what: impl ToString) -> Self {
        Self::Signature { what: what.to_string() }
    }

    /// The stable code, as the API and the command line name it.
    #[must_use]
    pub const fn code(&self) -> &'static str {
        match self {
            Self::Malformed { .. } => "malformed",
            Self::Missing { .. } => "missing",
            Self::Unsupported { .. } => "unsupported",
            Self::Signature { .. } => "signature",
            Self::ForeignRoot { .. } => "foreign-root",
            Self::SoftwareRoot => "software-root",
            Self::NotYetValid { .. } => "not-yet-valid",
            Self::Expired { .. } => "expired",
            Self::Revoked { .. } => "revoked",
            Self::TcbUnrecognised { .. } => "tcb-unrecognised",
            Self::Mismatch { .. } => "mismatch",
            Self::WrongChallenge => "challenge",
            Self::Chain { .. } => "chain",
            Self::Debug => "debug",
            Self::Migratable => "migratable",
            Self::Unlocked => "unlocked",
            Self::SoftwareKey => "software-key",
            Self::ClassNotAccepted { .. } => "class",
            Self::TechnologyNotAccepted { .. } => "technology",
            Self::TcbNotAccepted { .. } => "tcb-status",
            Self::AdvisoryNotAccepted { .. } => "advisory",
            Self::MeasurementNotAllowed { .. } => "measurement",
            Self::Unbound => "unbound",
        }
    }
}
