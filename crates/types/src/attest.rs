//! Attestation on the chain: what a machine proved about itself, and under which rules.

use crate::{
    Address, Hash, Height, Millis, Text, Wire,
    codec::{Bytes, Encode as _},
    hash::domain_hash,
};
use serde::{Deserialize, Serialize};

/// Longest evidence or collateral that a transaction carries.
pub const ATTESTATION_BYTES_MAX: usize = 65_536;
/// Bytes of an X-Wing public key (draft-connolly-cfrg-xwing-kem).
pub const SEALING_KEY_BYTES: usize = 1_216;
/// Most links of a chain of attestations.
pub const ATTESTATION_DEPTH_MAX: u8 = 8;

/// A kind of evidence. The names are those of the command line and of the API.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, Wire,
)]
#[serde(rename_all = "kebab-case")]
pub enum Technology {
    /// An SGX enclave: a DCAP quote.
    IntelSgx = 0,
    /// A TDX virtual machine: a DCAP quote.
    IntelTdx = 1,
    /// An SEV-SNP virtual machine: a report of the secure processor.
    AmdSevSnp = 2,
    /// A Nitro enclave: a COSE document of Amazon's hypervisor.
    AwsNitro = 3,
    /// An Android device's hardware key: its chain of certificates.
    AndroidKeyAttestation = 4,
    /// An app on an Apple device: App Attest.
    AppleAppAttest = 5,
    /// A realm of Arm's Confidential Compute Architecture: a CCA token.
    ArmCca = 6,
    /// A device with a PSA root of trust: a PSA token.
    ArmPsa = 7,
    /// A TPM 2.0: a quote of its platform registers.
    Tpm2 = 8,
}

impl Technology {
    /// Every technology, in the order of tags.
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

    /// The name on the command line and in the API, such as `intel-sgx`.
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

    /// The technology with this [`Technology::name`]; `None` for any other text.
    #[must_use]
    pub fn of_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|technology| technology.name() == name)
    }
}

/// What kind of machine the root vouches for (DESIGN §5). There is no order among classes: a policy
/// lists those it accepts.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, Wire,
)]
#[serde(rename_all = "kebab-case")]
pub enum Class {
    /// Measured code and memory the host cannot read: TDX, SEV-SNP, Nitro, CCA.
    ConfidentialVm = 0,
    /// The same for one process: SGX.
    ConfidentialProcess = 1,
    /// A genuine device and a key that cannot leave it: Android, Apple, PSA.
    DeviceBoundKey = 2,
    /// Which software booted; no isolation of memory: TPM.
    MeasuredBoot = 3,
    /// No hardware: a software TPM, test keys, roots that are not a vendor's.
    Simulated = 4,
}

impl Class {
    /// Every class, in the order of tags.
    pub const ALL: [Self; 5] = [
        Self::ConfidentialVm,
        Self::ConfidentialProcess,
        Self::DeviceBoundKey,
        Self::MeasuredBoot,
        Self::Simulated,
    ];

    /// The name on the command line and in the API, such as `measured-boot`.
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
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, Wire,
)]
pub enum TcbStatus {
    /// The vendor knows of no weakness.
    UpToDate = 0,
    /// Up to date, if the software above it is hardened against known side channels.
    SWHardeningNeeded = 1,
    /// Up to date, but settings of the platform may weaken it.
    ConfigurationNeeded = 2,
    /// Both: settings may weaken it, and software has to be hardened.
    ConfigurationAndSWHardeningNeeded = 3,
    /// It has weaknesses that newer firmware mends.
    OutOfDate = 4,
    /// It needs newer firmware and other settings.
    OutOfDateConfigurationNeeded = 5,
    /// A TD whose module was updated under it: up to date after a relaunch.
    TDRelaunchAdvised = 6,
    /// The trust domain should be started again on newer firmware, and settings of the platform may weaken it.
    TDRelaunchAdvisedConfigurationNeeded = 7,
    /// The technology has no such rating, or the vendor publishes none offline.
    Unrated = 8,
}

impl TcbStatus {
    /// Every status, in the order of tags.
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

