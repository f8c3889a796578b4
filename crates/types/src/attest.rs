//! Attestation on the chain: what a machine proved about itself, and under which rules.

use crate::{
    Address, Hash, Height, Millis, Text,
    codec::{Bytes, Encode as _},
    hash::domain_hash,
    wire_enum, wire_struct,
};
use serde::{Deserialize, Serialize};

/// Longest evidence or collateral that a transaction carries.
pub const ATTESTATION_BYTES_MAX: usize = 65_536;
/// Bytes of an X-Wing public key (draft-connolly-cfrg-xwing-kem).
pub const SEALING_KEY_BYTES: usize = 1_216;
/// Most links of a chain of attestations.
pub const ATTESTATION_DEPTH_MAX: u8 = 8;

/// A kind of evidence. The names are those of the command line and of the API.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Technology {
    IntelSgx,
    IntelTdx,
    AmdSevSnp,
    AwsNitro,
    AndroidKeyAttestation,
    AppleAppAttest,
    ArmCca,
    ArmPsa,
    Tpm2,
}
wire_enum!(Technology {
    0 => IntelSgx, 1 => IntelTdx, 2 => AmdSevSnp, 3 => AwsNitro, 4 => AndroidKeyAttestation, 5 => AppleAppAttest,
    6 => ArmCca, 7 => ArmPsa, 8 => Tpm2,
});

impl Technology {
    pub const ALL: [Self; 9] = [
        Self::IntelSgx,
        Self::IntelTdx,
        Self::AmdSevSnp,
        Self::AwsNitro,
        Self::AndroidKeyAttestation,
        Self::AppleAppAttest,
        Self::ArmCca,
        Self::ArmPsa,
        Self::Tpm2,
    ];

    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::IntelSgx => "intel-sgx",
            Self::IntelTdx => "intel-tdx",
            Self::AmdSevSnp => "amd-sev-snp",
            Self::AwsNitro => "aws-nitro",
            Self::AndroidKeyAttestation => "android-key-attestation",
            Self::AppleAppAttest => "apple-app-attest",
            Self::ArmCca => "arm-cca",
            Self::ArmPsa => "arm-psa",
            Self::Tpm2 => "tpm2",
        }
    }

    #[must_use]
    pub fn of_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|technology| technology.name() == name)
    }
}

/// What kind of machine the root vouches for (DESIGN §5). There is no order among classes: a policy
/// lists those it accepts.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Class {
    /// Measured code and memory the host cannot read: TDX, SEV-SNP, Nitro, CCA.
    ConfidentialVm,
    /// The same for one process: SGX.
    ConfidentialProcess,
    /// A genuine device and a key that cannot leave it: Android, Apple, PSA.
    DeviceBoundKey,
    /// Which software booted; no isolation of memory: TPM.
    MeasuredBoot,
    /// No hardware: a software TPM, test keys, roots that are not a vendor's.
    Simulated,
}
wire_enum!(Class {
    0 => ConfidentialVm, 1 => ConfidentialProcess, 2 => DeviceBoundKey, 3 => MeasuredBoot, 4 => Simulated,
});

impl Class {
    pub const ALL: [Self; 5] = [
        Self::ConfidentialVm,
        Self::ConfidentialProcess,
        Self::DeviceBoundKey,
        Self::MeasuredBoot,
        Self::Simulated,
    ];

    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::ConfidentialVm => "confidential-vm",
            Self::ConfidentialProcess => "confidential-process",
            Self::DeviceBoundKey => "device-bound-key",
            Self::MeasuredBoot => "measured-boot",
            Self::Simulated => "simulated",
        }
    }
}

/// How the vendor rates the firmware below the measurement. The names are Intel's.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum TcbStatus {
    UpToDate,
    SWHardeningNeeded,
    ConfigurationNeeded,
    ConfigurationAndSWHardeningNeeded,
    OutOfDate,
    OutOfDateConfigurationNeeded,
    /// A TD whose module was updated under it: up to date after a relaunch.
    TDRelaunchAdvised,
    TDRelaunchAdvisedConfigurationNeeded,
    /// The technology has no such rating, or the vendor publishes none offline.
    Unrated,
}
wire_enum!(TcbStatus {
    0 => UpToDate, 1 => SWHardeningNeeded, 2 => ConfigurationNeeded, 3 => ConfigurationAndSWHardeningNeeded,
    4 => OutOfDate, 5 => OutOfDateConfigurationNeeded, 6 => TDRelaunchAdvised,
    7 => TDRelaunchAdvisedConfigurationNeeded, 8 => Unrated,
});

impl TcbStatus {
    pub const ALL: [Self; 9] = [
        Self::UpToDate,
        Self::SWHardeningNeeded,
        Self::ConfigurationNeeded,
        Self::ConfigurationAndSWHardeningNeeded,
        Self::OutOfDate,
        Self::OutOfDateConfigurationNeeded,
        Self::TDRelaunchAdvised,
        Self::TDRelaunchAdvisedConfigurationNeeded,
        Self::Unrated,
    ];

    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::UpToDate => "UpToDate",
            Self::SWHardeningNeeded => "SWHardeningNeeded",
            Self::ConfigurationNeeded => "ConfigurationNeeded",
            Self::ConfigurationAndSWHardeningNeeded => "ConfigurationAndSWHardeningNeeded",
            Self::OutOfDate => "OutOfDate",
            Self::OutOfDateConfigurationNeeded => "OutOfDateConfigurationNeeded",
            Self::TDRelaunchAdvised => "TDRelaunchAdvised",
            Self::TDRelaunchAdvisedConfigurationNeeded => "TDRelaunchAdvisedConfigurationNeeded",
            Self::Unrated => "Unrated",
        }
    }

    #[must_use]
    pub fn of_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|status| status.name() == name)
    }
}

