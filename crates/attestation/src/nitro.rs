//! AWS Nitro Enclaves: documents of the Nitro Security Module.
//!
//! Source: AWS, *Validating attestation documents produced by the Nitro Hypervisor* (the CDDL
//! there bounds every field), RFC 9052 for `COSE_Sign1`.

use std::collections::BTreeMap;

use ciborium::Value;
use coset::{Algorithm, CborSerializable, CoseSign1, TaggedCborSerializable, iana};
use ring::signature::{ECDSA_P384_SHA384_FIXED, UnparsedPublicKey};
use x509_parser::certificate::X509Certificate;

use crate::{
    Claims, Details, Nitro, Reject, Technology, TrustRoots, UnixSeconds, der,
    x509::{self, Rules, ValidityRule},
};

const DOCUMENT_BYTES_MAX: usize = 32 * 1024;
/// Most certificates between root and leaf; AWS uses four.
const CABUNDLE_MAX: usize = 8;
/// PCR 0 measures the image file, 1 the kernel, 2 the application: all zero under debug.
const DEBUG_PCRS: [u8; 3] = [0, 1, 2];

pub(crate) fn verify(
    trust_roots: &TrustRoots,
    document: &[u8],
    now: UnixSeconds,
) -> Result<Claims, Reject> {
    let signed = parse_sign1(document)?;
    let payload = signed.payload.as_deref().unwrap_or_default();
    let mut fields = Fields::parse(payload)?;

    if fields.text("digest")? != "SHA384" {
        return Err(malformed("its digest is not SHA384"));
    }
    let leaf = fields.bytes("certificate", 1, 1024)?;
    let bundle = fields.cabundle()?;
    let chain = std::iter::once(&leaf)
        .chain(bundle.iter().rev())
        .map(|der| x509::parse(der, "certificate"))
        .collect::<Result<Vec<X509Certificate<'_>>, _>>()?;
    let rules = Rules {
        technology: Technology::AwsNitro,
        issuers_are_cas: true,
        validity: ValidityRule::All,
    };
    let rooted = x509::verify_chain(trust_roots, &chain, &[], now, rules)?;

    let key = &chain[0].public_key().subject_public_key.data;
    signed
        .verify_signature(b"", |signature, data| {
            UnparsedPublicKey::new(&ECDSA_P384_SHA384_FIXED, key).verify(data, signature)
        })
        .map_err(|_| Reject::signature("the document"))?;

    let module_id = fields.text("module_id")?;
    let timestamp_ms = fields.timestamp()?;
    let pcrs = fields.pcrs()?;
    let public_key = fields.optional_bytes("public_key", 1024)?;
    let user_data = fields.optional_bytes("user_data", 512)?;
    let nonce = fields.optional_bytes("nonce", 512)?;
    fields.end()?;

    let debug = DEBUG_PCRS
        .iter()
        .all(|index| pcrs.get(index).is_none_or(|value| value.iter().all(|byte| *byte == 0)));
    let details = Details::Nitro(Nitro {
        module_id: module_id.clone(),
        timestamp_ms,
        pcrs: pcrs.iter().map(|(index, value)| (*index, hex::encode(value))).collect(),
        public_key: hex::encode(&public_key),
        user_data: hex::encode(&user_data),
        nonce: hex::encode(&nonce),
        debug,
    });
    let root = (rooted.root, rooted.class);
    let binding = if nonce.is_empty() { &user_data } else { &nonce };
    let mut claims = Claims::new(Technology::AwsNitro, root, binding, rooted.validity, details);
    claims.measurement = pcrs.get(&0).cloned().unwrap_or_default();
    claims.device_key = public_key;
    claims.debug = debug;
    // `i-<instance>-enc<enclave>`: the instance is the machine that AWS vouches for.
    let instance = module_id.split("-enc").next().unwrap_or_default();
    claims.set_platform(instance.as_bytes());
    Ok(claims)
}

/// A `COSE_Sign1`, tagged or not, that ends where the bytes end and says ES384 in its protected
/// header.
fn parse_sign1(document: &[u8]) -> Result<CoseSign1, Reject> {
    if document.len() > DOCUMENT_BYTES_MAX {
        return Err(malformed("longer than 32 KiB"));
    }
    let signed = CoseSign1::from_slice(document)
        .or_else(|_| CoseSign1::from_tagged_slice(document))
        .map_err(|error| malformed(&format!("COSE: {error}")))?;
    match &signed.protected.header.alg {
        Some(Algorithm::Assigned(iana::Algorithm::ES384)) => Ok(signed),
        other => Err(Reject::Unsupported { what: "COSE algorithm", found: format!("{other:?}") }),
    }
}

