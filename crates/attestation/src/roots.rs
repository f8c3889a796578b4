//! The vendors' roots: constants, and the class each of them vouches for.
//!
//! Roots are pinned by the SHA-256 of their `SubjectPublicKeyInfo`, so that a re-issued
//! certificate of the same key stays the same root. AMD's keys above the VCEK come with no
//! evidence; their certificates are in `roots/`.

use ring::digest;

use crate::{Class, Technology};

/// A pinned root key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Root {
    /// The name claims print.
    pub name: &'static str,
    /// SHA-256 of the root's `SubjectPublicKeyInfo`, DER.
    pub spki_sha256: &'static str,
    /// What this root signs.
    pub technologies: &'static [Technology],
    /// The class its evidence proves.
    pub class: Class,
}

/// Intel's root certificate by its own hash: `dcap-qvl` compiles the certificate in.
pub const INTEL_ROOT_SHA256: &str =
    "44a0196b2b99f889b8e149e95b807a350e7424964399e885a7cbb8ccfab674d3";

/// Every root that makes hardware. SGX stands here twice, because one Intel root signs two classes.
pub const VENDOR_ROOTS: &[Root] = &[
    Root {
        name: "Intel SGX Root CA",
        spki_sha256: "a0af031289f5d5d4132f9186068a7fc13628633ba235777472e29b6b6c67a49e",
        technologies: &[Technology::IntelSgx],
        class: Class::ConfidentialProcess,
    },
    Root {
        name: "Intel SGX Root CA",
        spki_sha256: "a0af031289f5d5d4132f9186068a7fc13628633ba235777472e29b6b6c67a49e",
        technologies: &[Technology::IntelTdx],
        class: Class::ConfidentialVm,
    },
    Root {
        name: "AMD ARK-Milan",
        spki_sha256: "9f056bee44377e29308cb5ffa895bdfb62d18881fa6bed8d6f075b0204089cb9",
        technologies: &[Technology::AmdSevSnp],
        class: Class::ConfidentialVm,
    },
    Root {
        name: "AMD ARK-Genoa",
        spki_sha256: "429a69c9422aa258ee4d8db5fcda9c6470ef15f8cd5a9cebd6cbc7d90b863831",
        technologies: &[Technology::AmdSevSnp],
        class: Class::ConfidentialVm,
    },
    Root {
        name: "AMD ARK-Turin",
        spki_sha256: "4f125410563a2ab9a50356f9243f6fe0b6f73de98603f53f90339c70e9d7ad08",
        technologies: &[Technology::AmdSevSnp],
        class: Class::ConfidentialVm,
    },
    Root {
        name: "AWS Nitro Enclaves Root G1",
        spki_sha256: "f2caf5ecc6190b4a8399b78bc58a2bbcd0382375db8a1bfd78a82743874fd225",
        technologies: &[Technology::AwsNitro],
        class: Class::ConfidentialVm,
    },
    Root {
        name: "Google hardware attestation root (RSA)",
        spki_sha256: "feb2ea7551ee316ed4bb443c8293b884dbfdea40b603ee3e4f4a897e4580fbae",
        technologies: &[Technology::AndroidKeyAttestation],
        class: Class::DeviceBoundKey,
    },
    Root {
        name: "Google Key Attestation CA1 (P-384)",
        spki_sha256: "3ee44512a1af2beb39c889490c60ea3f82e43f5d5a5532f5ab9419f676cd07ec",
        technologies: &[Technology::AndroidKeyAttestation],
        class: Class::DeviceBoundKey,
    },
    Root {
        name: "Apple App Attestation Root CA",
        spki_sha256: "1ae751fd29896d0f1f13fe226c063f445d40d8938acc6245c251ecc0679330bd",
        technologies: &[Technology::AppleAppAttest],
        class: Class::DeviceBoundKey,
    },
    Root {
        name: "Google Cloud vTPM EK/AK root",
        spki_sha256: "f23057f4f97d1d90e4cae0ce91d5a0fc99069f0a1bc147021dca33b1e9c4d0d9",
        technologies: &[Technology::Tpm2],
        class: Class::MeasuredBoot,
    },
];

