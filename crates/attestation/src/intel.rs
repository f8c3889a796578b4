//! Intel SGX and TDX: DCAP quotes with their collateral.
//!
//! The quote, TCB info, QE identity and CRLs are verified by `dcap-qvl` at the given time. Debug
//! enclaves pass here and are flagged: whether to accept one is a policy's question. Trust domains
//! that are migratable, bound to service TDs or without `SEPT_VE_DISABLE` are refused here,
//! because then another party than the measured one shares their secrets.
//!
//! Source: Intel, *SGX ECDSA Quote Library Reference*; *TDX DCAP Quoting Library API*.

use dcap_qvl::{
    QuoteClaims, QuoteCollateralV3, QuotePolicy,
    quote::{Quote, Report, TDReport10, TDReport15},
    verify::QuoteVerifier,
};
use ring::digest;
use x509_parser::{pem::Pem, time::ASN1Time};

use crate::{
    Claims, Class, Collateral, Dcap, Details, Reject, Sgx, TcbStatus, Tdx, Technology, TrustRoots,
    UnixSeconds, Validity, roots, x509,
};

/// Bit 29 of a TD's attributes: a migration TD may move it.
const TD_MIGRATABLE: u8 = 1 << 5;
/// The attribute bits that let a host look into a TD: debug, and the three kinds of profiling.
const TD_UNDER_DEBUG: u8 = 0b0111_0001;
/// `ATTRIBUTES.DEBUG` of an enclave.
const ENCLAVE_DEBUG: u8 = 0b10;

pub(crate) fn sgx(
    trust_roots: &TrustRoots,
    quote: &[u8],
    collateral: &Collateral,
    now: UnixSeconds,
) -> Result<Claims, Reject> {
    let verified = Verified::new(trust_roots, Technology::IntelSgx, quote, collateral, now)?;
    let Report::SgxEnclave(report) = &verified.quote.report else {
        return Err(Reject::Mismatch { what: "a TDX quote", other: "SGX evidence" });
    };
    let header = &verified.quote.header;
    let debug = report.attributes[0] & ENCLAVE_DEBUG != 0;
    let details = Details::Sgx(Sgx {
        quote_version: header.version,
        tee: "SGX",
        vendor: "Intel",
        qe_svn: header.qe_svn,
        pce_svn: header.pce_svn,
        mr_enclave: hex::encode(report.mr_enclave),
        mr_signer: hex::encode(report.mr_signer),
        isv_prod_id: report.isv_prod_id,
        isv_svn: report.isv_svn,
        debug,
        attributes_hex: hex::encode(report.attributes),
        report_data: hex::encode(report.report_data),
        cpu_svn: hex::encode(report.cpu_svn),
        dcap: verified.dcap.clone(),
    });
    let (data, enclave) = (&report.report_data, &report.mr_enclave);
    Ok(verified.claims(Technology::IntelSgx, data, enclave, debug, details))
}

pub(crate) fn tdx(
    trust_roots: &TrustRoots,
    quote: &[u8],
    collateral: &Collateral,
    now: UnixSeconds,
) -> Result<Claims, Reject> {
    let verified = Verified::new(trust_roots, Technology::IntelTdx, quote, collateral, now)?;
    let (base, extended, body): (&TDReport10, Option<&TDReport15>, u16) =
        match &verified.quote.report {
            Report::TD10(report) => (report, None, 2),
            Report::TD15(report) => (&report.base, Some(report), 3),
            Report::TD15Ex(report) => (&report.base.base, Some(&report.base), 4),
            Report::SgxEnclave(_) => {
                return Err(Reject::Mismatch { what: "an SGX quote", other: "TDX evidence" });
            }
        };
    let header = &verified.quote.header;
    let debug = base.td_attributes[0] & TD_UNDER_DEBUG != 0;
    let rt_mr = [base.rt_mr0, base.rt_mr1, base.rt_mr2, base.rt_mr3];
    let details = Details::Tdx(Box::new(Tdx {
        quote_version: header.version,
        tee: "TDX",
        vendor: "Intel",
        qe_svn: header.qe_svn,
        pce_svn: header.pce_svn,
        tee_tcb_svn: hex::encode(base.tee_tcb_svn),
        mr_seam: hex::encode(base.mr_seam),
        mr_signer_seam: hex::encode(base.mr_signer_seam),
        seam_attributes: hex::encode(base.seam_attributes),
        td_attributes: hex::encode(base.td_attributes),
        debug,
        xfam: hex::encode(base.xfam),
        mr_td: hex::encode(base.mr_td),
        mr_config_id: hex::encode(base.mr_config_id),
        mr_owner: hex::encode(base.mr_owner),
        mr_owner_config: hex::encode(base.mr_owner_config),
        rt_mr: rt_mr.map(hex::encode),
        report_data: hex::encode(base.report_data),
        body_type: (header.version == 5).then_some(body),
        tee_tcb_svn2: extended.map(|report| hex::encode(report.tee_tcb_svn2)),
        mr_service_td: extended.map(|report| hex::encode(report.mr_service_td)),
        dcap: verified.dcap.clone(),
    }));
    // MRTD alone measures the virtual firmware; kernel, command line and application are in the
    // registers. A list of allowed measurements has to fix all of them.
    let mut measurement = digest::Context::new(&digest::SHA384);
    measurement.update(&base.mr_td);
    rt_mr.iter().for_each(|register| measurement.update(register));
    for identity in [base.mr_config_id, base.mr_owner, base.mr_owner_config] {
        measurement.update(&identity);
    }
    let measurement = measurement.finish();
    let (data, measured) = (&base.report_data, measurement.as_ref());
    let migratable = base.td_attributes[3] & TD_MIGRATABLE != 0;
    let mut claims = verified.claims(Technology::IntelTdx, data, measured, debug, details);
    claims.migratable = migratable;
    Ok(claims)
}

