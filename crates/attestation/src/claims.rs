//! What evidence proved. Only verifiers make claims.

use std::collections::BTreeMap;

use ring::digest;
use serde::Serialize;

use types::attest::{Class, TcbStatus, Technology};

use crate::{Binding, Reject, UnixSeconds};

/// How the device booted, where its evidence says so.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum BootState {
    /// Locked, and every stage was signed by the vendor.
    Verified,
    /// Unlocked, self-signed, unverified or failed.
    Unverified,
    /// The evidence does not say.
    Unstated,
}

/// When everything that was checked is valid, both ends included.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct Validity {
    /// The first second.
    pub not_before: UnixSeconds,
    /// The last second.
    pub not_after: UnixSeconds,
}

impl Validity {
    /// For formats that know no time.
    pub const ALWAYS: Self =
        Self { not_before: UnixSeconds::new(0), not_after: UnixSeconds::new(u64::MAX) };

    /// When both hold.
    #[must_use]
    pub fn and(self, other: Self) -> Self {
        Self {
            not_before: self.not_before.max(other.not_before),
            not_after: self.not_after.min(other.not_after),
        }
    }
}

/// What a verifier proved about one piece of evidence.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Claims {
    pub(crate) technology: Technology,
    pub(crate) class: Class,
    /// Name of the root that verified.
    pub(crate) root: String,
    /// What runs: MRENCLAVE, MRTD, SNP measurement, PCR0, application id, boot digest.
    #[serde(with = "hex::serde")]
    pub(crate) measurement: Vec<u8>,
    /// `SubjectPublicKeyInfo` (DER) of a key that lives in the hardware, where the evidence names
    /// one.
    #[serde(with = "hex::serde")]
    pub(crate) device_key: Vec<u8>,
    /// The bytes the attester put in: report data, challenge, nonce.
    #[serde(with = "hex::serde")]
    pub(crate) binding: Vec<u8>,
    /// Were they compared with a challenge?
    pub(crate) bound: bool,
    pub(crate) tcb_status: TcbStatus,
    pub(crate) advisories: Vec<String>,
    pub(crate) debug: bool,
    /// Whether the owner of the machine may have the guest moved to another one, by an agent he chose.
    pub(crate) migratable: bool,
    pub(crate) boot: BootState,
    /// Names the physical platform: SHA-256 over technology and chip id; empty if the evidence
    /// names none.
    #[serde(with = "hex::serde")]
    pub(crate) platform: Vec<u8>,
    pub(crate) validity: Validity,
    pub(crate) details: Details,
}

impl Claims {
    /// Claims of `technology`, bare of all but what every technology has. `binding` is what the
    /// evidence carries.
    pub(crate) fn new(
        technology: Technology,
        (root, class): (String, Class),
        binding: &[u8],
        validity: Validity,
        details: Details,
    ) -> Self {
        Self {
            technology,
            class,
            root,
            measurement: Vec::new(),
            device_key: Vec::new(),
            binding: binding.to_vec(),
            bound: false,
            tcb_status: TcbStatus::Unrated,
            advisories: Vec::new(),
            debug: false,
            migratable: false,
            boot: BootState::Unstated,
            platform: Vec::new(),
            validity,
            details,
        }
    }

    /// Name the platform by what its vendor calls it.
    pub(crate) fn set_platform(&mut self, chip: &[u8]) {
        let mut hash = digest::Context::new(&digest::SHA256);
        hash.update(b"meshx/platform/v1");
        hash.update(self.technology.name().as_bytes());
        hash.update(&[0]);
        hash.update(chip);
        self.platform = hash.finish().as_ref().to_vec();
    }

    /// Refuse if the evidence carries anything but the challenge (zero-padded where its field is
    /// longer).
    pub(crate) fn bound_to(mut self, binding: &Binding) -> Result<Self, Reject> {
        if let Binding::Challenge(challenge) = binding {
            let (head, tail) =
                self.binding.split_at_checked(challenge.len()).ok_or(Reject::WrongChallenge)?;
            if challenge.is_empty() || head != challenge || tail.iter().any(|byte| *byte != 0) {
                return Err(Reject::WrongChallenge);
            }
            self.bound = true;
        }
        Ok(self)
    }

    /// Which kind of evidence it was.
    #[must_use]
    pub const fn technology(&self) -> Technology {
        self.technology
    }

    /// What kind of machine stands behind it.
    #[must_use]
    pub const fn class(&self) -> Class {
        self.class
    }

    /// Name of the root that verified.
    #[must_use]
    pub fn root(&self) -> &str {
        &self.root
    }

