//! Bytes read by their description alone, as a program in another language would.

use crate::json::Json;
use types::{
    Address, NanoMeshx, Place,
    codec::DecodeExt as _,
    describe::{Content, Field, Noun, Shape, Type, Variant},
};

/// A tag that was read: where it stood, and what it may be.
pub struct Tag {
    pub offset: usize,
    pub noun: &'static str,
    pub variants: &'static [Variant],
    pub variant: &'static Variant,
}

/// Reads a value, and remembers each tag.
pub struct Reader<'a> {
    bytes: &'a [u8],
    at: usize,
    pub tags: Vec<Tag>,
}

/// The JSON of `bytes`, and the tags in them.
///
/// # Panics
/// If the bytes are not those of one `of`, whole.
pub fn read(of: &Type, bytes: &[u8]) -> (Json, Vec<Tag>) {
    let mut reader = Reader { bytes, at: 0, tags: Vec::new() };
    let value = reader.value(of);
    assert_eq!(reader.at, bytes.len(), "the description reads fewer bytes than there are");
    (value, reader.tags)
}

impl<'a> Reader<'a> {
    fn take(&mut self, count: usize) -> &'a [u8] {
        let taken = &self.bytes[self.at..self.at + count];
        self.at += count;
        taken
    }

    fn varint(&mut self) -> usize {
        let mut value = 0;
        for shift in (0..).step_by(7) {
            let byte = self.take(1)[0];
            value |= usize::from(byte & 0x7f) << shift;
            if byte & 0x80 == 0 {
                break;
            }
        }
        value
    }

    /// A length of at most `max`.
    fn length(&mut self, max: usize) -> usize {
        let length = self.varint();
        assert!(length <= max, "{length} is more than {max}");
        length
    }

    fn value(&mut self, of: &Type) -> Json {
        match *of {
            Type::Bool => Json::Bool(self.take(1)[0] == 1),
            Type::Number { bytes, signed } => number(self.take(bytes.into()), signed),
            Type::Array { bytes } => Json::text(hex::encode(self.take(bytes))),
            Type::Bytes { max } => {
                let length = self.length(max);
                Json::text(hex::encode(self.take(length)))
            }
            Type::Text { max } => {
                let length = self.length(max);
                Json::text(std::str::from_utf8(self.take(length)).expect("it is UTF-8"))
            }
            Type::Option(item) => match self.take(1)[0] {
                0 => Json::Null,
                _ => self.value(item),
            },
            Type::List { item, max } => {
                let length = self.length(max);
                Json::List((0..length).map(|_| self.value(item)).collect())
            }
            Type::Noun(noun) => self.noun(noun),
        }
    }

    fn noun(&mut self, noun: &'static Noun) -> Json {
        match noun.shape {
            Shape::Number(of) => self.value(&of),
            Shape::Text { bytes, .. } => text(noun.name, self.take(bytes)),
            Shape::Struct(fields) => Json::Object(self.fields(fields)),
            Shape::Enum { tag, variants } => {
                let offset = self.at;
                let byte = self.take(1)[0];
                let variant = variants.iter().find(|variant| variant.tag == byte);
                let variant = variant.unwrap_or_else(|| panic!("{} has no tag {byte}", noun.name));
                self.tags.push(Tag { offset, noun: noun.name, variants, variant });
                let content = match variant.content {
                    Content::None => None,
                    Content::Item(of) => Some(self.value(&of)),
                    Content::Fields(fields) => Some(Json::Object(self.fields(fields))),
                };
                named(tag, variant.name, content)
            }
        }
    }

    fn fields(&mut self, fields: &[Field]) -> Vec<(String, Json)> {
        fields.iter().map(|field| (field.name.to_owned(), self.value(&field.of))).collect()
    }
}

/// A variant's content under its name, or the name among the content's properties.
fn named(tag: Option<&str>, name: &str, content: Option<Json>) -> Json {
    match (tag, content) {
        (None, None) => Json::text(name),
        (None, Some(content)) => Json::object([(name, content)]),
        (Some(tag), content) => {
            let mut properties = vec![(tag.to_owned(), Json::text(name))];
            properties.extend(content.iter().flat_map(Json::properties).cloned());
            Json::Object(properties)
        }
    }
}

fn number(bytes: &[u8], signed: bool) -> Json {
    if signed {
        return Json::number(i32::from_be_bytes(
            bytes.try_into().expect("the one signed number has 32 bits"),
        ));
    }
    let mut wide = [0; 16];
    wide[16 - bytes.len()..].copy_from_slice(bytes);
    Json::number(u128::from_be_bytes(wide))
}

/// The text of a noun whose bytes have a fixed length: what its pattern cannot say.
fn text(noun: &str, bytes: &[u8]) -> Json {
    Json::text(match noun {
        "Address" => Address::decode(bytes.to_vec()).expect("an address").to_string(),
        "Place" => Place::decode(bytes.to_vec()).expect("a place").to_string(),
        "Amount" => NanoMeshx::decode(bytes.to_vec()).expect("an amount").get().to_string(),
        _ => hex::encode(bytes),
    })
}
