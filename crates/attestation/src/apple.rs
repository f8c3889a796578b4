//! Apple App Attest: attestation objects.
//!
//! Source: Apple, *Validating apps that connect to your server*, "Verify the attestation", steps 1
//! to 9; W3C *Web Authentication* §6.1 for the layout of `authData`.

use ciborium::Value;
use ring::digest::{SHA256, digest};
use x509_parser::certificate::X509Certificate;

use crate::{
    Anchors, Apple, Claims, Details, Reject, Technology, UnixSeconds, der,
    roots::APPLE_ROOT_SPKI,
    x509::{self, Rules, ValidityRule},
};

const OBJECT_BYTES_MAX: usize = 16 * 1024;
const OID_NONCE: &str = "1.2.840.113635.100.8.2";
/// The `aaguid` of each environment.
const PRODUCTION: &[u8; 16] = b"appattest\0\0\0\0\0\0\0";
const DEVELOPMENT: &[u8; 16] = b"appattestdevelop";
/// Flags of `authData`: attested credential data follows.
const FLAG_ATTESTED: u8 = 1 << 6;
const FLAG_EXTENSIONS: u8 = 1 << 7;

pub(crate) fn verify(
    anchors: &Anchors,
    attestation: &[u8],
    app_id: &str,
    client_data_hash: &[u8],
    now: UnixSeconds,
) -> Result<Claims, Reject> {
    if client_data_hash.len() != 32 {
        return Err(Reject::malformed("client data hash", "it is no SHA-256"));
    }
    let object = Object::parse(attestation)?;

    // 1: the chain, up to Apple's root, which does not come with the object.
    let certificates = object
        .x5c
        .iter()
        .map(|der| x509::parse(der, "certificate"))
        .collect::<Result<Vec<_>, _>>()?;
    let [leaf, ..] = &certificates[..] else {
        return Err(malformed("x5c holds no certificate"));
    };
    let rooted = chain(anchors, &certificates, now)?;

    // 2 to 4: the leaf's nonce binds authData and client data.
    let bound = [object.auth_data.as_slice(), client_data_hash].concat();
    if nonce(leaf)? != digest(&SHA256, &bound).as_ref() {
        return Err(Reject::WrongChallenge);
    }
    // 5: the key's name is the hash of its point.
    let point = &leaf.public_key().subject_public_key.data;
    let key_id = digest(&SHA256, point);

    // 6 to 9: what authData says.
    let data = AuthData::parse(&object.auth_data)?;
    if data.rp_id_hash != digest(&SHA256, app_id.as_bytes()).as_ref() {
        return Err(Reject::Mismatch { what: "the application", other: "the one that is named" });
    }
    if data.counter != 0 {
        return Err(Reject::Mismatch { what: "the counter", other: "zero" });
    }
    let environment = match data.aaguid {
        id if id == PRODUCTION => "production",
        id if id == DEVELOPMENT => "development",
        _ => return Err(malformed("its aaguid is not App Attest's")),
    };
    if data.credential_id != key_id.as_ref() {
        return Err(Reject::Mismatch { what: "the credential's id", other: "the attested key" });
    }
    if data.public_key != point.as_ref() {
        return Err(Reject::Mismatch { what: "the credential's key", other: "the attested key" });
    }

    let details = Details::Apple(Apple {
        environment,
        app_id: app_id.to_owned(),
        key_id: hex::encode(key_id),
        public_key: hex::encode(point),
        counter: data.counter,
        receipt_len: object.receipt.len() as u64,
    });
    let root = (rooted.root, rooted.class);
    let technology = Technology::AppleAppAttest;
    let mut claims = Claims::new(technology, root, client_data_hash, rooted.validity, details);
    claims.measurement = data.rp_id_hash.to_vec();
    claims.device_key = leaf.public_key().raw.to_vec();
    claims.debug = environment == "development";
    Ok(claims)
}

fn chain(
    anchors: &Anchors,
    certificates: &[X509Certificate],
    now: UnixSeconds,
) -> Result<x509::Rooted, Reject> {
    let rules = Rules {
        technology: Technology::AppleAppAttest,
        issuers_are_cas: true,
        validity: ValidityRule::All,
    };
    let apple = hex::decode(APPLE_ROOT_SPKI).expect("a constant");
    let apple = x509::parse_key(&apple, "Apple's root")?;
    let given = anchors
        .certificates()
        .iter()
        .map(|der| x509::parse(der, "anchor"))
        .collect::<Result<Vec<_>, _>>()?;
    let above: Vec<_> = given.iter().map(|root| root.public_key()).chain([&apple]).collect();
    x509::verify_chain(anchors, certificates, &above, now, rules)
}

/// `SEQUENCE { [1] { OCTET STRING nonce } }`.
fn nonce<'a>(leaf: &X509Certificate<'a>) -> Result<&'a [u8], Reject> {
    let value = x509::extension(leaf, OID_NONCE)?
        .ok_or_else(|| Reject::malformed("certificate", "it holds no nonce"))?;
    let mut outer = der::Reader::new(value, "nonce extension");
    let mut sequence = outer.inside(der::SEQUENCE)?;
    outer.end()?;
    let tagged = sequence.element()?;
    sequence.end()?;
    if (tagged.class, tagged.tag, tagged.constructed) != (2, 1, true) {
        return Err(Reject::malformed("nonce extension", "its tag is not [1]"));
    }
    let mut inner = der::Reader::new(tagged.contents, "nonce extension");
    let nonce = inner.universal(der::OCTET_STRING)?;
    inner.end()?;
    Ok(nonce)
}