/// The document's map. Each field is taken out once; what is left over at the end is refused.
struct Fields(BTreeMap<String, Value>);

impl Fields {
    fn parse(payload: &[u8]) -> Result<Self, Reject> {
        let value: Value = der::cbor_to_the_end(payload, DOCUMENT_BYTES_MAX, "document")?;
        let map = value.into_map().map_err(|_| malformed("its payload is not a map"))?;
        let mut fields = BTreeMap::new();
        for (key, value) in map {
            let key = key.into_text().map_err(|_| malformed("a key is not text"))?;
            if fields.insert(key, value).is_some() {
                return Err(malformed("a key appears twice"));
            }
        }
        Ok(Self(fields))
    }

    fn take(&mut self, key: &str) -> Result<Value, Reject> {
        self.0.remove(key).ok_or_else(|| malformed(&format!("{key} is missing")))
    }

    fn text(&mut self, key: &str) -> Result<String, Reject> {
        self.take(key)?.into_text().map_err(|_| malformed(&format!("{key} is not text")))
    }

    fn bytes(&mut self, key: &str, least: usize, most: usize) -> Result<Vec<u8>, Reject> {
        let bytes = self
            .take(key)?
            .into_bytes()
            .map_err(|_| malformed(&format!("{key} is not a byte string")))?;
        if (least..=most).contains(&bytes.len()) {
            Ok(bytes)
        } else {
            Err(malformed(&format!("{key} has {} bytes", bytes.len())))
        }
    }

    /// Absent, null or empty: nothing.
    fn optional_bytes(&mut self, key: &str, most: usize) -> Result<Vec<u8>, Reject> {
        match self.0.get(key) {
            None | Some(Value::Null) => {
                self.0.remove(key);
                Ok(Vec::new())
            }
            Some(_) => self.bytes(key, 0, most),
        }
    }

    fn timestamp(&mut self) -> Result<u64, Reject> {
        self.take("timestamp")?
            .into_integer()
            .ok()
            .and_then(|number| u64::try_from(number).ok())
            .ok_or_else(|| malformed("timestamp is not a number"))
    }

    fn cabundle(&mut self) -> Result<Vec<Vec<u8>>, Reject> {
        let bundle = self
            .take("cabundle")?
            .into_array()
            .map_err(|_| malformed("cabundle is not an array"))?;
        if bundle.is_empty() || bundle.len() > CABUNDLE_MAX {
            return Err(malformed("cabundle has no certificates, or too many"));
        }
        bundle
            .into_iter()
            .map(|der| {
                der.into_bytes().map_err(|_| malformed("cabundle does not hold byte strings"))
            })
            .collect()
    }

    fn pcrs(&mut self) -> Result<BTreeMap<u8, Vec<u8>>, Reject> {
        let map = self.take("pcrs")?.into_map().map_err(|_| malformed("pcrs is not a map"))?;
        let mut pcrs = BTreeMap::new();
        for (index, value) in map {
            let index = index
                .into_integer()
                .ok()
                .and_then(|index| u8::try_from(index).ok())
                .filter(|index| *index < 32)
                .ok_or_else(|| malformed("the index of a PCR is not below 32"))?;
            let value = value.into_bytes().map_err(|_| malformed("a PCR is not a byte string"))?;
            if !matches!(value.len(), 32 | 48 | 64) {
                return Err(malformed("a PCR has the wrong length"));
            }
            if pcrs.insert(index, value).is_some() {
                return Err(malformed("a PCR appears twice"));
            }
        }
        Ok(pcrs)
    }

    fn end(&self) -> Result<(), Reject> {
        match self.0.keys().next() {
            None => Ok(()),
            Some(key) => Err(malformed(&format!("{key} is not a field of it"))),
        }
    }
}

fn malformed(why: &str) -> Reject {
    Reject::malformed("document", why)
}

pub(crate) fn parse_unsigned(bytes: &[u8]) -> Result<(), Reject> {
    let mut fields = Fields::parse(bytes)?;
    fields.text("digest")?;
    fields.cabundle()?;
    fields.pcrs()?;
    fields.timestamp()?;
    fields.end()
}
