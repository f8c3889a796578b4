//! Apple App Attest: an attestation object, for a key in the Secure Enclave of a genuine device.
//!
//! The steps are those of "Validating apps that connect to your server", §Verify the attestation;
//! the object is WebAuthn's (§6.5), with a format of Apple's. The receipt inside is for Apple's
//! servers and no signature here covers it: claims state its length and nothing else.

use ciborium::Value;
use ring::digest::{self, SHA256};
use x509_parser::x509::SubjectPublicKeyInfo;

use crate::{
    Apple, Claims, Details, Reject, Technology, TrustRoots, UnixSeconds,
    der::{OCTET_STRING, Reader, SEQUENCE, cbor_to_the_end},
    roots::APPLE_ROOT_SPKI,
    x509::{self, Rooted, Rules, ValidityRule},
};

const WHAT: &str = "attestation object";
const AUTHENTICATOR_DATA: &str = "authenticator data";

/// Five times what devices send.
const ATTESTATION_BYTES_MAX: usize = 32 * 1024;
const FORMAT: &str = "apple-appattest";
/// Holds the nonce, in the leaf.
const NONCE: &str = "1.2.840.113635.100.8.2";

/// `SubjectPublicKeyInfo` of a key on P-256 up to the point (RFC 5480 §2): DER has but one form.
const P256_SPKI_HEAD: [u8; 26] = [
    0x30, 0x59, 0x30, 0x13, 0x06, 0x07, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x02, 0x01, 0x06, 0x08, 0x2a,
    0x86, 0x48, 0xce, 0x3d, 0x03, 0x01, 0x07, 0x03, 0x42, 0x00,
];

/// Flags of authenticator data (WebAuthn §6.1): a key is in it; extensions follow.
const HAS_KEY: u8 = 0x40;
const HAS_EXTENSIONS: u8 = 0x80;

/// The parts of an attestation object.
struct Attestation {
    /// Leaf and intermediate, DER.
    chain: [Vec<u8>; 2],
    receipt: Vec<u8>,
    authenticator_data: Vec<u8>,
}

/// WebAuthn §6.1, up to the key.
struct AuthenticatorData<'a> {
    rp_id_hash: &'a [u8; 32],
    flags: u8,
    counter: u32,
    aaguid: &'a [u8; 16],
    credential_id: &'a [u8],
    /// The key, then extensions.
    rest: &'a [u8],
}

/// Verify the attestation of a key that application `app_id` made for `client_data_hash`.
pub(crate) fn verify(
    trust_roots: &TrustRoots,
    attestation: &[u8],
    app_id: &str,
    client_data_hash: &[u8],
    now: UnixSeconds,
) -> Result<Claims, Reject> {
    if client_data_hash.len() != SHA256.output_len() {
        return Err(Reject::malformed("client data hash", "it is not 32 bytes long"));
    }
    let attestation = Attestation::parse(attestation)?;
    // Step 1: the chain.
    let [leaf, intermediate] = &attestation.chain;
    let chain = [x509::parse(leaf, "leaf")?, x509::parse(intermediate, "intermediate")?];
    let rooted = verify_chain(trust_roots, &chain, now)?;
    let [leaf, _] = &chain;
    // Steps 2 to 4: the nonce ties authenticator data and client data to the leaf.
    let signed = x509::extension(leaf, NONCE)?
        .ok_or(Reject::Missing { needed: "the nonce extension of the leaf" })?;
    let mut hash = digest::Context::new(&SHA256);
    hash.update(&attestation.authenticator_data);
    hash.update(client_data_hash);
    if nonce(signed)? != hash.finish().as_ref() {
        return Err(Reject::Mismatch { what: "the nonce", other: "authenticator and client data" });
    }
    // Steps 5 and 9: the key.
    let point = p256_point(leaf.public_key())?;
    let key_id = sha256(point);
    let data = AuthenticatorData::parse(&attestation.authenticator_data)?;
    if data.credential_id != key_id {
        return Err(Reject::Mismatch { what: "the credential id", other: "the key's hash" });
    }
    check_key(&data, point)?;
    // Steps 6 to 8: the application, the counter, the environment.
    if *data.rp_id_hash != sha256(app_id.as_bytes()) {
        return Err(Reject::Mismatch { what: "the application", other: "the one attested" });
    }
    if data.counter != 0 {
        return Err(Reject::Mismatch { what: "the counter", other: "that of a new key" });
    }
    let environment = environment(data.aaguid)?;

    let details = Apple {
        environment,
        app_id: app_id.to_owned(),
        key_id: hex::encode(key_id),
        public_key: hex::encode(point),
        counter: data.counter,
        receipt_len: attestation.receipt.len() as u64,
    };
    let mut claims = Claims::new(
        Technology::AppleAppAttest,
        (rooted.root, rooted.class),
        client_data_hash,
        rooted.validity,
        Details::Apple(details),
    );
    claims.measurement = data.rp_id_hash.to_vec();
    claims.device_key = leaf.public_key().raw.to_vec();
    claims.debug = environment == "development";
    Ok(claims)
}