/// A quote that `dcap-qvl` verified, and the platform it comes from.
struct Verified {
    quote: QuoteClaims,
    dcap: Dcap,
    root: (String, Class),
}

impl Verified {
    fn new(
        trust_roots: &TrustRoots,
        technology: Technology,
        quote: &[u8],
        collateral: &Collateral,
        now: UnixSeconds,
    ) -> Result<Self, Reject> {
        if collateral.dcap.is_empty() {
            return Err(Reject::Missing { needed: "the collateral of a DCAP quote" });
        }
        let parsed: QuoteCollateralV3 = serde_json::from_slice(&collateral.dcap)
            .map_err(|error| Reject::malformed("collateral", error))?;
        let (claims, root_sha256, root) =
            under_a_root(trust_roots, technology, quote, &parsed, now)?;
        let dcap = platform(&claims, quote, &parsed, root_sha256)?;
        Ok(Self { quote: claims, dcap, root })
    }

    fn claims(
        &self,
        technology: Technology,
        report_data: &[u8],
        measurement: &[u8],
        debug: bool,
        details: Details,
    ) -> Claims {
        let validity = Validity {
            not_before: UnixSeconds::new(self.quote.latest_issue_date),
            not_after: UnixSeconds::new(self.quote.earliest_expiration_date),
        };
        let mut claims = Claims::new(technology, self.root.clone(), report_data, validity, details);
        claims.measurement = measurement.to_vec();
        claims.tcb_status = self.dcap.tcb_status;
        claims.advisories = self.dcap.advisories.clone();
        claims.debug = debug;
        claims.set_platform(&self.quote.platform.pck.ppid);
        claims
    }
}

/// Verify under Intel's root, or under the first of the given roots that fits.
fn under_a_root(
    trust_roots: &TrustRoots,
    technology: Technology,
    quote: &[u8],
    collateral: &QuoteCollateralV3,
    now: UnixSeconds,
) -> Result<(QuoteClaims, String, (String, Class)), Reject> {
    let run = |verifier: QuoteVerifier| {
        // Statuses are claims here and judged by the policy; a revoked TCB never gets this far.
        let policy = QuotePolicy::claims_only(now.get());
        verifier
            .allow_debug(true)
            .verify_with_policy(quote, collateral, now.get(), &policy)
            .map_err(|error| rejected(&format!("{error:#}")))
    };
    match trust_roots {
        TrustRoots::Vendors | TrustRoots::VendorsAnd { .. } => {
            let root = roots::intel(technology);
            let claims = run(QuoteVerifier::new_prod())?;
            Ok((claims, roots::INTEL_ROOT_SHA256.to_owned(), root))
        }
        TrustRoots::Only(certificates) => {
            let mut last = Reject::ForeignRoot { root: "none was given".into() };
            for der in certificates {
                let root = x509::parse(der, "trust root")?;
                match run(QuoteVerifier::new(der.clone())) {
                    Ok(claims) => {
                        let root = trust_roots
                            .root_of(technology, root.public_key().raw)
                            .ok_or(Reject::ForeignRoot { root: root.subject().to_string() })?;
                        return Ok((claims, roots::sha256_hex(der), root));
                    }
                    Err(reject) => last = reject,
                }
            }
            Err(last)
        }
    }
}

