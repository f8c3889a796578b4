//! Chains of X.509 certificates up to a pinned root (RFC 5280 §6, without name constraints).

use x509_parser::{
    certificate::X509Certificate,
    oid_registry::{OID_PKCS1_SHA1WITHRSA, OID_SHA1_WITH_RSA},
    prelude::FromDer,
    x509::SubjectPublicKeyInfo,
};

use crate::{Class, Reject, Technology, TrustRoots, UnixSeconds, Validity, der};

/// What a kind of chain asks of its certificates.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Rules {
    pub technology: Technology,
    /// Does every certificate above the leaf have to be marked as a CA? AMD's and Google's oldest
    /// are not.
    pub issuers_are_cas: bool,
    pub validity: ValidityRule,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum ValidityRule {
    /// Every certificate must be valid now.
    All,
    /// Verifier checks times itself (Android: its leaf's are made up by the device).
    None,
}

/// The root a chain ended in, and when all of it is valid.
#[derive(Clone, Debug)]
pub(crate) struct Rooted {
    pub root: String,
    pub class: Class,
    pub validity: Validity,
}

/// Parse one certificate; nothing may follow it.
pub(crate) fn parse<'a>(der: &'a [u8], what: &'static str) -> Result<X509Certificate<'a>, Reject> {
    let (rest, certificate) = X509Certificate::from_der(der)
        .map_err(|error| Reject::malformed(what, format!("X.509: {error}")))?;
    if !rest.is_empty() {
        return Err(Reject::malformed(what, "bytes follow its end"));
    }
    check_form(der, what)?;
    Ok(certificate)
}

/// What is under no signature must be exactly what DER allows: the parser is more lenient than that, and a
/// byte that may change freely is one too many.
fn check_form(der: &[u8], what: &'static str) -> Result<(), Reject> {
    let mut outer = der::Reader::new(der, what);
    let mut certificate = outer.inside(der::SEQUENCE)?;
    outer.end()?;
    let mut signed = certificate.inside(der::SEQUENCE)?;
    let algorithm = certificate.element()?.raw;
    let signature = certificate.universal(der::BIT_STRING)?;
    certificate.end()?;
    if signature.first() != Some(&0) {
        return Err(Reject::malformed(what, "its signature has unused bits"));
    }
    // Version [0], serial number, then the algorithm once more: this one is signed.
    let version = signed.element()?;
    if (version.class, version.tag) != (2, 0) {
        return Err(Reject::malformed(what, "it is not of version 3"));
    }
    signed.universal(der::INTEGER)?;
    if signed.element()?.raw != algorithm {
        return Err(Reject::malformed(what, "its two signature algorithms differ"));
    }
    Ok(())
}

/// Parse a public key; nothing may follow it.
pub(crate) fn parse_key<'a>(
    der: &'a [u8],
    what: &'static str,
) -> Result<SubjectPublicKeyInfo<'a>, Reject> {
    let (rest, key) = SubjectPublicKeyInfo::from_der(der)
        .map_err(|error| Reject::malformed(what, format!("public key: {error}")))?;
    if !rest.is_empty() {
        return Err(Reject::malformed(what, "bytes follow its end"));
    }
    check_key_form(der, what)?;
    Ok(key)
}

/// `SEQUENCE { SEQUENCE { algorithm, NULL or curve }, BIT STRING }`, in DER's one form.
fn check_key_form(der: &[u8], what: &'static str) -> Result<(), Reject> {
    let mut outer = der::Reader::new(der, what);
    let mut key = outer.inside(der::SEQUENCE)?;
    outer.end()?;
    let mut algorithm = key.inside(der::SEQUENCE)?;
    algorithm.universal(der::OBJECT_IDENTIFIER)?;
    if !algorithm.is_empty() {
        let parameters = algorithm.element()?;
        let null = parameters.raw == [5, 0];
        let curve = (parameters.class, parameters.tag, parameters.constructed)
            == (0, der::OBJECT_IDENTIFIER, false);
        if !null && !curve {
            return Err(Reject::malformed(what, "its parameters are neither NULL nor a curve"));
        }
    }
    algorithm.end()?;
    let bits = key.universal(der::BIT_STRING)?;
    key.end()?;
    if bits.first() == Some(&0) {
        Ok(())
    } else {
        Err(Reject::malformed(what, "it has unused bits"))
    }
}

/// The value of an extension; `None` if the certificate has none, refused if it has two.
pub(crate) fn extension<'a>(
    certificate: &X509Certificate<'a>,
    oid: &str,
) -> Result<Option<&'a [u8]>, Reject> {
    let mut found = certificate
        .extensions()
        .iter()
        .filter(|extension| extension.oid.to_id_string() == oid)
        .map(|extension| extension.value);
    let first = found.next();
    match found.next() {
        None => Ok(first),
        Some(_) => Err(Reject::malformed("certificate", format!("extension {oid} appears twice"))),
    }
}