    /// Intel's name for it, such as `OutOfDate`.
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

    /// The status with this [`TcbStatus::name`]; `None` for any other text.
    #[must_use]
    pub fn of_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|status| status.name() == name)
    }
}

/// What a sender attests: the machine that holds the key this transaction is signed with.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, Wire)]
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

/// What the chain keeps of an attestation: the full evidence is in the block it came in.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, Wire)]
pub struct AttestationRecord {
    /// Which kind of evidence it was.
    pub technology: Technology,
    /// What kind of machine stands behind it.
    pub class: Class,
    /// How the vendor rated its firmware.
    pub tcb_status: TcbStatus,
    /// Name of the root that verified.
    pub root: Text<96>,
    /// What runs, as its technology measures it.
    pub measurement: Bytes<64>,
    /// The physical platform, if the evidence names one.
    pub platform: Option<Hash>,
    /// SHA-256 of the evidence: what a child names it by.
    pub evidence: Hash,
    /// SHA-256 of the code that runs.
    pub code_hash: Hash,
    /// X-Wing public key that private inputs may be sealed to; empty for none.
    pub sealing_key: Bytes<SEALING_KEY_BYTES>,
    /// When the evidence was made, by the attester's clock: seconds since 1970.
    pub stated: u64,
    /// The block it came in.
    pub attested: Height,
    /// It counts in blocks up to this moment.
    pub until: Millis,
    /// SHA-256 of the parent's evidence, if it has a parent.
    pub parent: Option<Hash>,
    /// How many links there are below it; 0 without a parent.
    pub depth: u8,
}

impl AttestationRecord {
    /// Names it: what lots are drawn from, among other things.
    #[must_use]
    pub fn id(&self) -> Hash {
        domain_hash("meshx/attestation-record/v1", &[&self.encode()])
    }
}

/// What new evidence must answer: made of a beacon, so that nobody knew it before. The one before it
/// still counts.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, Wire)]
pub struct Challenges {
    /// What evidence made now has to answer.
    pub current: Hash,
    /// The challenge before it, still accepted for evidence that is on its way.
    pub previous: Hash,
    /// The boundary whose beacon made `current`.
    pub height: Height,
    /// The boundary whose beacon is awaited.
    pub awaited: Height,
}

/// Which evidence a chain accepts. Sets are masks: bit `i` stands for the variant with tag `i`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, Wire)]
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

impl AttestParams {
    /// Hardware of every class, firmware up to date or needing software that hardens; a day.
    pub const DEFAULT: Self = Self {
        classes: 0b0_1111,
        tcb_statuses: 0b1_0000_0011,
        lasts_ms: Millis::new(86_400_000),
        listed_only: 0,
    };

    /// Whether evidence of this class counts.
    #[must_use]
    pub const fn accepts_class(&self, class: Class) -> bool {
        self.classes >> class as u16 & 1 == 1
    }

    /// Whether evidence of firmware with this rating counts.
    #[must_use]
    pub const fn accepts_tcb(&self, status: TcbStatus) -> bool {
        self.tcb_statuses >> status as u16 & 1 == 1
    }
}

/// Something governance puts on a list, or takes off it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, Wire)]
#[serde(tag = "list", rename_all = "snake_case")]
pub enum Listed {
    /// Code that may attest, where only listed code may.
    #[wire(tag = 0)]
    Measurement {
        /// The technology that measures it.
        technology: Technology,
        /// The measurement, as that technology writes it.
        measurement: Bytes<64>,
    },
    /// A platform key whose maker vouches for hardware, by the SHA-256 of its SubjectPublicKeyInfo. Arm's tokens name
    /// no root, so somebody has to.
    #[wire(tag = 1)]
    PlatformKey {
        /// The technology whose tokens the key signs.
        technology: Technology,
        /// SHA-256 of its SubjectPublicKeyInfo.
        key: Hash,
    },
}

impl Listed {
    /// The place of this entry in the state.
    #[must_use]
    pub fn id(&self) -> Hash {
        use crate::codec::Encode as _;
        domain_hash("meshx/listed/v1", &[&self.encode()])
    }
}