/// The platform as its PCK certificate and the vendor's TCB info describe it.
fn platform(
    claims: &QuoteClaims,
    quote: &[u8],
    collateral: &QuoteCollateralV3,
    root_sha256: String,
) -> Result<Dcap, Reject> {
    let pck = pck_certificate(quote, collateral)?;
    let pck = x509::parse(&pck, "PCK certificate")?;
    let pck_ca = pck
        .issuer()
        .iter_common_name()
        .next()
        .and_then(|name| name.as_str().ok())
        .ok_or_else(|| Reject::malformed("PCK certificate", "its issuer has no name"))?;
    let status = claims.tcb.status.to_string();
    let tcb_status = TcbStatus::of_name(&status).ok_or(Reject::TcbUnrecognised { why: status })?;
    Ok(Dcap {
        fmspc: hex::encode(claims.platform.pck.fmspc),
        ppid: hex::encode(&claims.platform.pck.ppid),
        pck_ca: pck_ca.to_owned(),
        pck_valid: [pck.validity().not_before, pck.validity().not_after].map(date),
        root_sha256,
        tcb_status,
        advisories: claims.tcb.advisory_ids.clone(),
        qe_status: claims.qe.tcb_level.tcb_status.to_string(),
        tcb_date: claims.platform.tcb_date_tag,
    })
}

/// The leaf that `dcap-qvl` verified: the collateral's chain goes before the quote's own.
fn pck_certificate(quote: &[u8], collateral: &QuoteCollateralV3) -> Result<Vec<u8>, Reject> {
    let malformed = |why: &str| Reject::malformed("PCK certificate", why);
    let quote = Quote::parse(quote).map_err(|error| malformed(&error.to_string()))?;
    let chain = match &collateral.pck_certificate_chain {
        Some(chain) => chain.as_bytes(),
        None => quote.raw_cert_chain().map_err(|error| malformed(&error.to_string()))?,
    };
    let blocks = Pem::iter_from_buffer(chain)
        .map(|block| block.map(|block| block.contents))
        .collect::<Result<Vec<_>, _>>()
        .map_err(|_| malformed("its chain is not PEM"))?;
    let mut blocks = blocks.into_iter();
    let leaf = blocks.next().ok_or_else(|| malformed("its chain is not PEM"))?;
    // The chain was verified up to the pinned root; the copy of it that comes along was not looked at.
    for above in blocks {
        let above = x509::parse(&above, "PCK chain")?;
        if above.subject() == above.issuer() {
            x509::check_signature(&above, above.public_key(), 2)?;
        }
    }
    Ok(leaf)
}

/// As `2025-02-06 23:25:51+00:00`.
fn date(time: ASN1Time) -> String {
    let time = time.to_datetime();
    let (hour, minute, second) = time.to_hms();
    let (year, month, day) = (time.year(), u8::from(time.month()), time.day());
    format!("{year:04}-{month:02}-{day:02} {hour:02}:{minute:02}:{second:02}+00:00")
}

/// `dcap-qvl` answers in prose; the kinds of refusal are told apart by the words it uses.
fn rejected(message: &str) -> Reject {
    let has = |words: &[&str]| words.iter().any(|word| message.contains(word));
    let text = message.to_owned();
    if has(&["UnknownIssuer", "CrlSignature"]) {
        Reject::ForeignRoot { root: text }
    } else if has(&["CertRevoked", "Revoked"]) {
        Reject::Revoked { what: format!("the platform ({text})") }
    } else if has(&["in the future", "CertNotValidYet"]) {
        Reject::NotYetValid { what: format!("the quote's collateral ({text})") }
    } else if has(&["xpired"]) {
        Reject::Expired { what: format!("the quote's collateral ({text})") }
    } else if has(&["ignature"]) {
        Reject::Signature { what: format!("the quote or its collateral ({text})") }
    } else if has(&["TCB", "Fmspc", "module identity", "QE Identity", "ISVSVN"]) {
        Reject::TcbUnrecognised { why: text }
    } else if has(&["TD migration", "SERVTD_EXT", "service TD", "SEPT_VE_DISABLE", "Reserved bits"])
    {
        Reject::Unsupported { what: "kind of trust domain", found: text }
    } else {
        Reject::Malformed { what: "quote", why: text }
    }
}