/// Leaf and intermediate come with the evidence; the root does not.
fn verify_chain(
    trust_roots: &TrustRoots,
    chain: &[x509_parser::certificate::X509Certificate<'_>],
    now: UnixSeconds,
) -> Result<Rooted, Reject> {
    let apple = hex::decode(APPLE_ROOT_SPKI)
        .map_err(|error| Reject::malformed("root", format!("the constant: {error}")))?;
    let apple = x509::parse_key(&apple, "root")?;
    let others = trust_roots
        .certificates()
        .iter()
        .map(|der| x509::parse(der, "trust root"))
        .collect::<Result<Vec<_>, _>>()?;
    let above: Vec<&SubjectPublicKeyInfo<'_>> =
        [&apple].into_iter().chain(others.iter().map(|other| other.public_key())).collect();
    let rules = Rules {
        technology: Technology::AppleAppAttest,
        issuers_are_cas: true,
        validity: ValidityRule::All,
    };
    x509::verify_chain(trust_roots, chain, &above, now, rules)
}

impl Attestation {
    /// Every part once, in any order, and nothing else.
    fn parse(bytes: &[u8]) -> Result<Self, Reject> {
        let value: Value = cbor_to_the_end(bytes, ATTESTATION_BYTES_MAX, WHAT)?;
        // WebAuthn §6.5.4 wants CTAP2's canonical form: one object has one encoding.
        let mut canonical = Vec::with_capacity(bytes.len());
        let written = ciborium::into_writer(&value, &mut canonical);
        if written.is_err() || canonical != bytes {
            return Err(Reject::malformed(WHAT, "it is not in its shortest form"));
        }
        let [format, statement, authenticator_data] =
            fields(value, ["fmt", "attStmt", "authData"])?;
        match format {
            Value::Text(format) if format == FORMAT => {}
            Value::Text(found) => return Err(Reject::Unsupported { what: "format", found }),
            _ => return Err(Reject::malformed(WHAT, "its format is not text")),
        }
        let [chain, receipt] = fields(statement, ["x5c", "receipt"])?;
        let Value::Array(chain) = chain else {
            return Err(Reject::malformed(WHAT, "its chain is not an array"));
        };
        let chain = chain.into_iter().map(byte_string).collect::<Result<Vec<_>, _>>()?;
        let chain = <[Vec<u8>; 2]>::try_from(chain)
            .map_err(|_| Reject::malformed(WHAT, "its chain is not a leaf and an intermediate"))?;
        Ok(Self {
            chain,
            receipt: byte_string(receipt)?,
            authenticator_data: byte_string(authenticator_data)?,
        })
    }
}

/// The values of a map whose keys are exactly `names`.
fn fields<const N: usize>(map: Value, names: [&str; N]) -> Result<[Value; N], Reject> {
    let Value::Map(mut entries) = map else {
        return Err(Reject::malformed(WHAT, "a map is needed"));
    };
    let mut values = Vec::with_capacity(N);
    for name in names {
        let place = entries
            .iter()
            .position(|(key, _)| key.as_text() == Some(name))
            .ok_or_else(|| Reject::malformed(WHAT, format!("it has no {name}")))?;
        values.push(entries.swap_remove(place).1);
    }
    if !entries.is_empty() {
        return Err(Reject::malformed(WHAT, "a key is unknown or appears twice"));
    }
    <[Value; N]>::try_from(values).map_err(|_| Reject::malformed(WHAT, "a value is missing"))
}

fn byte_string(value: Value) -> Result<Vec<u8>, Reject> {
    value.into_bytes().map_err(|_| Reject::malformed(WHAT, "a part is not a byte string"))
}

/// `SEQUENCE { [1] EXPLICIT OCTET STRING }`, 32 bytes.
fn nonce(extension: &[u8]) -> Result<&[u8], Reject> {
    let what = "nonce extension";
    let mut outer = Reader::new(extension, what);
    let mut sequence = outer.inside(SEQUENCE)?;
    outer.end()?;
    let tagged = sequence.element()?;
    sequence.end()?;
    if (tagged.class, tagged.constructed, tagged.tag) != (2, true, 1) {
        return Err(Reject::malformed(what, "it has another tag than expected"));
    }
    let mut inside = Reader::new(tagged.contents, what);
    let nonce = inside.universal(OCTET_STRING)?;
    inside.end()?;
    if nonce.len() == SHA256.output_len() {
        Ok(nonce)
    } else {
        Err(Reject::malformed(what, "the nonce is not 32 bytes long"))
    }
}

/// The point of a P-256 key, uncompressed. The Secure Enclave makes no other keys.
fn p256_point<'a>(key: &SubjectPublicKeyInfo<'a>) -> Result<&'a [u8; 65], Reject> {
    key.raw
        .strip_prefix(&P256_SPKI_HEAD)
        .and_then(|point| <&[u8; 65]>::try_from(point).ok())
        .filter(|[form, ..]| *form == 4)
        .ok_or_else(|| Reject::Unsupported {
            what: "key",
            found: key.algorithm.algorithm.to_id_string(),
        })
}

