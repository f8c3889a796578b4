//! The key description: what Android's keystore certifies about a key.
//!
//! ```text
//! KeyDescription ::= SEQUENCE { attestationVersion INTEGER, attestationSecurityLevel ENUMERATED,
//!     keyMintVersion INTEGER, keyMintSecurityLevel ENUMERATED, attestationChallenge OCTET STRING,
//!     uniqueId OCTET STRING, softwareEnforced AuthorizationList, hardwareEnforced AuthorizationList }
//! ```
//! Only what hardware enforces is read: the software's list is the operating system's word.

use crate::{Reject, SecurityLevel, der};

const WHAT: &str = "key description";

// Tags of an AuthorizationList.
const PURPOSE: u32 = 1;
const ALGORITHM: u32 = 2;
const KEY_SIZE: u32 = 3;
const ORIGIN: u32 = 702;
const ROOT_OF_TRUST: u32 = 704;
const OS_VERSION: u32 = 705;
const OS_PATCH_LEVEL: u32 = 706;
const VENDOR_PATCH_LEVEL: u32 = 718;
const BOOT_PATCH_LEVEL: u32 = 719;

#[derive(Debug, Default)]
pub(super) struct Hardware<'a> {
    purposes: Vec<u64>,
    algorithm: Option<u64>,
    key_size: Option<u64>,
    origin: Option<&'static str>,
    root_of_trust: Option<RootOfTrust<'a>>,
    os_version: Option<u64>,
    os_patch_level: Option<u64>,
    vendor_patch_level: Option<u64>,
    boot_patch_level: Option<u64>,
}

#[derive(Debug)]
pub(super) struct Description<'a> {
    pub attestation_version: u64,
    pub attestation_security_level: SecurityLevel,
    pub keymint_version: u64,
    pub keymint_security_level: SecurityLevel,
    pub challenge: &'a [u8],
    pub unique_id: &'a [u8],
    pub purposes: Vec<u64>,
    pub algorithm: Option<u64>,
    pub key_size: Option<u64>,
    pub origin: &'static str,
    pub root_of_trust: Option<RootOfTrust<'a>>,
    pub os_version: Option<u64>,
    pub os_patch_level: Option<u64>,
    pub vendor_patch_level: Option<u64>,
    pub boot_patch_level: Option<u64>,
}

/// How the device booted.
#[derive(Debug)]
pub(super) struct RootOfTrust<'a> {
    pub key: &'a [u8],
    pub locked: bool,
    pub state: &'static str,
    /// From attestation version 3 on.
    pub hash: Option<&'a [u8]>,
}

impl<'a> Description<'a> {
    pub(super) fn parse(extension: &'a [u8]) -> Result<Self, Reject> {
        let mut outer = der::Reader::new(extension, WHAT);
        let mut fields = outer.inside(der::SEQUENCE)?;
        outer.end()?;
        let attestation_version = fields.integer()?;
        let attestation_security_level = security_level(fields.enumerated()?)?;
        let keymint_version = fields.integer()?;
        let keymint_security_level = security_level(fields.enumerated()?)?;
        let challenge = fields.universal(der::OCTET_STRING)?;
        let unique_id = fields.universal(der::OCTET_STRING)?;
        each_authorization(fields.inside(der::SEQUENCE)?, |_, _| Ok(()))?;
        let hardware = Hardware::parse(fields.inside(der::SEQUENCE)?)?;
        fields.end()?;
        Ok(Self {
            attestation_version,
            attestation_security_level,
            keymint_version,
            keymint_security_level,
            challenge,
            unique_id,
            purposes: hardware.purposes,
            algorithm: hardware.algorithm,
            key_size: hardware.key_size,
            origin: hardware.origin.unwrap_or("UNSTATED"),
            root_of_trust: hardware.root_of_trust,
            os_version: hardware.os_version,
            os_patch_level: hardware.os_patch_level,
            vendor_patch_level: hardware.vendor_patch_level,
            boot_patch_level: hardware.boot_patch_level,
        })
    }
}

impl<'a> Hardware<'a> {
    fn parse(list: der::Reader<'a>) -> Result<Self, Reject> {
        let mut found = Self::default();
        each_authorization(list, |tag, mut value| {
            match tag {
                PURPOSE => {
                    let mut set = value.inside(der::SET)?;
                    while !set.is_empty() {
                        found.purposes.push(set.integer()?);
                    }
                }
                ALGORITHM => found.algorithm = Some(value.integer()?),
                KEY_SIZE => found.key_size = Some(value.integer()?),
                ORIGIN => found.origin = Some(origin(value.integer()?)?),
                ROOT_OF_TRUST => found.root_of_trust = Some(RootOfTrust::parse(&mut value)?),
                OS_VERSION => found.os_version = Some(value.integer()?),
                OS_PATCH_LEVEL => found.os_patch_level = Some(value.integer()?),
                VENDOR_PATCH_LEVEL => found.vendor_patch_level = Some(value.integer()?),
                BOOT_PATCH_LEVEL => found.boot_patch_level = Some(value.integer()?),
                // Dozens of other tags exist, and every version adds some.
                _ => return Ok(()),
            }
            value.end()
        })?;
        Ok(found)
    }
}

impl<'a> RootOfTrust<'a> {
    fn parse(value: &mut der::Reader<'a>) -> Result<Self, Reject> {
        let mut fields = value.inside(der::SEQUENCE)?;
        let key = fields.universal(der::OCTET_STRING)?;
        let locked = fields.boolean()?;
        let state = match fields.enumerated()? {
            0 => "VERIFIED",
            1 => "SELF_SIGNED",
            2 => "UNVERIFIED",
            3 => "FAILED",
            _ => return Err(malformed("the boot state is none of the four")),
        };
        let hash =
            if fields.is_empty() { None } else { Some(fields.universal(der::OCTET_STRING)?) };
        fields.end()?;
        Ok(Self { key, locked, state, hash })
    }
}

/// Call `read` with every tag and value of a list; tags must be explicit and ascend.
fn each_authorization<'a>(
    mut list: der::Reader<'a>,
    mut read: impl FnMut(u32, der::Reader<'a>) -> Result<(), Reject>,
) -> Result<(), Reject> {
    let mut last = 0;
    while !list.is_empty() {
        let element = list.element()?;
        if element.class != 2 || !element.constructed || element.tag <= last {
            return Err(malformed("tags of an authorization list do not ascend"));
        }
        last = element.tag;
        read(element.tag, der::Reader::new(element.contents, WHAT))?;
    }
    Ok(())
}

fn security_level(number: u64) -> Result<SecurityLevel, Reject> {
    match number {
        0 => Ok(SecurityLevel::Software),
        1 => Ok(SecurityLevel::TrustedEnvironment),
        2 => Ok(SecurityLevel::StrongBox),
        _ => Err(malformed("the security level is none of the three")),
    }
}

fn origin(number: u64) -> Result<&'static str, Reject> {
    match number {
        0 => Ok("GENERATED"),
        1 => Ok("DERIVED"),
        2 => Ok("IMPORTED"),
        3 => Ok("UNKNOWN"),
        4 => Ok("SECURELY_IMPORTED"),
        _ => Err(malformed("the origin is none of the five")),
    }
}

fn malformed(why: &str) -> Reject {
    Reject::malformed(WHAT, why)
}