    /// What runs: MRENCLAVE, MRTD, SNP measurement, PCR0, application id, boot digest.
    #[must_use]
    pub fn measurement(&self) -> &[u8] {
        &self.measurement
    }

    /// `SubjectPublicKeyInfo` (DER) of a key that lives in the hardware; empty if the evidence names none.
    #[must_use]
    pub fn device_key(&self) -> &[u8] {
        &self.device_key
    }

    /// The bytes the attester put in: report data, challenge, nonce.
    #[must_use]
    pub fn binding(&self) -> &[u8] {
        &self.binding
    }

    /// Whether those bytes were compared with a challenge.
    #[must_use]
    pub const fn is_bound(&self) -> bool {
        self.bound
    }

    /// How the vendor rates the firmware.
    #[must_use]
    pub const fn tcb_status(&self) -> TcbStatus {
        self.tcb_status
    }

    /// The vendor's names of the weaknesses behind that rating.
    #[must_use]
    pub fn advisories(&self) -> &[String] {
        &self.advisories
    }

    /// Whether the owner of the machine may look into it: then it hides nothing.
    #[must_use]
    pub const fn is_debug(&self) -> bool {
        self.debug
    }

    /// Whether the owner of the machine may have the guest moved to another one, by an agent he chose.
    #[must_use]
    pub const fn is_migratable(&self) -> bool {
        self.migratable
    }

    /// How the device booted.
    #[must_use]
    pub const fn boot(&self) -> BootState {
        self.boot
    }

    /// Empty if the evidence names no platform.
    #[must_use]
    pub fn platform(&self) -> &[u8] {
        &self.platform
    }

    /// When everything that was checked is valid.
    #[must_use]
    pub const fn validity(&self) -> Validity {
        self.validity
    }

    /// What this technology says beside, in its own words.
    #[must_use]
    pub const fn details(&self) -> &Details {
        &self.details
    }
}

/// What only one technology says, in its vendor's words. Byte strings are lower-case hex.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(untagged)]
pub enum Details {
    /// Of an SGX enclave.
    Sgx(Sgx),
    /// Of a TDX virtual machine.
    Tdx(Box<Tdx>),
    /// Of an SEV-SNP virtual machine.
    Snp(Snp),
    /// Of a Nitro enclave.
    Nitro(Nitro),
    /// Of an Android device.
    Android(Box<Android>),
    /// Of an Apple device.
    Apple(Apple),
    /// Of a CCA realm.
    Cca(Cca),
    /// Of a PSA device.
    Psa(Psa),
    /// Of a TPM.
    Tpm(Tpm),
}

/// What an SGX quote says.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[expect(missing_docs, reason = "fields are called what the format calls them")]
pub struct Sgx {
    pub quote_version: u16,
    pub tee: &'static str,
    pub vendor: &'static str,
    pub qe_svn: u16,
    pub pce_svn: u16,
    pub mr_enclave: String,
    pub mr_signer: String,
    pub isv_prod_id: u16,
    pub isv_svn: u16,
    pub debug: bool,
    pub attributes_hex: String,
    pub report_data: String,
    pub cpu_svn: String,
    #[serde(flatten)]
    pub dcap: Dcap,
}

/// What a TDX quote says.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[expect(missing_docs, reason = "fields are called what the format calls them")]
pub struct Tdx {
    pub quote_version: u16,
    pub tee: &'static str,
    pub vendor: &'static str,
    pub qe_svn: u16,
    pub pce_svn: u16,
    pub tee_tcb_svn: String,
    pub mr_seam: String,
    pub mr_signer_seam: String,
    pub seam_attributes: String,
    pub td_attributes: String,
    pub debug: bool,
    pub xfam: String,
    pub mr_td: String,
    pub mr_config_id: String,
    pub mr_owner: String,
    pub mr_owner_config: String,
    pub rt_mr: [String; 4],
    pub report_data: String,
    /// 2 for TDX 1.0, 3 for 1.5, 4 for 1.5 extended: what a version 5 quote states.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub body_type: Option<u16>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub tee_tcb_svn2: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub mr_service_td: Option<String>,
    #[serde(flatten)]
    pub dcap: Dcap,
}

/// What both kinds of Intel quote say about their platform.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[expect(missing_docs, reason = "fields are called what the format calls them")]
pub struct Dcap {
    pub fmspc: String,
    pub ppid: String,
    /// Who issued the PCK certificate.
    pub pck_ca: String,
    pub pck_valid: [String; 2],
    pub root_sha256: String,
    pub tcb_status: TcbStatus,
    pub advisories: Vec<String>,
    pub qe_status: String,
    /// The date of the TCB level that was matched, seconds since 1970.
    pub tcb_date: u64,
}

