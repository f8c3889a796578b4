//! What a keystore says about its key: `KeyDescription`, the DER in the leaf's extension.
//!
//! Source: "Verifying hardware-backed key pairs with key attestation", extension schema, versions
//! 1 to 500. Versions differ in which tags the two lists may hold, not in their frame, so the
//! version itself decides nothing here: unknown tags are passed over, known ones are read strictly.

use std::collections::BTreeSet;

use crate::{
    Reject, SecurityLevel,
    der::{OCTET_STRING, Reader, SEQUENCE, SET},
};

const WHAT: &str = "key description";

#[derive(Clone, Debug)]
pub(super) struct Description<'a> {
    pub attestation_version: u64,
    pub attestation_security_level: SecurityLevel,
    pub keymint_version: u64,
    pub keymint_security_level: SecurityLevel,
    pub challenge: &'a [u8],
    pub unique_id: &'a [u8],
    /// What the secure hardware answers for. What the system adds (`softwareEnforced`) is walked
    /// through and forgotten: it proves nothing about a system that lies.
    pub hardware_enforced: Authorizations<'a>,
}

/// Those fields of an `AuthorizationList` that claims are made of.
#[derive(Clone, Debug, Default)]
pub(super) struct Authorizations<'a> {
    pub purposes: Vec<u64>,
    pub algorithm: Option<u64>,
    pub key_size: Option<u64>,
    pub origin: Option<Origin>,
    pub root_of_trust: Option<RootOfTrust<'a>>,
    pub os_version: Option<u64>,
    pub os_patch_level: Option<u64>,
    pub vendor_patch_level: Option<u64>,
    pub boot_patch_level: Option<u64>,
}

/// Where the key comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Origin {
    Generated,
    Derived,
    Imported,
    Unknown,
    SecurelyImported,
}

/// What the boot loader told the secure hardware.
#[derive(Clone, Copy, Debug)]
pub(super) struct RootOfTrust<'a> {
    /// Empty or zero where nothing was verified.
    pub key: &'a [u8],
    pub locked: bool,
    pub verdict: BootVerdict,
    /// From attestation version 3 on.
    pub hash: Option<&'a [u8]>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum BootVerdict {
    Verified,
    SelfSigned,
    Unverified,
    Failed,
}

impl BootVerdict {
    pub(super) const fn name(self) -> &'static str {
        match self {
            Self::Verified => "VERIFIED",
            Self::SelfSigned => "SELF_SIGNED",
            Self::Unverified => "UNVERIFIED",
            Self::Failed => "FAILED",
        }
    }
}

impl<'a> Description<'a> {
    pub(super) fn parse(extension: &'a [u8]) -> Result<Self, Reject> {
        let mut outer = Reader::new(extension, WHAT);
        let mut fields = outer.inside(SEQUENCE)?;
        outer.end()?;
        let attestation_version = fields.integer()?;
        let attestation_security_level = security_level(fields.enumerated()?)?;
        let keymint_version = fields.integer()?;
        let keymint_security_level = security_level(fields.enumerated()?)?;
        let challenge = fields.universal(OCTET_STRING)?;
        let unique_id = fields.universal(OCTET_STRING)?;
        walk_through(fields.inside(SEQUENCE)?)?;
        let hardware_enforced = Authorizations::parse(fields.inside(SEQUENCE)?)?;
        fields.end()?;
        Ok(Self {
            attestation_version,
            attestation_security_level,
            keymint_version,
            keymint_security_level,
            challenge,
            unique_id,
            hardware_enforced,
        })
    }
}

impl<'a> Authorizations<'a> {
    /// Tags must ascend, as in the schema: so none stands twice.
    fn parse(mut list: Reader<'a>) -> Result<Self, Reject> {
        let mut found = Self::default();
        let mut last = None;
        while !list.is_empty() {
            let (tag, mut value) = tagged(&mut list)?;
            if last >= Some(tag) {
                return Err(Reject::malformed(WHAT, "the tags of a list do not ascend"));
            }
            last = Some(tag);
            match tag {
                1 => found.purposes = purposes(&mut value)?,
                2 => found.algorithm = Some(value.integer()?),
                3 => found.key_size = Some(value.integer()?),
                702 => found.origin = Some(origin(value.integer()?)?),
                704 => found.root_of_trust = Some(root_of_trust(&mut value)?),
                705 => found.os_version = Some(value.integer()?),
                706 => found.os_patch_level = Some(value.integer()?),
                718 => found.vendor_patch_level = Some(value.integer()?),
                719 => found.boot_patch_level = Some(value.integer()?),
                // The key's other limits, identifiers of the device, what later versions add.
                _ => {
                    value.element()?;
                }
            }
            value.end()?;
        }
        Ok(found)
    }
}

/// Check the form of a list that no claim is made of. Its order is that of the keystore service,
/// which some systems got wrong; a repeated tag has no excuse.
fn walk_through(mut list: Reader<'_>) -> Result<(), Reject> {
    let mut seen = BTreeSet::new();
    while !list.is_empty() {
        let (tag, mut value) = tagged(&mut list)?;
        value.element()?;
        value.end()?;
        if !seen.insert(tag) {
            return Err(Reject::malformed(WHAT, "a tag appears twice in a list"));
        }
    }
    Ok(())
}

/// The next field of a list: its number, and a reader of the one element inside. All are tagged
/// explicitly.
fn tagged<'a>(list: &mut Reader<'a>) -> Result<(u32, Reader<'a>), Reject> {
    let field = list.element()?;
    if field.class != 2 || !field.constructed {
        return Err(Reject::malformed(WHAT, "a list holds something that is not a tagged field"));
    }
    Ok((field.tag, Reader::new(field.contents, WHAT)))
}

/// Purposes in the order they stand in. DER would have sets sorted (X.690 §11.6), but keystores
/// write them as the application asked, so their order is let be.
fn purposes(value: &mut Reader<'_>) -> Result<Vec<u64>, Reject> {
    let mut set = value.inside(SET)?;
    let mut purposes = Vec::new();
    while !set.is_empty() {
        purposes.push(set.integer()?);
    }
    Ok(purposes)
}

fn root_of_trust<'a>(value: &mut Reader<'a>) -> Result<RootOfTrust<'a>, Reject> {
    let mut fields = value.inside(SEQUENCE)?;
    let key = fields.universal(OCTET_STRING)?;
    let locked = fields.boolean()?;
    let verdict = match fields.enumerated()? {
        0 => BootVerdict::Verified,
        1 => BootVerdict::SelfSigned,
        2 => BootVerdict::Unverified,
        3 => BootVerdict::Failed,
        other => return Err(unknown("verified boot state", other)),
    };
    let hash = if fields.is_empty() { None } else { Some(fields.universal(OCTET_STRING)?) };
    fields.end()?;
    Ok(RootOfTrust { key, locked, verdict, hash })
}

fn security_level(value: u64) -> Result<SecurityLevel, Reject> {
    match value {
        0 => Ok(SecurityLevel::Software),
        1 => Ok(SecurityLevel::TrustedEnvironment),
        2 => Ok(SecurityLevel::StrongBox),
        other => Err(unknown("security level", other)),
    }
}

fn origin(value: u64) -> Result<Origin, Reject> {
    match value {
        0 => Ok(Origin::Generated),
        1 => Ok(Origin::Derived),
        2 => Ok(Origin::Imported),
        3 => Ok(Origin::Unknown),
        4 => Ok(Origin::SecurelyImported),
        other => Err(unknown("origin", other)),
    }
}

fn unknown(what: &str, value: u64) -> Reject {
    Reject::malformed(WHAT, format!("no {what} has the number {value}"))
}