/// The CBOR map: `{fmt, attStmt: {x5c, receipt}, authData}`, and nothing else.
struct Object {
    x5c: Vec<Vec<u8>>,
    receipt: Vec<u8>,
    auth_data: Vec<u8>,
}

impl Object {
    fn parse(bytes: &[u8]) -> Result<Self, Reject> {
        let value: Value = der::cbor_to_the_end(bytes, OBJECT_BYTES_MAX, "attestation object")?;
        let mut canonical = Vec::with_capacity(bytes.len());
        ciborium::into_writer(&value, &mut canonical)
            .map_err(|error| malformed(&error.to_string()))?;
        if canonical != bytes {
            return Err(malformed("its CBOR is not in its shortest form"));
        }
        let [format, statement, auth_data] = fields(value, ["fmt", "attStmt", "authData"])?;
        if format.as_text() != Some("apple-appattest") {
            return Err(malformed("its format is not apple-appattest"));
        }
        let [x5c, receipt] = fields(statement, ["x5c", "receipt"])?;
        let x5c = x5c.into_array().map_err(|_| malformed("x5c is no array"))?;
        if x5c.len() > 4 {
            return Err(malformed("x5c holds too many certificates"));
        }
        let bytes = |value: Value| value.into_bytes().map_err(|_| malformed("a part is no bytes"));
        Ok(Self {
            x5c: x5c.into_iter().map(bytes).collect::<Result<_, _>>()?,
            receipt: bytes(receipt)?,
            auth_data: bytes(auth_data)?,
        })
    }
}

/// The values of a map with exactly these text keys.
fn fields<const N: usize>(value: Value, names: [&str; N]) -> Result<[Value; N], Reject> {
    let map = value.into_map().map_err(|_| malformed("a part is no map"))?;
    if map.len() != N {
        return Err(malformed("a map has fields it should not have, or lacks some"));
    }
    let mut values: [Value; N] = std::array::from_fn(|_| Value::Null);
    for (place, name) in values.iter_mut().zip(names) {
        *place = map
            .iter()
            .find(|(key, _)| key.as_text() == Some(name))
            .map(|(_, value)| value.clone())
            .ok_or_else(|| malformed(&format!("{name} is missing")))?;
    }
    Ok(values)
}

struct AuthData<'a> {
    rp_id_hash: &'a [u8],
    counter: u32,
    aaguid: &'a [u8],
    credential_id: &'a [u8],
    /// Uncompressed point.
    public_key: Vec<u8>,
}

impl<'a> AuthData<'a> {
    /// `rpIdHash 32 ‖ flags 1 ‖ counter 4 ‖ aaguid 16 ‖ length 2 ‖ credential id ‖ COSE key`.
    fn parse(bytes: &'a [u8]) -> Result<Self, Reject> {
        let cut = || malformed("authData is cut short");
        let (rp_id_hash, rest) = bytes.split_at_checked(32).ok_or_else(cut)?;
        let (flags, rest) = rest.split_first().ok_or_else(cut)?;
        let (counter, rest) = rest.split_first_chunk::<4>().ok_or_else(cut)?;
        let (aaguid, rest) = rest.split_at_checked(16).ok_or_else(cut)?;
        let (length, rest) = rest.split_first_chunk::<2>().ok_or_else(cut)?;
        let length = usize::from(u16::from_be_bytes(*length));
        let (credential_id, mut rest) = rest.split_at_checked(length).ok_or_else(cut)?;
        if flags & FLAG_ATTESTED == 0 || flags & FLAG_EXTENSIONS != 0 {
            return Err(malformed("authData's flags are not those of an attestation"));
        }
        let key: Value = ciborium::from_reader(&mut rest)
            .map_err(|error| malformed(&format!("COSE key: {error}")))?;
        if !rest.is_empty() {
            return Err(malformed("bytes follow the credential's key"));
        }
        let public_key = cose_point(&key)?;
        let counter = u32::from_be_bytes(*counter);
        Ok(Self { rp_id_hash, counter, aaguid, credential_id, public_key })
    }
}

/// The point of a COSE EC2 key on P-256 (RFC 9053 §7.1.1).
fn cose_point(key: &Value) -> Result<Vec<u8>, Reject> {
    let map = key.as_map().ok_or_else(|| malformed("the COSE key is no map"))?;
    let get = |label: i64| {
        let mut found = map.iter().filter(|(key, _)| key.as_integer() == Some(label.into()));
        match (found.next(), found.next()) {
            (Some((_, value)), None) => Ok(value),
            _ => Err(malformed("the COSE key lacks a part, or has it twice")),
        }
    };
    let is =
        |label: i64, number: i64| get(label).map(|value| value.as_integer() == Some(number.into()));
    // Key type EC2, curve P-256.
    if !is(1, 2)? || !is(-1, 1)? {
        return Err(malformed("the credential's key is not on P-256"));
    }
    let mut point = vec![4];
    for label in [-2, -3] {
        match get(label)?.as_bytes() {
            Some(coordinate) if coordinate.len() == 32 => point.extend(coordinate),
            _ => return Err(malformed("a coordinate is not 32 bytes")),
        }
    }
    Ok(point)
}

fn malformed(why: &str) -> Reject {
    Reject::malformed("attestation object", why)
}

pub(crate) fn parse_unsigned(bytes: &[u8]) -> Result<(), Reject> {
    AuthData::parse(bytes)?;
    Object::parse(bytes).map(|_| ())
}