/// Apple's evidence ends below its root, so the root's key itself is needed: P-384.
pub(crate) const APPLE_ROOT_SPKI: &str = "3076301006072a8648ce3d020106052b81040022036200044531e198b5b4ec04da1502045704ed4f877272d7\
     6135b26116cfc88b615d0a000719ba69858dfe77caa3b839e020ddd656141404702831e43f70b88fd6c394b6\
     08ea2bd6ae61e9f598c12f46af52937266e57f14eb61fec530f7144f53812e35";

/// AMD's signing keys, by product: root (ARK) and intermediate (ASK) certificates, DER.
pub(crate) const AMD: [(&str, &[u8], &[u8]); 3] = [
    (
        "milan",
        include_bytes!("../roots/amd-milan-ark.der"),
        include_bytes!("../roots/amd-milan-ask.der"),
    ),
    (
        "genoa",
        include_bytes!("../roots/amd-genoa-ark.der"),
        include_bytes!("../roots/amd-genoa-ask.der"),
    ),
    (
        "turin",
        include_bytes!("../roots/amd-turin-ark.der"),
        include_bytes!("../roots/amd-turin-ask.der"),
    ),
];

/// Under which roots evidence may verify.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum TrustRoots {
    /// The vendors', compiled in.
    Vendors,
    /// The vendors' and, for `technology`, evidence under the platform key with this SHA-256 of its
    /// `SubjectPublicKeyInfo`: somebody with the right to say so vouches for its maker. Arm's tokens
    /// name no root.
    VendorsAnd {
        /// Whose evidence it may sign.
        technology: Technology,
        /// SHA-256 of its SubjectPublicKeyInfo.
        key: [u8; 32],
    },
    /// These certificates (DER) alone. A vendor's own root among them still makes hardware;
    /// every other makes [`Class::Simulated`].
    Only(Vec<Vec<u8>>),
}

impl TrustRoots {
    /// Name and class of the root with this key, if it may sign `technology` here.
    pub(crate) fn root_of(&self, technology: Technology, spki: &[u8]) -> Option<(String, Class)> {
        let hash = sha256_hex(spki);
        let vendor = VENDOR_ROOTS
            .iter()
            .find(|root| root.spki_sha256 == hash && root.technologies.contains(&technology))
            .map(|root| (root.name.to_owned(), root.class));
        match self {
            Self::Vendors | Self::VendorsAnd { .. } => vendor,
            Self::Only(certificates) => certificates
                .iter()
                .any(|der| {
                    crate::x509::parse(der, "trust root")
                        .is_ok_and(|root| root.public_key().raw == spki)
                })
                .then(|| {
                    vendor.unwrap_or_else(|| (format!("key {}", &hash[..16]), Class::Simulated))
                }),
        }
    }

    /// Is this platform key (`SubjectPublicKeyInfo`, DER) endorsed for `technology`?
    pub(crate) fn endorses(&self, technology: Technology, spki: &[u8]) -> bool {
        matches!(self, Self::VendorsAnd { technology: of, key }
            if *of == technology && digest::digest(&digest::SHA256, spki).as_ref() == key)
    }

    /// Certificates that may stand above a chain that does not carry its own root.
    pub(crate) fn certificates(&self) -> &[Vec<u8>] {
        match self {
            Self::Vendors | Self::VendorsAnd { .. } => &[],
            Self::Only(certificates) => certificates,
        }
    }
}

/// AMD's root certificate (ARK, DER) for a product; Milan's for one it does not know.
#[must_use]
pub fn amd_root(product: &str) -> &'static [u8] {
    AMD.iter().find(|(name, ..)| *name == product).map_or(AMD[0].1, |(_, ark, _)| ark)
}

/// Name and class of Intel's root, for one of its two technologies.
pub(crate) fn intel(technology: Technology) -> (String, Class) {
    let class = match technology {
        Technology::IntelTdx => Class::ConfidentialVm,
        _ => Class::ConfidentialProcess,
    };
    ("Intel SGX Root CA".to_owned(), class)
}

pub(crate) fn sha256_hex(bytes: &[u8]) -> String {
    hex::encode(digest::digest(&digest::SHA256, bytes))
}