/// What an SEV-SNP report says.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[expect(missing_docs, reason = "fields are called what the format calls them")]
pub struct Snp {
    pub version: u32,
    pub guest_svn: u32,
    pub policy: String,
    pub debug: bool,
    pub vmpl: u32,
    pub report_data: String,
    pub measurement: String,
    pub host_data: String,
    pub id_key_digest: String,
    pub author_key_digest: String,
    pub report_id: String,
    pub chip_id: String,
    pub reported_tcb: String,
    pub current_tcb: String,
    pub committed_tcb: String,
    pub launch_tcb: String,
    pub signing_key: &'static str,
    pub author_key_en: bool,
    pub product: &'static str,
}

/// What a Nitro document says.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[expect(missing_docs, reason = "fields are called what the format calls them")]
pub struct Nitro {
    pub module_id: String,
    pub timestamp_ms: u64,
    pub pcrs: BTreeMap<u8, String>,
    pub public_key: String,
    pub user_data: String,
    pub nonce: String,
    pub debug: bool,
}

/// Where an Android key lives.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum SecurityLevel {
    /// The key lives in ordinary software.
    Software,
    /// It lives in a trusted execution environment of the main processor.
    TrustedEnvironment,
    /// It lives in a chip of its own.
    StrongBox,
}

/// What an Android key's certificate says.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[expect(missing_docs, reason = "fields are called what the format calls them")]
pub struct Android {
    pub attestation_version: u64,
    pub attestation_security_level: SecurityLevel,
    pub keymint_version: u64,
    pub keymint_security_level: SecurityLevel,
    /// The lower of the two.
    pub security_level: SecurityLevel,
    pub challenge: String,
    pub unique_id: String,
    pub purposes: Vec<u64>,
    pub origin: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub algorithm: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub key_size: Option<u64>,
    pub verified_boot_key: String,
    pub device_locked: bool,
    pub verified_boot_state: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub verified_boot_hash: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub os_version: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub os_patch_level: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub vendor_patch_level: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub boot_patch_level: Option<u64>,
    /// `RKP` (certificates provisioned remotely, short-lived) or `FACTORY`.
    pub provisioning: &'static str,
}

/// What an App Attest statement says.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[expect(missing_docs, reason = "fields are called what the format calls them")]
pub struct Apple {
    /// `production` or `development`.
    pub environment: &'static str,
    pub app_id: String,
    /// SHA-256 of the attested public key.
    pub key_id: String,
    /// The attested key, uncompressed P-256 point.
    pub public_key: String,
    pub counter: u32,
    pub receipt_len: u64,
}

/// What a CCA token says.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[expect(missing_docs, reason = "fields are called what the format calls them")]
pub struct Cca {
    pub platform_profile: String,
    pub implementation_id: String,
    pub instance_id: String,
    pub lifecycle: u64,
    pub lifecycle_state: &'static str,
    pub challenge: String,
    pub rim: String,
    pub rem: Vec<String>,
    pub personalization: String,
}

/// What a PSA token says.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[expect(missing_docs, reason = "fields are called what the format calls them")]
pub struct Psa {
    pub profile: String,
    pub challenge: String,
    pub instance_id: String,
    pub implementation_id: String,
    pub lifecycle: u64,
    pub client_id: i64,
    pub sw: Vec<SoftwareComponent>,
}

/// One stage of the boot, as a PSA token lists it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[expect(missing_docs, reason = "fields are called what the format calls them")]
pub struct SoftwareComponent {
    #[serde(rename = "type", skip_serializing_if = "Option::is_none")]
    pub kind: Option<String>,
    pub measurement: String,
    pub signer: String,
}

/// What a TPM's quote says.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[expect(missing_docs, reason = "fields are called what the format calls them")]
pub struct Tpm {
    pub extra_data: String,
    pub pcr_bank: &'static str,
    pub pcr_selection: Vec<u8>,
    pub pcr_digest: String,
    /// Values of the quoted registers.
    pub pcrs: BTreeMap<u8, String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub pcr16: Option<String>,
    pub reset_count: u32,
    pub restart_count: u32,
    /// Did the TPM's clock never go back?
    pub safe: bool,
    pub firmware_version: String,
    pub root: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub snp_measurement: Option<String>,
    /// Number of events the log explains the registers with; none without a log.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub events: Option<u32>,
}