/// What a sender attests: the machine that holds the key this transaction is signed with.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Attestation {
    /// Wire form of `attestation::Evidence`.
    pub evidence: Bytes<ATTESTATION_BYTES_MAX>,
    /// Wire form of `attestation::Collateral`.
    pub collateral: Bytes<ATTESTATION_BYTES_MAX>,
    /// SHA-256 of the code that runs.
    pub code_hash: Hash,
    /// X-Wing public key that private inputs may be sealed to; empty for none.
    pub sealing_key: Bytes<SEALING_KEY_BYTES>,
    /// When the evidence was made, by the attester's clock: seconds since 1970.
    pub stated: u64,
    /// The chain's challenge that the evidence answers.
    pub challenge: Hash,
    /// Whose attestation on this chain comes before this one; one's own for a renewal.
    pub parent: Option<Address>,
}
wire_struct!(Attestation {
    evidence,
    collateral,
    code_hash,
    sealing_key,
    stated,
    challenge,
    parent
});

/// What the chain keeps of an attestation: the full evidence is in the block it came in.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct AttestationRecord {
    pub technology: Technology,
    pub class: Class,
    pub tcb_status: TcbStatus,
    /// Name of the root that verified.
    pub root: Text<96>,
    /// What runs, as its technology measures it.
    pub measurement: Bytes<64>,
    /// The physical platform, if the evidence names one.
    pub platform: Option<Hash>,
    /// SHA-256 of the evidence: what a child names it by.
    pub evidence: Hash,
    pub code_hash: Hash,
    pub sealing_key: Bytes<SEALING_KEY_BYTES>,
    pub stated: u64,
    pub attested: Height,
    /// It counts in blocks up to this moment.
    pub until: Millis,
    /// SHA-256 of the parent's evidence, and how many links there are below it.
    pub parent: Option<Hash>,
    pub depth: u8,
}
wire_struct!(AttestationRecord {
    technology,
    class,
    tcb_status,
    root,
    measurement,
    platform,
    evidence,
    code_hash,
    sealing_key,
    stated,
    attested,
    until,
    parent,
    depth
});

impl AttestationRecord {
    /// Names it: what lots are drawn from, among other things.
    #[must_use]
    pub fn id(&self) -> Hash {
        domain_hash("meshx/attestation-record/v1", &[&self.encode()])
    }
}

/// What new evidence must answer: made of a beacon, so that nobody knew it before. The one before it
/// still counts.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Challenges {
    pub current: Hash,
    pub previous: Hash,
    /// The boundary whose beacon made `current`.
    pub height: Height,
    /// The boundary whose beacon is awaited.
    pub awaited: Height,
}
wire_struct!(Challenges { current, previous, height, awaited });

/// Which evidence a chain accepts. Sets are masks: bit `i` stands for the variant with tag `i`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct AttestParams {
    /// Of [`Class`].
    pub classes: u16,
    /// Of [`TcbStatus`].
    pub tcb_statuses: u16,
    /// An attestation counts this long at most; before that it is to be renewed.
    pub lasts_ms: Millis,
    /// 1: only measurements on the list count.
    pub listed_only: u16,
}
wire_struct!(AttestParams { classes, tcb_statuses, lasts_ms, listed_only });

impl AttestParams {
    /// Hardware of every class, firmware up to date or needing software that hardens; a day.
    pub const DEFAULT: Self = Self {
        classes: 0b0_1111,
        tcb_statuses: 0b1_0000_0011,
        lasts_ms: Millis::new(86_400_000),
        listed_only: 0,
    };

    #[must_use]
    pub const fn accepts_class(&self, class: Class) -> bool {
        self.classes >> class as u16 & 1 == 1
    }

    #[must_use]
    pub const fn accepts_tcb(&self, status: TcbStatus) -> bool {
        self.tcb_statuses >> status as u16 & 1 == 1
    }
}

/// Something governance puts on a list, or takes off it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "list", rename_all = "snake_case")]
pub enum Listed {
    /// Code that may attest, where only listed code may.
    Measurement { technology: Technology, measurement: Bytes<64> },
    /// A platform key whose maker vouches for hardware, by the SHA-256 of its SubjectPublicKeyInfo. Arm's tokens name
    /// no root, so somebody has to.
    PlatformKey { technology: Technology, key: Hash },
}
wire_enum!(Listed {
    0 => Measurement { technology, measurement },
    1 => PlatformKey { technology, key },
});

impl Listed {
    /// The place of this entry in the state.
    #[must_use]
    pub fn id(&self) -> Hash {
        use crate::codec::Encode as _;
        domain_hash("meshx/listed/v1", &[&self.encode()])
    }
}