impl<'a> AuthenticatorData<'a> {
    fn parse(bytes: &'a [u8]) -> Result<Self, Reject> {
        let cut = || Reject::malformed(AUTHENTICATOR_DATA, "it is cut short");
        let (rp_id_hash, rest) = bytes.split_first_chunk().ok_or_else(cut)?;
        let (&[flags], rest) = rest.split_first_chunk().ok_or_else(cut)?;
        let (counter, rest) = rest.split_first_chunk().ok_or_else(cut)?;
        if flags & HAS_KEY == 0 {
            return Err(Reject::Missing { needed: "a key in the authenticator data" });
        }
        let (aaguid, rest) = rest.split_first_chunk().ok_or_else(cut)?;
        let (length, rest) = rest.split_first_chunk().ok_or_else(cut)?;
        let length = usize::from(u16::from_be_bytes(*length));
        let (credential_id, rest) = rest.split_at_checked(length).ok_or_else(cut)?;
        let counter = u32::from_be_bytes(*counter);
        Ok(Self { rp_id_hash, flags, counter, aaguid, credential_id, rest })
    }
}

/// The key in the authenticator data must be the leaf's, and only announced extensions may follow.
///
/// It is a `COSE_Key` in CTAP2's canonical form (WebAuthn §6.5.1.1), of which a point has just
/// one: compared as bytes, a key with other or repeated labels is another key.
fn check_key(data: &AuthenticatorData<'_>, point: &[u8; 65]) -> Result<(), Reject> {
    let [_, coordinates @ ..] = point;
    let (x, y) = coordinates.split_at(32);
    // { 1 (kty): 2 (EC2), 3 (alg): -7 (ES256), -1 (crv): 1 (P-256), -2: x, -3: y }
    let head = [0xa5, 0x01, 0x02, 0x03, 0x26, 0x20, 0x01, 0x21, 0x58, 0x20];
    let key = [&head, x, &[0x22, 0x58, 0x20], y].concat();
    let rest = data
        .rest
        .strip_prefix(key.as_slice())
        .ok_or(Reject::Mismatch { what: "the key attested", other: "the leaf's" })?;
    if data.flags & HAS_EXTENSIONS != 0 {
        let extensions: Value = cbor_to_the_end(rest, ATTESTATION_BYTES_MAX, AUTHENTICATOR_DATA)?;
        if !extensions.is_map() {
            return Err(Reject::malformed(AUTHENTICATOR_DATA, "its extensions are not a map"));
        }
    } else if !rest.is_empty() {
        return Err(Reject::malformed(AUTHENTICATOR_DATA, "bytes follow its end"));
    }
    Ok(())
}

/// Which of Apple's two services signed: the one for applications from the store, or the one for
/// those under development.
fn environment(aaguid: &[u8; 16]) -> Result<&'static str, Reject> {
    match aaguid {
        b"appattest\0\0\0\0\0\0\0" => Ok("production"),
        b"appattestdevelop" => Ok("development"),
        other => Err(Reject::Unsupported { what: "environment", found: hex::encode(other) }),
    }
}

fn sha256(bytes: &[u8]) -> [u8; 32] {
    let mut hash = [0; 32];
    hash.copy_from_slice(digest::digest(&SHA256, bytes).as_ref());
    hash
}

pub(crate) fn parse_unsigned(bytes: &[u8]) -> Result<(), Reject> {
    AuthenticatorData::parse(bytes)?;
    Attestation::parse(bytes).map(|_| ())
}
