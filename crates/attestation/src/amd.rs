//! AMD SEV-SNP: attestation reports, over the bytes that were signed.
//!
//! The signature covers bytes 0 to 0x2A0 as they arrived. (AMD's own crate parses the report and
//! checks the signature over what it writes again, so changed reserved bytes pass there.) The
//! report and the certificate of the key that signed it must agree on chip and firmware.
//!
//! Source: AMD, *SEV Secure Nested Paging Firmware ABI Specification* (56860), table 22;
//! *Versioned Chip Endorsement Key Certificate and KDS Interface Specification* (57230).

use ring::signature::{ECDSA_P384_SHA384_FIXED, UnparsedPublicKey};
use x509_parser::certificate::X509Certificate;

use crate::{
    Claims, Collateral, Details, Reject, Snp, TcbStatus, Technology, TrustRoots, UnixSeconds,
    roots,
    x509::{self, Rules, ValidityRule},
};

const REPORT_BYTES: usize = 1184;
const SIGNED_BYTES: usize = 0x2a0;
/// ECDSA P-384 with SHA-384, the only algorithm there is.
const SIGNATURE_ALGORITHM: u32 = 1;
/// Guest policy: the hypervisor may debug the guest.
const POLICY_DEBUG: u64 = 1 << 19;
/// Guest policy: an agent that the host chose may move the guest.
const POLICY_MIGRATE_MA: u64 = 1 << 18;
const FLAG_AUTHOR_KEY: u32 = 1;
const FLAG_MASK_CHIP_KEY: u32 = 1 << 1;

// Extensions of VCEK and VLEK certificates, 57230 table 8.
const OID_SPL_BOOTLOADER: &str = "1.3.6.1.4.1.3704.1.3.1";
const OID_SPL_TEE: &str = "1.3.6.1.4.1.3704.1.3.2";
const OID_SPL_SNP: &str = "1.3.6.1.4.1.3704.1.3.3";
const OID_SPL_MICROCODE: &str = "1.3.6.1.4.1.3704.1.3.8";
const OID_SPL_FMC: &str = "1.3.6.1.4.1.3704.1.3.9";
const OID_HWID: &str = "1.3.6.1.4.1.3704.1.4";

pub(crate) fn verify(
    trust_roots: &TrustRoots,
    report: &[u8],
    collateral: &Collateral,
    now: UnixSeconds,
) -> Result<Claims, Reject> {
    let report = Report::parse(report)?;
    let [vek, more @ ..] = &collateral.certificates[..] else {
        return Err(Reject::Missing { needed: "the VCEK or VLEK certificate of a SEV-SNP report" });
    };
    let vek = x509::parse(vek, "VCEK or VLEK certificate")?;
    let (product, rooted) = chain(trust_roots, &vek, more, now)?;

    let key = &vek.public_key().subject_public_key.data;
    UnparsedPublicKey::new(&ECDSA_P384_SHA384_FIXED, key)
        .verify(report.signed(), &report.signature()?)
        .map_err(|_| Reject::signature("the report"))?;

    let signing_key = match (report.u32(0x48) >> 2) & 7 {
        0 => "VCEK",
        1 => "VLEK",
        7 => return Err(Reject::signature("a report that says it is not signed")),
        other => {
            return Err(Reject::Unsupported { what: "signing key", found: other.to_string() });
        }
    };
    let flags = report.u32(0x48);
    if signing_key == "VCEK" && flags & FLAG_MASK_CHIP_KEY == 0 {
        check_chip(&vek, report.bytes(0x1a0, 64))?;
    }
    check_tcb(&vek, product, report.bytes(0x180, 8))?;

    let policy = report.u64(0x08);
    let debug = policy & POLICY_DEBUG != 0;
    let measurement = report.bytes(0x90, 48);
    let details = Details::Snp(Snp {
        version: report.u32(0),
        guest_svn: report.u32(0x04),
        policy: format!("{policy:#x}"),
        debug,
        vmpl: report.u32(0x30),
        report_data: report.hex(0x50, 64),
        measurement: hex::encode(measurement),
        host_data: report.hex(0xc0, 32),
        id_key_digest: report.hex(0xe0, 48),
        author_key_digest: report.hex(0x110, 48),
        report_id: report.hex(0x140, 32),
        chip_id: report.hex(0x1a0, 64),
        reported_tcb: report.hex(0x180, 8),
        current_tcb: report.hex(0x38, 8),
        committed_tcb: report.hex(0x1e0, 8),
        launch_tcb: report.hex(0x1f0, 8),
        signing_key,
        author_key_en: flags & FLAG_AUTHOR_KEY != 0,
        product,
    });
    let root = (rooted.root, rooted.class);
    let binding = report.bytes(0x50, 64);
    let mut claims = Claims::new(Technology::AmdSevSnp, root, binding, rooted.validity, details);
    claims.measurement = measurement.to_vec();
    claims.debug = debug;
    claims.migratable = policy & POLICY_MIGRATE_MA != 0;
    // AMD publishes no list of levels: a policy compares `reported_tcb` with what it wants.
    claims.tcb_status = TcbStatus::Unrated;
    let chip = report.bytes(0x1a0, 64);
    // A provider may hide the chip (MaskChipId); then nothing tells two platforms apart.
    if chip.iter().any(|byte| *byte != 0) {
        claims.set_platform(chip);
    }
    Ok(claims)
}

/// A report of the right length.
struct Report<'a>(&'a [u8; REPORT_BYTES]);