/// Check a chain, leaf first. It may end in a root (whose key is then a trust root), or below one of
/// `above`, whose key must be a trust root.
pub(crate) fn verify_chain(
    trust_roots: &TrustRoots,
    chain: &[X509Certificate<'_>],
    above: &[&SubjectPublicKeyInfo<'_>],
    now: UnixSeconds,
    rules: Rules,
) -> Result<Rooted, Reject> {
    let [.., last] = chain else {
        return Err(Reject::malformed("chain", "it has no certificate"));
    };
    let mut validity = Validity::ALWAYS;
    for (index, certificate) in chain.iter().enumerate() {
        refuse_unknown_critical(certificate)?;
        if rules.validity == ValidityRule::All {
            validity = validity.and(check_validity(certificate, index, now)?);
        }
        if index > 0 && rules.issuers_are_cas {
            check_issuer_is_ca(certificate, index)?;
        }
    }
    for (index, pair) in chain.windows(2).enumerate() {
        let (certificate, issuer) = (&pair[0], &pair[1]);
        if certificate.issuer().as_raw() != issuer.subject().as_raw() {
            return Err(Reject::Mismatch {
                what: "a certificate's issuer",
                other: "its issuer's name",
            });
        }
        check_signature(certificate, issuer.public_key(), index)?;
    }
    let root_of = |key: &[u8]| trust_roots.root_of(rules.technology, key);
    if let Some((root, class)) = root_of(last.public_key().raw) {
        check_signature(last, last.public_key(), chain.len() - 1)?;
        return Ok(Rooted { root, class, validity });
    }
    for key in above {
        if let Some((root, class)) = root_of(key.raw)
            && check_signature(last, key, chain.len() - 1).is_ok()
        {
            return Ok(Rooted { root, class, validity });
        }
    }
    Err(Reject::ForeignRoot { root: last.issuer().to_string() })
}

/// Is `certificate`, at `index` from the leaf, valid now?
pub(crate) fn check_validity(
    certificate: &X509Certificate<'_>,
    index: usize,
    now: UnixSeconds,
) -> Result<Validity, Reject> {
    check_window(window(certificate), certificate, index, now)
}

/// When `certificate` says it is valid. What began before 1970 began in 1970.
pub(crate) fn window(certificate: &X509Certificate<'_>) -> Validity {
    let second = |time: i64| UnixSeconds::new(u64::try_from(time).unwrap_or(0));
    Validity {
        not_before: second(certificate.validity().not_before.timestamp()),
        not_after: second(certificate.validity().not_after.timestamp()),
    }
}

/// Does now lie in `validity`, the window of `certificate` or the part of it that counts?
pub(crate) fn check_window(
    validity: Validity,
    certificate: &X509Certificate<'_>,
    index: usize,
    now: UnixSeconds,
) -> Result<Validity, Reject> {
    let what = || format!("certificate {index} ({})", certificate.subject());
    if now < validity.not_before {
        return Err(Reject::NotYetValid { what: what() });
    }
    if validity.not_after < now {
        return Err(Reject::Expired { what: what() });
    }
    Ok(validity)
}

pub(crate) fn check_signature(
    certificate: &X509Certificate<'_>,
    issuer: &SubjectPublicKeyInfo<'_>,
    index: usize,
) -> Result<(), Reject> {
    let algorithm = &certificate.signature_algorithm.algorithm;
    if *algorithm == OID_PKCS1_SHA1WITHRSA || *algorithm == OID_SHA1_WITH_RSA {
        return Err(Reject::Unsupported {
            what: "signature with SHA-1",
            found: algorithm.to_string(),
        });
    }
    certificate
        .verify_signature(Some(issuer))
        .map_err(|_| Reject::signature(format!("certificate {index} ({})", certificate.subject())))
}

fn check_issuer_is_ca(certificate: &X509Certificate<'_>, index: usize) -> Result<(), Reject> {
    let constraints = certificate
        .basic_constraints()
        .map_err(|error| Reject::malformed("certificate", error))?
        .filter(|constraints| constraints.value.ca)
        .ok_or(Reject::Mismatch { what: "a certificate that signs another", other: "a CA" })?;
    // Certificates between this one and the leaf: all but the leaf itself.
    let between = u32::try_from(index - 1).unwrap_or(u32::MAX);
    if constraints.value.path_len_constraint.is_some_and(|most| between > most) {
        return Err(Reject::Mismatch { what: "the length of the chain", other: "a CA's limit" });
    }
    let may_sign = certificate
        .key_usage()
        .map_err(|error| Reject::malformed("certificate", error))?
        .is_none_or(|usage| usage.value.key_cert_sign());
    if may_sign {
        Ok(())
    } else {
        Err(Reject::Mismatch { what: "a CA's key usage", other: "signing certificates" })
    }
}

/// RFC 5280 §4.2: a critical extension that is not understood refuses the certificate.
fn refuse_unknown_critical(certificate: &X509Certificate<'_>) -> Result<(), Reject> {
    use x509_parser::extensions::ParsedExtension;
    for extension in certificate.extensions() {
        let known = matches!(
            extension.parsed_extension(),
            ParsedExtension::BasicConstraints(_)
                | ParsedExtension::KeyUsage(_)
                | ParsedExtension::ExtendedKeyUsage(_)
                | ParsedExtension::SubjectAlternativeName(_)
                | ParsedExtension::CertificatePolicies(_)
        );
        if extension.critical && !known {
            return Err(Reject::Unsupported {
                what: "critical extension",
                found: extension.oid.to_id_string(),
            });
        }
    }
    Ok(())
}