impl<'a> Report<'a> {
    fn parse(bytes: &'a [u8]) -> Result<Self, Reject> {
        let bytes = bytes.try_into().map_err(|_| {
            Reject::malformed("report", format!("{} bytes, not {REPORT_BYTES}", bytes.len()))
        })?;
        let report = Self(bytes);
        if !(2..=5).contains(&report.u32(0)) {
            let found = report.u32(0).to_string();
            return Err(Reject::Unsupported { what: "version of a report", found });
        }
        if report.u32(0x34) != SIGNATURE_ALGORITHM {
            let found = report.u32(0x34).to_string();
            return Err(Reject::Unsupported { what: "signature algorithm", found });
        }
        Ok(report)
    }

    /// `at` and `length` are constants of the format, inside the report.
    fn bytes(&self, at: usize, length: usize) -> &'a [u8] {
        &self.0[at..at + length]
    }

    fn u32(&self, at: usize) -> u32 {
        u32::from_le_bytes(self.0[at..at + 4].try_into().expect("four bytes"))
    }

    fn u64(&self, at: usize) -> u64 {
        u64::from_le_bytes(self.0[at..at + 8].try_into().expect("eight bytes"))
    }

    fn hex(&self, at: usize, length: usize) -> String {
        hex::encode(self.bytes(at, length))
    }

    fn signed(&self) -> &'a [u8] {
        &self.0[..SIGNED_BYTES]
    }

    /// `r ‖ s`, big-endian. The report holds both little-endian in 72 bytes, and pads with zeros,
    /// which must be zeros: they are under no signature.
    fn signature(&self) -> Result<[u8; 96], Reject> {
        let field = &self.0[SIGNED_BYTES..];
        let (r, s, rest) = (&field[..72], &field[72..144], &field[144..]);
        if r[48..].iter().chain(&s[48..]).chain(rest).any(|byte| *byte != 0) {
            return Err(Reject::malformed("report", "the signature's padding is not zero"));
        }
        let mut signature = [0; 96];
        for (to, from) in signature.iter_mut().zip(r[..48].iter().rev().chain(s[..48].iter().rev()))
        {
            *to = *from;
        }
        Ok(signature)
    }
}

/// The chain of the key that signed: ASK or ASVK, then ARK. Both of AMD's own are built in; an ASVK
/// comes with the collateral.
fn chain(
    trust_roots: &TrustRoots,
    vek: &X509Certificate<'_>,
    more: &[serde_bytes::ByteBuf],
    now: UnixSeconds,
) -> Result<(&'static str, x509::Rooted), Reject> {
    let rules = Rules {
        technology: Technology::AmdSevSnp,
        issuers_are_cas: false,
        validity: ValidityRule::All,
    };
    let given = more
        .iter()
        .map(|der| x509::parse(der, "certificate above the VCEK or VLEK"))
        .collect::<Result<Vec<_>, _>>()?;
    let mut last = Reject::ForeignRoot { root: vek.issuer().to_string() };
    for (product, ark, ask) in roots::AMD {
        let ark = x509::parse(ark, "ARK")?;
        let ask = x509::parse(ask, "ASK")?;
        for issuer in given.iter().chain([&ask]) {
            if issuer.subject().as_raw() != vek.issuer().as_raw()
                || issuer.issuer().as_raw() != ark.subject().as_raw()
            {
                continue;
            }
            let chain = [vek.clone(), issuer.clone(), ark.clone()];
            match x509::verify_chain(trust_roots, &chain, &[], now, rules) {
                Ok(rooted) => return Ok((product, rooted)),
                Err(reject) => last = reject,
            }
        }
    }
    Err(last)
}

/// The certificate of a VCEK names its chip: 64 bytes, of which Turin uses the first 8.
fn check_chip(vek: &X509Certificate<'_>, chip: &[u8]) -> Result<(), Reject> {
    let id = x509::extension(vek, OID_HWID)?
        .ok_or_else(|| Reject::malformed("VCEK certificate", "it names no chip"))?;
    // Some certificates wrap the bytes in an OCTET STRING once more.
    let id = match id {
        [4, length, rest @ ..] if usize::from(*length) == rest.len() && id.len() != 64 => rest,
        bare => bare,
    };
    let padded = chip.split_at_checked(id.len());
    match padded {
        Some((head, tail))
            if matches!(id.len(), 8 | 64) && head == id && tail.iter().all(|byte| *byte == 0) =>
        {
            Ok(())
        }
        _ => Err(Reject::Mismatch { what: "the report's chip", other: "the VCEK's" }),
    }
}

/// The key was derived for one set of firmware versions; the report must state the same.
fn check_tcb(vek: &X509Certificate<'_>, product: &str, tcb: &[u8]) -> Result<(), Reject> {
    let milan =
        [(0, OID_SPL_BOOTLOADER), (1, OID_SPL_TEE), (6, OID_SPL_SNP), (7, OID_SPL_MICROCODE)];
    let turin = [
        (0, OID_SPL_FMC),
        (1, OID_SPL_BOOTLOADER),
        (2, OID_SPL_TEE),
        (3, OID_SPL_SNP),
        (7, OID_SPL_MICROCODE),
    ];
    let places = if product == "turin" { &turin[..] } else { &milan[..] };
    for (at, oid) in places {
        let Some(value) = x509::extension(vek, oid)? else {
            return Err(Reject::malformed(
                "VCEK or VLEK certificate",
                "a firmware version is missing",
            ));
        };
        let mut reader = crate::der::Reader::new(value, "VCEK or VLEK certificate");
        let version = reader.integer()?;
        reader.end()?;
        if version != u64::from(tcb[*at]) {
            return Err(Reject::Mismatch {
                what: "the report's firmware",
                other: "the one its key was made for",
            });
        }
    }
    Ok(())
}
